"""Recipes; every key of one stands in docs/training.md."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.data.camera import PRESETS
from raim.data.camera.draws import Size
from raim.errors import RecipeError
from raim.restore.training import list_shipped, parse_recipe, read_recipe
from raim.restore.training.recipe import (
    Drawn,
    LossChoice,
    ModelChoice,
    Recipe,
    Schedule,
    Source,
    Validation,
)
from raim.restore.training.sources import SCIKIT_FILES
from raim.scoring import PROFILES
from training_world import CAMERA_RECIPE, RECIPE, read_tiny

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text("utf-8")
NOT_KEYS = {"model", "sources", "loss", "schedule", "validation", "text", "source", "measures", "camera"}


def fault_of(folder, text):
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, folder=folder, file_name="mine.toml")
    return str(caught.value)


def swap(old, new):
    assert old in CAMERA_RECIPE
    return CAMERA_RECIPE.replace(old, new, 1)


def test_what_stands_in_the_file_is_what_is_read(tmp_path):
    recipe = read_tiny(tmp_path, text=CAMERA_RECIPE)
    assert (recipe.name, recipe.checkpoint_steps, recipe.log_steps, recipe.seed) == ("tiny", 3, 1, 0)
    assert (recipe.model.architecture, recipe.model.channels, recipe.model.blocks) == ("halfnet", 8, 1)
    (source,) = recipe.sources
    assert source.photographs == tmp_path / "photographs"
    assert source.presets == ("denoise", "out_of_focus")
    assert source.camera == {"noise.iso": Drawn(kind="log_uniform", ends=(50.0, 900.0))}
    assert (recipe.schedule.steps, recipe.schedule.batch, recipe.schedule.patch_px) == (7, 2, 32)
    assert recipe.validation.source.pairs == tmp_path / "pairs"
    assert recipe.text == CAMERA_RECIPE.rstrip() + "\n"


def test_a_byte_order_mark_and_line_ends_of_windows_do_not_matter(tmp_path):
    changed = "\ufeff" + CAMERA_RECIPE.replace("\n", "\r\n")
    assert (
        parse_recipe(changed, folder=tmp_path).schedule
        == parse_recipe(CAMERA_RECIPE, folder=tmp_path).schedule
    )


def test_a_recipe_can_be_sent_to_another_process(tmp_path):
    recipe = read_tiny(tmp_path, text=CAMERA_RECIPE)
    assert pickle.loads(pickle.dumps(recipe.sources)) == recipe.sources  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('name = "tiny"', 'name = "Tiny!"', 3, "name"),
        ("schema = 1", "schema = 2", 2, "schema is 2; this version of raim reads 1"),
        ("log_steps = 1", "log_stepps = 1", 5, "did you mean 'log_steps'?"),
        ("channels = 8", "channels = 7", 8, "channels is 7; expected a whole number from 8 to 512"),
        ("channels = 8", 'channels = "8"', 8, "channels"),
        ("blocks = 1", 'architecture = "file"', 9, 'architecture "file" needs start'),
        ("blocks = 1", 'architecture = "halfnett"', 9, "did you mean 'halfnet'?"),
        ('"denoise", "out_of_focus"', '"denoize"', 13, "there is no preset 'denoize'; there are: denoise"),
        ('presets = ["denoise", "out_of_focus"]', "", 0, "has no presets of the camera"),
        ('"out_of_focus"]', '"text"]\nbrightness = 1.5', 14, "brightness is 1.5; expected 0.01 to 1"),
        ('"out_of_focus"]', '"text"]\nsoften_px = { uniform = [1, 20] }', 14, "expected 0 to 10"),
        ('"out_of_focus"]', '"text"]\nmix_colours = 1', 14, "mix_colours"),
        ('"noise.iso"', '"nois.iso"', 15, "did you mean 'noise'"),
        ("[50, 900]", "[900, 50]", 15, "two numbers, the lower first"),
        ("[50, 900]", "[0, 50]", 15, "noise.iso"),
        ("[50, 900]", "[-50, 900]", 15, "noise.iso"),
        ("log_uniform = [50", "normal = [50", 15, "one of uniform, log_uniform, whole, one_of"),
        ("[50, 900]", "[50, 70, 900]", 15, "two numbers"),
        (
            'profile = "psnr-alone"',
            'profile = "raim-2025"',
            20,
            "profile is 'raim-2025'; did you mean 'raim-2024'? expected one of",
        ),
        ('profile = "psnr-alone"', "l1 = 0", 20, "the loss has no term"),
        (
            'profile = "psnr-alone"',
            "niqe = 1.0",
            22,
            "patch_px is 32; with NIQE in the loss it must be at least",
        ),
        ("steps = 7", "steps = 0", 23, "steps"),
        ("steps = 7", "", 0, "has no 'steps'"),
        ("batch = 2", "batch = 2.5", 24, "batch"),
        ("batch = 2", "learning_rate = nan", 24, "learning_rate is nan; expected a number from 0 to 1"),
        ("batch = 2", 'precision = "64"', 24, "precision is '64'"),
        ("crop_px = 200", "crop_px = 100", 32, "crop_px is 100; expected a whole number from 200"),
        ("every_steps = 4", "evry_steps = 4", 33, "did you mean 'every_steps'?"),
        ('pairs = "pairs"', 'pairs = "pairs"\nphotographs = "x"', 0, "names either photographs or pairs"),
        ('pairs = "pairs"', 'pairs = "pairs"\npresets = ["text"]', 0, "pairs are taken as they are"),
        ("[50, 900] }", '[50, 900] }\n[[data]]\npairs = "p"\nweight = 0', 19, "weight is 0"),
    ],
)
def test_every_fault_is_reported_with_its_line(tmp_path, old, new, line, message):
    said = fault_of(tmp_path, swap(old, new))
    assert message in said
    assert f"mine.toml:{line}" in said or not line, said


def test_all_faults_are_listed_at_once(tmp_path):
    text = (
        swap("steps = 7", "steps = 0")
        .replace("channels = 8", "chanels = 8")
        .replace("count = 1", "count = 0")
    )
    lines = fault_of(tmp_path, text).splitlines()
    assert lines[0] == "mine.toml has 3 problems:"
    assert [line.split(":")[1] for line in lines[1:]] == ["8", "23", "31"]


@pytest.mark.parametrize("table", ["data", "schedule", "validation"])
def test_a_missing_table_is_named(tmp_path, table):
    kept = [part for part in RECIPE.split("\n[") if not part.lstrip("[").startswith(table)]
    assert f"[{table}]" in fault_of(tmp_path, "\n[".join(kept))


@pytest.mark.parametrize(
    "text",
    [
        "a = [1",
        "a = 1\na = 2",
        "a = " + "[" * 5000,
        'a = "\ud800"'.encode("utf-16le", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_no_toml_is_reported(tmp_path, text):
    assert "mine.toml is no TOML" in fault_of(tmp_path, text)


def test_a_file_that_is_not_utf8_or_not_there_is_reported(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(RecipeError, match=r"is not UTF-8 \(byte 8\)"):
        read_recipe(str(tmp_path / "latin.toml"))
    with pytest.raises(RecipeError, match="come with raim: denoise-l1, denoise-score"):
        read_recipe(str(tmp_path / "none.toml"))
    with pytest.raises(RecipeError, match="Is a directory"):
        read_recipe(str(tmp_path))


def test_paths_start_at_the_file(tmp_path):
    (tmp_path / "mine.toml").write_text(RECIPE)
    assert read_recipe(str(tmp_path / "mine.toml")).sources[0].pairs == tmp_path / "pairs"


def test_keys_are_set_with_and_without_quotes(tmp_path):
    recipe = read_tiny(
        tmp_path,
        "seed=3",
        "name = other",
        'note="two  words"',
        "model.start=../a.safetensors",
        "loss.score=0.5",
        "loss.profile=raim-2026-hdr",
    )
    assert (recipe.seed, recipe.name, recipe.loss.score) == (3, "other", 0.5)
    assert recipe.model.start == tmp_path / "../a.safetensors"


def test_spaces_in_a_path_that_is_set_are_kept(tmp_path):
    recipe = read_tiny(tmp_path, 'model.start = "a  b/c.safetensors"')
    assert recipe.model.start == tmp_path / "a  b/c.safetensors"
    assert parse_recipe(recipe.text, folder=tmp_path) == recipe


@pytest.mark.parametrize("sign", ["\a", "\x1b", "\x7f", "\udcff"])
def test_a_change_that_a_comment_cannot_hold_is_refused(tmp_path, sign):
    with pytest.raises(RecipeError, match=r"holds a control character or bytes that are no UTF-8"):
        read_tiny(tmp_path, f"note=a{sign}b")


def test_what_was_set_counts_when_the_recipe_of_a_run_is_read_again(tmp_path):
    recipe = read_tiny(tmp_path, "seed=3", "schedule.steps=11")
    assert "# set on the command line: schedule.steps=11" in recipe.text
    assert parse_recipe(recipe.text, folder=tmp_path) == recipe
    assert read_tiny(tmp_path, "seed=3", text=recipe.text) == recipe
    assert read_tiny(tmp_path, "seed=4", text=recipe.text).seed == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps", "sets nothing"),
        ("data.photographs=x", "data is no single table; change the file"),
        ("seed=abc", "seed"),
        ("schedule.stps=1", "did you mean 'steps'"),
    ],
)
def test_a_change_that_sets_nothing_is_refused(tmp_path, change, message):
    with pytest.raises(RecipeError, match=message):
        read_tiny(tmp_path, change)


@pytest.mark.parametrize("name", list_shipped())
def test_shipped_recipes_name_what_exists_and_what_to_expect(name):
    recipe = read_recipe(name)
    stems = {file.rpartition(".")[0] for file in SCIKIT_FILES}
    assert recipe.name == name
    assert recipe.note
    assert recipe.loss.profile in PROFILES
    trained_on = set()
    for source in recipe.sources:
        assert set(source.presets) <= set(PRESETS)
        assert {*source.only, *source.leave_out} <= stems
        trained_on |= set(source.only or stems) - set(source.leave_out)
    assert trained_on.isdisjoint(recipe.validation.source.only)


def test_every_kind_of_draw_stays_within_its_ends(tmp_path):
    rng, size = np.random.default_rng(0), Size(height=300, width=300)
    text = swap(
        '"noise.iso" = { log_uniform = [50, 900] }',
        """"noise.iso" = { uniform = [50, 60] }
"banding.bits" = { whole = [4, 6] }
"compression.quality" = { one_of = [70, 90] }
"blur.none" = 1""",
    ).replace('\n"blur.none" = 1', "")
    camera = read_tiny(tmp_path, text=text).sources[0].camera
    drawn = {name: {each.draw.take(rng, size) for _ in range(50)} for name, each in camera.items()}
    assert all(50 <= value <= 60 for value in drawn["noise.iso"])
    assert drawn["banding.bits"] == {4, 5, 6}
    assert drawn["compression.quality"] == {70, 90}


@pytest.mark.parametrize(
    "key",
    sorted(
        {
            field.name
            for record in (Recipe, ModelChoice, Source, LossChoice, Schedule, Validation)
            for field in dataclasses.fields(record)
        }
        - NOT_KEYS
    ),
)
def test_a_key_of_a_recipe_is_explained(key):
    assert f"\n    {key} = " in DOCS
