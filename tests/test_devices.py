import threading

import pytest

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from raim import devices  # noqa: E402 - only with torch
from raim.devices import check_device, exact_convolutions, find_device, has_double, list_devices  # noqa: E402
from raim.errors import InputError, MissingExtraError  # noqa: E402 - as above

ABSENT = ["cuda:99", "mps:7", "nonsense", "", "cuda:-1", "cpu\n", "hpu", "mkldnn", "meta", "xla"]


@pytest.mark.parametrize("name", ABSENT)
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name):
    with pytest.raises(InputError) as caught:
        find_device(name)
    assert f"there is no device {name!r} here (" in str(caught.value)
    assert str(caught.value).endswith(f"take one of: {', '.join(list_devices())}")
    assert "\n" not in str(caught.value).replace("cpu\n", "")
    with pytest.raises(InputError):
        check_device(name)


def test_a_name_that_torch_does_not_know_is_reported_without_all_that_it_knows():
    with pytest.raises(
        InputError, match=r"no device 'abacus' here \(torch knows none of that name\); take one of"
    ):
        find_device("abacus")


def test_what_torch_says_of_a_device_is_printable(monkeypatch):
    def refuse(_):
        raise RuntimeError("\x1b[31mgone")

    monkeypatch.setattr(torch, "device", refuse)
    with pytest.raises(InputError, match=r"no device 'cuda' here \(\\x1b\[31mgone\)"):
        find_device("cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_where_there_is_none_is_no_error_of_torch():
    with pytest.raises(InputError, match="there is no device 'cuda' here"):
        find_device("cuda")


def test_without_torch_the_processor_is_all_there_is_and_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda _name: None)
    assert list_devices() == ("cpu",)
    check_device("cpu")
    with pytest.raises(MissingExtraError, match=r"pip install 'raim\[torch\]'"):
        check_device("cuda")


def settings():
    backends = torch.backends
    places = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul, backends.mkldnn.conv)
    read = [place.fp32_precision for place in (*places, backends.mkldnn.matmul, backends.cudnn, backends)]
    for legacy in (lambda: backends.cudnn.allow_tf32, lambda: backends.cuda.matmul.allow_tf32):
        try:
            read.append(legacy())
        except RuntimeError:  # of the new settings the old cannot say
            read.append("mixed")
    return read


USERS = {
    "as it comes": lambda: None,
    "tf32 by the old switches": lambda: torch.set_float32_matmul_precision("high"),
    "bfloat16 on the processor": lambda: torch.set_float32_matmul_precision("medium"),
    "nothing by the old switches": lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
    "tf32 for everything": lambda: setattr(torch.backends, "fp32_precision", "tf32"),
    "exact for everything": lambda: setattr(torch.backends, "fp32_precision", "ieee"),
    "tf32 for products": lambda: setattr(torch.backends.cuda.matmul, "fp32_precision", "tf32"),
}


@pytest.fixture
def torch_as_it_comes():
    yield
    torch.backends.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True
    for place in (torch.backends.cuda.matmul, torch.backends.mkldnn.conv, torch.backends.mkldnn.matmul):
        place.fp32_precision = "none"


@pytest.mark.parametrize("user", USERS)
@pytest.mark.usefixtures("torch_as_it_comes")
def test_whatever_the_user_has_set_is_exact_inside_and_as_before_after_it(user):
    USERS[user]()
    before = settings()
    inside = []

    @exact_convolutions()
    def fail():
        inside.append(settings())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [inside[0][place] for place in (0, 2, 3, 4)] == ["ieee"] * 4
    assert settings() == before


@pytest.mark.usefixtures("torch_as_it_comes")
def test_what_a_user_sets_for_everything_later_still_holds_for_everything():
    torch.backends.fp32_precision = "tf32"
    with exact_convolutions():
        pass
    torch.backends.fp32_precision = "ieee"
    assert settings()[0] == settings()[2] == settings()[3] == "ieee"


def test_a_thread_that_leaves_does_not_take_exactness_from_another():
    before = settings()
    inside, may_leave = threading.Event(), threading.Event()

    def other():
        with exact_convolutions():
            inside.set()
            may_leave.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(60)
    with exact_convolutions():
        may_leave.set()
        thread.join(60)
        assert settings()[0] == "ieee"
    assert settings() == before


def test_a_device_has_double_precision_if_it_computes_in_it(monkeypatch):
    assert has_double(torch.device("cpu"))

    def refuse(*args, **options):
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype")

    monkeypatch.setattr(torch, "ones", refuse)
    assert not has_double(torch.device("mps"))
    has_double.cache_clear()


@pytest.mark.usefixtures("torch_as_it_comes")
def test_torch_before_2_9_has_other_settings_for_the_same(monkeypatch):
    torch.set_float32_matmul_precision("high")
    before = settings()
    monkeypatch.delattr(type(torch.backends.cudnn), "conv")
    with exact_convolutions():
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.cudnn.allow_tf32
    assert torch.get_float32_matmul_precision() == "high"
    monkeypatch.undo()
    assert settings() == before
