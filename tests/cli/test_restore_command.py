import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from patience import PATIENCE_S
from raim.images import read_image, write_image
from raim.restore import RESTORERS
from raim.scoring.submission import check_submission

PLUGIN = """
import time
from pathlib import Path

def negative(image):
    return 1 - image

def wait_at_dark(image):
    while image.max() < 0.5 and not Path("go").exists():
        time.sleep(0.01)
    return 1 - image

def paint(image):
    image[48:64, 64:96] = 0.9
    return image

def fail(image):
    raise RuntimeError("out of order")
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Stand in a folder with three photographs in `in`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "plugin_of_test", raising=False)
    rng = np.random.default_rng(0)
    Path("in").mkdir()
    for index in range(3):
        write_image(Path(f"in/{index}.png"), rng.integers(0, 256, (30, 40, 3), np.uint8))
    Path("plugin_of_test.py").write_text(PLUGIN)
    return tmp_path


@pytest.fixture
def raim(place, run_raim):
    """Run the command; give exit code, standard output and standard error."""
    return functools.partial(run_raim, "restore")


def listed(folder="."):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_photograph_is_restored_and_said(raim):
    code, out, err = raim("in/0.png", "out.png", "--restorer", "nlm", "--threads", 1)
    assert code == 0, err
    assert "nlm: 1 photograph, 0.0 megapixels, sizes kept; about 1 s on 1 thread" in err
    assert "0.png: " in err
    assert "non-local means for a noise of sigma" in err
    assert "1 photograph restored in out.png" in out
    assert read_image(Path("out.png")).pixels.shape == (30, 40, 3)


def test_a_folder_is_restored_and_resumed(raim):
    assert raim("in", "out", "--restorer", "identity")[0] == 0
    Path("out/1.png").unlink()
    code, out, err = raim("in", "out", "--restorer", "identity")
    assert code == 0
    assert err.count("kept from an earlier run") == 2
    assert "3 photographs restored in out, 2 of them by an earlier run" in out


def test_the_resulting_size_is_said_and_another_restorer_needs_overwrite(raim):
    raim("in", "out", "--restorer", "identity")
    code, _, err = raim("in", "out", "--restorer", "bicubic-x2")
    assert code == 2
    assert "--overwrite" in err
    code, _, err = raim("in", "out", "--restorer", "bicubic-x2", "--overwrite")
    assert code == 0
    assert "to 2 times the width and height" in err
    assert read_image(Path("out/0.png")).pixels.shape == (60, 80, 3)


def test_a_format_may_be_named(raim):
    assert raim("in", "out", "--restorer", "identity", "--format", "tif")[0] == 0
    np.testing.assert_array_equal(read_image(Path("out/2.tif")).pixels, read_image(Path("in/2.png")).pixels)


def test_each_reduction_is_timed_before_the_work(raim):
    code, _, err = raim("in", "out", "--restorer", "nlm,bicubic-x4", "--reduction", 2)
    assert code == 0, err
    assert "about, with a reduction of 1: 1 s, 2: 1 s, 3: 1 s, 4: 1 s" in err
    assert read_image(Path("out/0.png")).pixels.shape == (30, 40, 3)


def test_quiet_says_nothing(raim):
    assert raim("in", "out", "--restorer", "identity", "--quiet") == (0, "", "")


def test_ffdnet_denoises_at_a_given_sigma(raim):
    clean = np.full((64, 64, 3), 120.0)
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape)
    write_image(Path("noisy.png"), np.clip(noisy, 0, 255).astype(np.uint8))
    code, _, err = raim("noisy.png", "out.png", "--restorer", "ffdnet", "--sigma", 20, "--threads", 1)
    assert code == 0, err
    assert "FFDNet at sigma 20" in err
    assert np.std(read_image(Path("out.png")).pixels) < 4


def test_no_strength_gives_the_input_and_another_strength_is_other_work(raim):
    arguments = ("in", "out", "--restorer", "nlm", "--threads", 1, "--strength")
    assert raim(*arguments, 0)[0] == 0
    np.testing.assert_array_equal(read_image(Path("out/1.png")).pixels, read_image(Path("in/1.png")).pixels)
    code, _, err = raim(*arguments, 0)
    assert code == 0
    assert err.count("kept from an earlier run") == 3
    code, _, err = raim(*arguments, 0.004)  # by its name, in whole per cent, it is the same
    assert code == 2
    assert "is there already" in err
    assert raim(*arguments, 0.5, "--overwrite")[0] == 0
    half, whole = read_image(Path("out/1.png")).pixels, read_image(Path("in/1.png")).pixels
    assert np.abs(half.astype(int) - whole).mean() > 0
    assert '"work": "50% nlm; strength=0.5; raim' in Path("out/.raim-restore.jsonl").read_text()


@pytest.mark.parametrize("strength", ["-0.1", "1.5", "nan", "strong"])
def test_a_strength_outside_its_range_is_refused_before_any_work(raim, strength):
    code, _, err = raim("in", "out", "--restorer", "nlm", "--strength", strength)
    assert code == 2
    assert "strength" in err
    assert "out" not in listed()


@pytest.mark.parametrize("method", ["adain", "wavelet"])
def test_colours_are_those_of_the_input_and_in_the_record(raim, method):
    for path in Path("in").iterdir():
        write_image(path, read_image(path).pixels // 2)  # the mean is 64, of the negative 191
    arguments = ("in", "out", "--python", "plugin_of_test:negative", "--colour-fix", method)
    code, _, err = raim(*arguments)
    assert code == 0, err
    assert f"plugin_of_test:negative, colours by {method}: 3 photographs" in err
    before, after = (read_image(Path(path)).pixels for path in ("in/0.png", "out/0.png"))
    np.testing.assert_allclose(after.mean(axis=(0, 1)), before.mean(axis=(0, 1)), atol=5)
    assert f"; colour_fix={method}; " in Path("out/.raim-restore.jsonl").read_text()


def test_what_does_not_follow_from_the_input_is_said_and_kept(raim):
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    write_image(Path("coarse.png"), coarse)
    code, _, err = raim("coarse.png", "out.png", "--python", "plugin_of_test:paint")
    assert code == 0, err
    assert re.search(r"; \d\.\d % of it does not follow from its input \(most at \d+, \d+\)", err)
    assert (read_image(Path("out.png")).pixels[48:64, 64:96] == 230).all()
    code, _, err = raim("coarse.png", "same.png", "--restorer", "nlm", "--threads", 1)
    assert code == 0, err
    assert "; agrees with its input" in err


def test_auto_is_the_default_and_gives_its_reason(raim):
    code, _, err = raim("in/0.png", "out.png", "--threads", 1)
    assert code == 0, err
    assert err.startswith("auto: 1 photograph")
    assert "; " in err.splitlines()[-1]  # a note follows the time


def test_a_python_function_of_the_folder(raim):
    assert raim("in/0.png", "out.png", "--python", "plugin_of_test:negative")[0] == 0
    np.testing.assert_array_equal(
        read_image(Path("out.png")).pixels, 255 - read_image(Path("in/0.png")).pixels
    )


def test_a_program_that_was_changed_does_not_leave_its_old_results(raim):
    Path("prog.sh").write_text("cp $1 $2")
    words = ("in", "out", "--command", "sh prog.sh {input} {output}", "--quiet")
    assert raim(*words) == (0, "", "")
    Path("prog.sh").write_text("cp in/0.png $2")
    assert raim(*words, "--resume") == (0, "", "")
    assert (read_image(Path("out/1.png")).pixels == read_image(Path("in/1.png")).pixels).all()
    assert raim(*words) == (0, "", "")
    assert (read_image(Path("out/1.png")).pixels == read_image(Path("in/0.png")).pixels).all()


def test_what_memory_is_taken_is_said_and_refused_where_it_cannot_fit(raim, monkeypatch):
    monkeypatch.setattr("raim.cli.restore_messages.MUCH_MEMORY", 5e5)
    monkeypatch.setattr("raim.restore.capacity.available_memory", lambda: 4e5)
    code, _, err = raim("in/0.png", "out.png", "--restorer", "bicubic-x4", "--reduction", 1)
    assert code == 2
    assert "at most about 1 MB of memory, for the largest" in err
    assert (
        "would take about 1 MB of memory for 40x30, 0 MB are free; take --tile or a larger --reduction" in err
    )


def test_a_reduction_is_heeded_with_a_function_too(raim):
    arguments = ("in/0.png", "out.png", "--python", "plugin_of_test:negative", "--reduction", 2)
    assert raim(*arguments)[0] == 0
    whole, reduced = (read_image(Path(path)).pixels.astype(float) for path in ("in/0.png", "out.png"))
    assert reduced.shape == whole.shape
    assert reduced.std() < 0.7 * whole.std()  # noise that the mean over 2x2 pixels has taken


def test_a_changed_function_is_other_work(raim):
    assert raim("in", "out", "--python", "plugin_of_test:negative")[0] == 0
    Path("plugin_of_test.py").write_text(PLUGIN + "\n# another text\n")
    code, _, err = raim("in", "out", "--python", "plugin_of_test:negative")
    assert code == 2
    assert "is there already" in err


def test_a_program(raim):
    program = f"{sys.executable} -c 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])' {{input}} {{output}}"
    code, _, err = raim("in/0.png", "out.png", "--command", program)
    assert code == 0, err
    np.testing.assert_array_equal(read_image(Path("out.png")).pixels, read_image(Path("in/0.png")).pixels)


def write_model(path, channels):
    pytest.importorskip("spandrel", reason="the extra spandrel is not installed")
    import torch
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(0)
    net = SRVGGNetCompact(num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=1, upscale=2)
    torch.save({name: 0.3 * weights for name, weights in net.state_dict().items()}, path)


def test_a_model_file_and_its_size(raim):
    write_model("colour.pth", 3)
    code, _, err = raim("in/0.png", "out.png", "--model", "colour.pth")
    assert code == 0, err
    assert read_image(Path("out.png")).pixels.shape == (60, 80, 3)


def test_a_model_for_grey_photographs_is_refused(raim):
    write_model("grey.pth", 1)
    code, _, err = raim("in/0.png", "out.png", "--model", "grey.pth")
    assert code == 2
    assert "a model for grey photographs: 1 channels in, 1 out; expected 3 and 3" in err
    assert "out.png" not in listed()


def make_wrong_inputs():
    Path("clip.mp4").write_bytes(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(400))
    Path("text.png").write_text("no picture at all\n" * 30)
    write_image(Path("dot.png"), np.zeros((1, 1, 3), np.uint8))
    Path("cut.png").write_bytes(Path("in/0.png").read_bytes()[:900])
    Path("model.pth").write_bytes(b"no model")
    Path("file").write_text("no folder")


MISTAKES = {
    "video": (["clip.mp4", "out.png"], "clip.mp4"),
    "text": (["text.png", "out.png"], "text.png"),
    "one-pixel": (["dot.png", "out.png"], "1x1; restorers need at least 8x8"),
    "cut": (["cut.png", "out.png"], "cut.png"),
    "missing": (["gone.png", "out.png"], "there is nothing at gone.png"),
    "no-model": (["in/0.png", "out.png", "--model", "gone.pth"], "there is no model file gone.pth"),
    "unknown-model": (["in/0.png", "out.png", "--model", "model.pth"], "model.pth cannot be read as a model"),
    "no-program": (["in/0.png", "out.png", "--command", "gone {input} {output}"], "there is no program gone"),
    "failing-program": (["in/0.png", "out.png", "--command", "false {input} {output}"], "exit code 1 and no result"),
    "no-placeholder": (["in/0.png", "out.png", "--command", "cp {input}"], "has no {input} or {output}"),
    "failing-function": (["in/0.png", "out.png", "--python", "plugin_of_test:fail"], "out of order"),
    "no-function": (["in/0.png", "out.png", "--python", "plugin_of_test:gone"], "cannot be found"),
    "unknown-restorer": (["in/0.png", "out.png", "--restorer", "fdnet"], "did you mean 'ffdnet'"),
    "two-restorers": (["in/0.png", "out.png", "--restorer", "nlm", "--model", "m.pth"], "several restorers"),
    "sigma-of-model": (["in/0.png", "out.png", "--python", "plugin_of_test:fail", "--sigma", "3"], "leave it out"),
    "itself": (["in/0.png", "in/0.png"], "is the input itself"),
    "same-folder": (["in", "in"], "is the folder of the inputs"),
    "output-is-a-file": (["in", "file"], "file is a file"),
    "output-below-a-file": (["in", "file/out", "--restorer", "identity"], "out cannot be written: Not a directory"),
    "no-device": (["in/0.png", "out.png", "--restorer", "nlm", "--device", "cuda"], "runs on the cpu only"),
    "page-folder": (["in/0.png", "out.png", "--compare", "gone/x.html"], "there is no folder"),
    "page-name": (["in/0.png", "out.png", "--compare", "x.png"], "ends in .html"),
    "description": (["in/0.png", "out.png", "--description", "x"], "add --submission"),
    "submission-format": (["in", "s.zip", "--submission", "--format", "jpg"], "holds PNG files"),
    "submission-scale": (["in", "s.zip", "--submission", "--restorer", "bicubic-x2"], "add --reduction"),
    "no-output": (["in"], "INPUT and OUTPUT are needed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(MISTAKES))
def test_mistakes_exit_with_2_say_why_and_leave_nothing(raim, kind):
    make_wrong_inputs()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    arguments, message = MISTAKES[kind]
    code, _, err = raim(*arguments, "--threads", 1)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert {path: text for path, text in after.items() if path.suffix != ".pyc"} == before


def test_photographs_that_fail_are_listed_and_the_others_done(raim):
    write_image(Path("in/1.png"), np.zeros((1, 1, 3), np.uint8))
    code, _, err = raim("in", "out", "--restorer", "identity")
    assert code == 2
    assert "1 of 3 photographs could not be restored, the others are done:\n  1.png: the image is 1x1" in err
    assert listed("out") == [".raim-restore.jsonl", "0.png", "2.png"]


def test_a_video_in_a_folder_is_ignored_and_said(raim):
    Path("in/clip.mp4").write_bytes(b"moving")
    code, _, err = raim("in", "out", "--restorer", "identity")
    assert code == 0
    assert "clip.mp4" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_output_that_may_not_be_written(raim):
    Path("locked").mkdir(mode=0o555)
    code, _, err = raim("in/0.png", "locked/out.png", "--restorer", "identity")
    assert code == 2
    assert "cannot be written" in err


def test_a_manifest_that_names_no_input_is_refused_before_any_work(raim):
    Path("m.csv").write_text("name\nother\n")
    code, out, err = raim("in", "s.zip", "--submission", "--restorer", "identity", "--manifest", "m.csv")
    assert (code, out) == (2, "")
    assert "no row names an image: it has other" in err


def test_a_submission_is_accepted_by_the_check(raim):
    code, out, err = raim(
        "in", "s.zip", "--submission", "--restorer", "nlm", "--description", "mine", "--compare", "c.html"
    )  # fmt: skip
    assert code == 0, err
    assert "s.zip: accepted by raim check" in out
    report = check_submission(Path("s.zip"), Path("in"))
    assert report.is_fine
    assert (report.readme.description, report.readme.has_extra_data) == ("mine", False)
    assert report.readme.is_on_cpu
    assert "s.zip.parts" not in listed()
    assert Path("c.html").read_text().count("<article") == 3


def test_extra_data_may_be_stated(raim):
    assert raim("in", "s.zip", "--submission", "--restorer", "identity", "--extra-data")[0] == 0
    assert check_submission(Path("s.zip"), Path("in")).readme.has_extra_data


def test_a_submission_with_a_broken_input_is_not_written_and_goes_on_once_repaired(raim):
    whole = Path("in/1.png").read_bytes()
    Path("in/1.png").write_bytes(whole[:500])
    code, _, err = raim("in", "s.zip", "--submission", "--restorer", "identity")
    assert code == 2
    assert "1.png" in err
    assert "s.zip" not in listed()
    Path("in/1.png").write_bytes(whole)
    code, _, err = raim("in", "s.zip", "--submission", "--restorer", "identity")
    assert code == 0
    assert err.count("kept from an earlier run") == 2


def test_the_page_shows_every_photograph(raim):
    code, out, _ = raim("in", "out", "--restorer", "bicubic-x2", "--compare", "page.html")
    assert code == 0
    assert "page.html: before and after" in out
    text = Path("page.html").read_text()
    assert "Restored with bicubic-x2" in text
    assert "40 × 30 pixels before, 80 × 60 after" in text


def test_the_table_names_every_restorer_with_its_licences(raim, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = raim("--list")
    assert code == 0
    assert all(name in out for name in RESTORERS)
    assert "code Apache-2.0, weights MIT; commercial use: yes" in out


def test_the_table_as_json_says_which_weights_are_here(raim):
    code, out, _ = raim("--list", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert list(rows) == list(RESTORERS)
    assert rows["identity"]["weights"] == {}
    assert set(rows["ffdnet"]["weights"]) == {"ffdnet-color"}
    licences = {key: value for key, value in rows["ffdnet"].items() if "licence" in key or "use" in key}
    assert licences == {"code_licence": "Apache-2.0", "weights_licence": "MIT", "commercial_use": "yes"}
    assert rows["identity"]["weights_licence"] is None


def test_the_table_shows_missing_weights(raim, monkeypatch, tmp_path):
    for variable in ("RAIM_CACHE_DIR", "RAIM_WEIGHTS_DIR"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    rows = {row["name"]: row for row in json.loads(raim("--json")[1])}
    assert rows["ffdnet"]["weights"] == {"ffdnet-color": "missing"}


@pytest.mark.slow
def test_the_help_loads_no_library():
    code = (
        "import sys; from raim.cli.restore import command\n"
        "try: command(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'numba', 'ncnn', 'numpy', 'PIL') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_ctrl_c_leaves_whole_files_only_and_the_same_command_goes_on(place):
    write_image(Path("in/1.png"), np.zeros((30, 40, 3), np.uint8))  # dark: the function waits
    words = ["-c", "from raim.cli.main import main; main()", "restore", "in", "out"]
    line = [sys.executable, *words, "--python", "plugin_of_test:wait_at_dark"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as running:
        for _ in range(6000):
            if Path("out/0.png").exists() or running.poll() is not None:
                break
            time.sleep(0.01)
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130, err
    assert "add --resume to keep what is done" in err
    assert "run the same command again to go on where it stopped" in err
    assert "Traceback" not in err
    assert listed("out") == [".raim-restore.jsonl", "0.png"]
    assert read_image(Path("out/0.png")).pixels.shape == (30, 40, 3)
    Path("go").touch()
    done = subprocess.run([*line, "--resume"], capture_output=True, text=True, check=True)
    assert done.stderr.count("kept from an earlier run") == 1
    assert listed("out") == [".raim-restore.jsonl", "0.png", "1.png", "2.png"]


def test_a_zip_is_read_without_being_unpacked(raim):
    with zipfile.ZipFile("in.zip", "w") as archive:
        for path in Path("in").iterdir():
            archive.write(path, path.name)
    before = listed()
    assert raim("in.zip", "out", "--restorer", "identity")[0] == 0
    assert listed() == sorted([*before, "out"])
    assert len(listed("out")) == 4
    assert Path("out/0.png").read_bytes().startswith(b"\x89PNG")
