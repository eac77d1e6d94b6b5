"""The checkers of types, and of arrays' shapes, that the whole test run goes through.

Modules of arrays are checked by jaxtyping, all others by beartype alone: jaxtyping binds the arguments of every call
again, which took half of the time of the server's tests. Packages that import types for mypy only are left to jaxtyping
too, as beartype insists on finding them.
"""

from beartype import BeartypeConf, BeartypeDecorPlace, beartype
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

BY_TYPE_AND_SHAPE = (
    "raim.challenge.example",
    "raim.challenge.ranking",
    "raim.cli",
    "raim.client",
    "raim.data",
    "raim.demo",
    "raim.devices",
    "raim.images",
    "raim.metrics",
    "raim.networks",
    "raim.report",
    "raim.restore",
    "raim.runs",
    "raim.scoring",
    "raim.server.tiles.packing",
    "raim.study",
    "raim.weights",
)
BY_TYPE = (
    "raim.challenge",
    "raim.compilation",
    "raim.errors",
    "raim.files",
    "raim.processes",
    "raim.records",
    "raim.sandbox",
    "raim.server",
    "raim.tables",
)

# A whole number is a fine float, as in all of Python. Other decorators get the checked function, as some keep it.
CONFIGURATION = BeartypeConf(
    is_pep484_tower=True,
    claw_decor_place_func=BeartypeDecorPlace.FIRST,
    claw_is_pep526=False,
    claw_skip_package_names=BY_TYPE_AND_SHAPE,
    violation_type=TypeError,
)

check = beartype(conf=CONFIGURATION)


def check_calls():
    """Have every call of raim checked from now on; no module of it may be imported yet."""
    install_import_hook(BY_TYPE_AND_SHAPE, "typechecking.check")
    beartype_packages(BY_TYPE, conf=CONFIGURATION)
