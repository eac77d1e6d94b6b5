"""The checker of shapes and types that the whole test run goes through (pytest option --jaxtyping-packages)."""

from beartype import BeartypeConf, beartype

# A whole number is a fine float, as in all of Python.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
