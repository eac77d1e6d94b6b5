import errno
import inspect
import pickle
from datetime import UTC, datetime

import pytest

import raim.errors
from raim.errors import OutOfMemoryError, RaimError, item_error, unknown_name

KINDS = [kind for kind in vars(raim.errors).values() if inspect.isclass(kind) and issubclass(kind, RaimError)]
ARGUMENTS = {
    "retry_at": datetime(2026, 11, 29, tzinfo=UTC),
    "retry_s": 5,
    "status": 409,
    "code": "closed",
    "problems": ("first", "second"),
}


def make_error(kind):
    taken = inspect.signature(kind.__init__).parameters
    return kind("what was wrong", **{name: value for name, value in ARGUMENTS.items() if name in taken})


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_survives_pickling_with_all_it_carries(kind):
    error = make_error(kind)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_our_base_and_a_standard_parent(kind):
    assert kind is RaimError or any(
        parent.__module__ == "builtins" and parent not in (Exception, BaseException, object)
        for parent in kind.__mro__
    )
    assert kind.__name__ in raim.errors.__doc__


def test_an_expected_error_is_the_item_s_as_it_is():
    error = unknown_name("measure", "pnsr", ["psnr"])
    assert item_error(error) is error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("Insufficient memory (case 4)"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        type("error", (Exception,), {})(
            "OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"
        ),
    ],
)
def test_memory_that_ran_out_says_the_way_out(error):
    found = item_error(error)
    assert isinstance(found, OutOfMemoryError)
    assert "--tile" in str(found)
    assert found.__cause__ is error


def test_memory_of_a_device_of_torch_is_recognised():
    torch = pytest.importorskip("torch")
    assert isinstance(item_error(torch.OutOfMemoryError("CUDA out of memory. Tried")), OutOfMemoryError)


def test_an_error_that_nobody_foresaw_says_where_it_came_up():
    try:
        raise LookupError("no such layer")  # noqa: TRY301
    except LookupError as error:
        found = item_error(error)
    assert "LookupError: no such layer" in str(found)
    assert "test_errors.py line" in str(found)


def test_control_characters_of_foreign_errors_are_escaped():
    assert str(item_error(ValueError("a\x1b[31m\nb"))).startswith(r"ValueError: a\x1b[31m b (")
