import cv2
import numpy as np
import pytest

from raim.data.alignment import AlignmentOptions, PairLimits, align_captures
from raim.data.alignment.captures import list_scenes
from raim.errors import InputError, UnknownNameError
from raim.images import read_image, write_image
from raim.tables import format_table

SIDE = 200


def make_scene(seed):
    rng = np.random.default_rng(seed)
    scene = np.full((SIDE + 20, SIDE + 20, 3), 128, np.uint8)
    for _ in range(220):
        centre = tuple(int(value) for value in rng.integers(0, SIDE + 20, 2))
        colour = tuple(int(value) for value in rng.integers(30, 220, 3))
        cv2.circle(scene, centre, int(rng.integers(2, 16)), colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(scene, (0, 0), 0.7)


def write_scene(folder, seed=0, names=("input.png", "reference.png")):
    folder.mkdir(parents=True)
    scene = make_scene(seed)
    write_image(folder / names[0], np.ascontiguousarray(scene[10:-10, 10:-10]))
    for name in names[1:]:
        write_image(folder / name, np.ascontiguousarray(scene[8:-12, 13:-7]))


def read_all(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def captures(tmp_path):
    for seed, name in enumerate(("a", "b")):
        write_scene(tmp_path / "captures" / name, seed)
    return tmp_path / "captures"


@pytest.mark.slow
def test_any_number_of_processes_and_a_stopped_run_give_the_same_bytes(captures, tmp_path):
    align_captures(captures, tmp_path / "one", mode="moire", workers=1)
    align_captures(captures, tmp_path / "two", mode="moire", workers=2)
    assert read_all(tmp_path / "one") == read_all(tmp_path / "two")

    class StoppedError(Exception):
        pass

    def stop(done, _total):
        if done == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        align_captures(captures, tmp_path / "three", mode="moire", on_progress=stop)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "three").rglob("*.png")}
    align_captures(captures, tmp_path / "three", mode="moire")
    assert read_all(tmp_path / "three") == read_all(tmp_path / "one")
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


@pytest.mark.slow
def test_a_shift_by_whole_pixels_is_undone(captures, tmp_path):
    aligned = align_captures(
        captures, tmp_path / "out", mode="moire", options=AlignmentOptions(match_tone=False)
    )
    for pair in aligned.pairs:
        pictures = [
            read_image(tmp_path / "out" / kind / f"{pair.name}.png").pixels.astype(float)[8:-8, 8:-8]
            for kind in ("input", "reference")
        ]
        assert np.abs(pictures[0] - pictures[1]).mean() < 1.0
        assert pair.residual_px < 0.05


def test_a_limit_refuses_with_the_figure_and_the_place(captures, tmp_path):
    other = captures / "b"
    for path in other.iterdir():
        path.unlink()
    other.rmdir()
    aligned = align_captures(
        captures,
        tmp_path / "out",
        mode="moire",
        options=AlignmentOptions(limits=PairLimits(residual_px=1e-6)),
    )
    assert aligned.pairs == ()
    assert "residual" in aligned.refused[0].reason
    assert "px" in aligned.refused[0].reason
    assert len(aligned.refused_scenes()) == 1


def test_a_flat_capture_is_refused_not_aligned(tmp_path):
    folder = tmp_path / "captures" / "wall"
    folder.mkdir(parents=True)
    for name in ("input.png", "reference.png"):
        write_image(folder / name, np.full((SIDE, SIDE, 3), 120, np.uint8))
    aligned = align_captures(tmp_path / "captures", tmp_path / "out", mode="blur")
    assert aligned.pairs == ()
    assert "too little texture" in aligned.refused[0].reason or "no common scene" in aligned.refused[0].reason


def test_a_capture_that_is_too_small_is_named(tmp_path):
    folder = tmp_path / "captures" / "stamp"
    folder.mkdir(parents=True)
    for name in ("input.png", "reference.png"):
        write_image(folder / name, np.full((50, 50, 3), 120, np.uint8))
    with pytest.raises(InputError, match="50x50"):
        align_captures(tmp_path / "captures", tmp_path / "out", mode="blur")


def test_a_scene_that_cannot_be_used_is_refused_alone(captures, tmp_path):
    whole = (captures / "a" / "input.png").read_bytes()
    (captures / "a" / "input.png").write_bytes(whole[:40])
    (captures / "empty").mkdir()
    aligned = align_captures(captures, tmp_path / "out", mode="moire")
    assert [pair.scene for pair in aligned.pairs] == ["b"]
    assert [each.name for each in aligned.refused_scenes()] == ["a", "empty"]
    assert "input.png cannot be used" in aligned.refused[0].reason
    assert "has 0 inputs" in aligned.refused[1].reason


def test_a_table_says_roles_and_modes(captures):
    rows = [
        ("scene", "file", "role", "mode"),
        ("a", "reference.png", "input", "moire"),
        ("a", "input.png", "reference", "moire"),
        ("b", "input.png", "input", "zoom"),
        ("b", "reference.png", "reference", "zoom"),
    ]
    (captures / "captures.csv").write_text(format_table(rows[0], rows[1:]))
    scenes = list_scenes(captures, None)
    assert [(scene.name, scene.mode.name, scene.input.name) for scene in scenes] == [
        ("a", "moire", "reference.png"),
        ("b", "zoom", "input.png"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffscene;file;role\r\n7;input.png;input\r\n7;Pho\u0308to.png;Reference\r\n;;\r\n",
        "Scene,FILE,role,,\n\n0007,input.png,input,,\n0007,Phöto.png\u00a0,reference,,\n,,,,\n",
        "scene\tfile\trole\r7.0\tinput.png\tinput\r7.0\tPhöto.png\treference\r".encode("utf-16"),
        "sep=;\nscene;file;role\n0007;input.png;input\n0007;Phöto.png;reference\n".encode("cp1252"),
    ],
)
def test_tables_of_spreadsheets_name_scenes_and_files(captures, content):
    scene = captures / "0007"
    (captures / "a").rename(scene)
    (scene / "reference.png").rename(scene / "Phöto.png")
    (captures / "captures.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = list_scenes(captures, "blur")
    assert (found.name, found.input, found.references) == (
        "0007",
        scene / "input.png",
        (scene / "Phöto.png",),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "scene,file,rolle\na,input.png,input\n",
            "captures.csv, line 1: there is no column 'role'; it has scene, file, rolle",
        ),
        ("scene,file,role\na,input.png\n", "captures.csv, line 2: it has 2 cells"),
        (
            "scene,file,role,Role\na,input.png,input,x\n",
            "captures.csv, line 1: the column 'role' is there twice",
        ),
        ("scene,file,role\n", "captures.csv has no rows"),
        ("PK\3\4", "captures.csv, line 1: there is no column 'scene'"),
        (f"scene,file,role\n{'9' * 5000},a.png,input\n", "File name too long"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(captures, text, message):
    (captures / "captures.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        list_scenes(captures, "blur")


def test_a_table_names_each_picture_once_and_stays_within_the_captures(captures):
    rows = ("scene,file,role", "a,input.png,input", "a,input.png,reference", "..,input.png,input")
    (captures / "captures.csv").write_text("\n".join(rows))
    with pytest.raises(InputError) as caught:
        list_scenes(captures, "blur")
    assert "2 problems" in str(caught.value)
    assert "line 4: name the sub-folder" in str(caught.value)
    assert "a: input.png is named more than once" in str(caught.value)


def test_a_burst_without_names_begins_with_its_input(tmp_path):
    write_scene(tmp_path / "captures" / "desk", names=("shot-2.png", "shot-1.png", "shot-3.png"))
    scene = list_scenes(tmp_path / "captures", "burst")[0]
    assert scene.input.name == "shot-1.png"
    assert [path.name for path in scene.references] == ["shot-2.png", "shot-3.png"]


def test_modes_and_folders_that_are_not_there_are_refused(captures, tmp_path):
    with pytest.raises(UnknownNameError, match="burst"):
        align_captures(captures, tmp_path / "out", mode="brust")
    with pytest.raises(InputError, match="no folder"):
        align_captures(tmp_path / "nothing", tmp_path / "out", mode="blur")
    with pytest.raises(InputError, match="within the captures"):
        align_captures(captures, captures / "out", mode="blur")


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["levin_im1_kernel4", "levin_im2_kernel6"])
def test_shaken_photographs_come_out_within_a_third_of_a_pixel(shared, tmp_path, name):
    folder = tmp_path / "captures" / name
    folder.mkdir(parents=True)
    for kind in ("input", "reference"):
        source = shared / "data" / "paired" / "motion_blur" / kind / f"{name}.png"
        write_image(folder / f"{kind}.png", read_image(source).pixels)
    pair = align_captures(tmp_path / "captures", tmp_path / "out", mode="blur").pairs[0]
    assert pair.residual_px < 0.3
