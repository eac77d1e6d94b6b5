"""Every call of raim is checked for types while its tests run, and where there are arrays for their shapes."""

import pkgutil
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import raim
from raim import files
from raim.metrics import arrays
from typechecking import BY_TYPE, BY_TYPE_AND_SHAPE


def test_each_module_is_checked():
    modules = {f"raim.{module.name}" for module in pkgutil.iter_modules(raim.__path__)} - {"raim.__main__"}
    assert {name for name in (*BY_TYPE, *BY_TYPE_AND_SHAPE) if name.count(".") == 1} == modules


def test_each_module_with_shapes_has_them_checked():
    root = Path(raim.__file__).parents[1]
    for path in sorted((root / "raim").rglob("*.py")):
        if "jaxtyping" in path.read_text():
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            assert name.startswith(BY_TYPE_AND_SHAPE), f"{name} belongs to BY_TYPE_AND_SHAPE"


def test_a_wrong_type_is_refused():
    with pytest.raises(TypeError, match="hash_file"):
        files.hash_file(3)


def test_a_wrong_shape_is_refused():
    with pytest.raises(TypeCheckError):
        arrays.unit_rows(np.zeros((4, 4), np.uint8))
