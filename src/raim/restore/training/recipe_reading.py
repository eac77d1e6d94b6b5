"""From the TOML of a recipe to its record; every fault of the file is listed with its line.

One function for each table, which is the list of its keys. An unknown key is a fault with a hint.
"""

import importlib.resources
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from raim.challenge.locating import find_line, parse_toml
from raim.challenge.problem import Fault, Problem
from raim.challenge.section import Section, shown
from raim.data.camera import PRESETS, build_camera
from raim.data.camera.stage import Value
from raim.errors import RaimError, RecipeError
from raim.restore.training.recipe import (
    DRAWS,
    SCIKIT_IMAGE,
    Architecture,
    Drawn,
    LossChoice,
    ModelChoice,
    Precision,
    Recipe,
    Schedule,
    Source,
    Validation,
)
from raim.scoring import PROFILES

SCHEMA = 1
SHIPPED = "recipes"
# A run's copy of its recipe says the changes in such lines, and they count when it is read again.
MARK = "# set on the command line: "
_STATED = re.compile(rf"^{MARK}(.*\S)\s*$", re.MULTILINE)
# NIQE wants two blocks of 96 pixels, DISTS and LPIPS a few cells of their deepest layer.
SMALLEST_VALIDATION_PX = 200
LARGEST_SOFTENING_PX = 10
DARKEST = 0.01
_CHANGE = re.compile(r"\s*([a-z_]+(?:\.[a-z_0-9]+)*)\s*=\s*(.*\S)\s*")


def list_shipped() -> tuple[str, ...]:
    """Name the recipes that come with raim.

    Example:
        >>> list_shipped()
        ('denoise-l1', 'denoise-score')
    """
    folder = importlib.resources.files("raim.restore.training") / SHIPPED
    return tuple(
        sorted(each.name.removesuffix(".toml") for each in folder.iterdir() if each.name.endswith(".toml"))
    )


def read_recipe(name: str, *, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe.

    Args:
        name: Path of a TOML file, or the name of one that comes with raim.
        changes: Keys that are set otherwise, each as `table.key=value` with the value in TOML.

    Raises:
        RecipeError: There is no such file, or it has faults; all are listed.

    Example:
        >>> read_recipe("denoise-l1", changes=["schedule.steps=10"]).schedule.steps
        10
    """
    path = Path(name)
    if name in list_shipped() and not path.is_file():
        text = (importlib.resources.files("raim.restore.training") / SHIPPED / f"{name}.toml").read_text(
            "utf-8"
        )
        return parse_recipe(text, folder=Path(), file_name=f"{name}.toml", changes=changes)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RecipeError(
            f"the recipe {name} cannot be read: {error.strerror}; name a TOML file, or one of those that come with "
            f"raim: {', '.join(list_shipped())}"
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    return parse_recipe(text, folder=path.parent, file_name=str(path), changes=changes)


def parse_recipe(
    text: str, *, folder: Path, file_name: str = "recipe.toml", changes: Sequence[str] = ()
) -> Recipe:
    r"""Make the record of a recipe's text.

    Args:
        text: TOML.
        folder: Where relative paths start.
        file_name: Stands in messages.
        changes: As in `read_recipe`.

    Raises:
        RecipeError: It has faults; all are listed.

    Example:
        >>> parse_recipe("schema = 1\nnmae = 'a'", folder=Path())
        Traceback (most recent call last):
        raim.errors.RecipeError: recipe.toml has ... problems:
        ...
    """
    try:
        tables, lines = parse_toml(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{file_name} is no TOML: {error}") from error
    stated = _STATED.findall(text)
    added = [each for each in map(_to_line, changes) if each not in stated]
    for change in (*stated, *added):
        _apply(change, tables)
    faults: list[Fault] = []
    noted = "".join(f"\n{MARK}{change}" for change in added)
    recipe = _recipe(Section(tables, (), folder, faults), text.removeprefix("\ufeff").rstrip() + noted + "\n")
    if faults:
        found = [
            str(Problem(file=file_name, line=find_line(lines, fault.path), message=fault.message))
            for fault in faults
        ]
        if len(found) == 1:
            raise RecipeError(found[0])
        listed = "\n".join(f"  {each}" for each in found)
        raise RecipeError(f"{file_name} has {len(found)} problems:\n{listed}")
    return recipe


def _to_line(change: str) -> str:
    """Bring a change to the one line that a comment has room for; spaces within are kept, paths have some."""
    line = " ".join(change.splitlines()).strip()
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign != "\t" for sign in line):
        raise RecipeError(f"{line!r} holds a control character or bytes that are no UTF-8; remove them")
    return line


def _apply(change: str, tables: dict[str, Any]) -> None:
    """Set one key; a text may go without its quotes."""
    match = _CHANGE.fullmatch(change)
    if match is None:
        raise RecipeError(f"{change!r} sets nothing; write table.key=value, such as schedule.steps=500")
    *above, key = match[1].split(".")
    try:
        value = tomllib.loads(f"value = {match[2]}")["value"]
    except (ValueError, RecursionError):
        value = match[2]
    table: Any = tables
    for part in above:
        table = table.setdefault(part, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise RecipeError(f"{match[1]} cannot be set: {'.'.join(above)} is no single table; change the file")
    table[key] = value


def _recipe(top: Section, text: str) -> Recipe:
    schema = top.whole("schema")
    if "schema" in top.table and schema != SCHEMA:
        top.fail("schema", f"schema is {schema}; this version of raim reads {SCHEMA}")
    sources = tuple(_source(section) for section in top.tables_of("data"))
    if "data" not in top.table or not sources:
        top.fail("data", "the recipe names no data; add a table [[data]] with photographs or pairs")
    recipe = Recipe(
        name=top.identifier("name"),
        note=top.text("note", ""),
        expect=top.text("expect", ""),
        seed=top.whole("seed", 0, low=0),
        model=_model(_table(top, "model")),
        sources=sources,
        loss=_loss(_table(top, "loss")),
        schedule=_schedule(_table(top, "schedule", is_required=True)),
        validation=_validation(_table(top, "validation", is_required=True)),
        checkpoint_steps=top.whole("checkpoint_steps", 250),
        log_steps=top.whole("log_steps", 10),
        text=text,
    )
    top.finish()
    _check_patch(top, recipe)
    return recipe


def _table(top: Section, key: str, *, is_required: bool = False) -> Section:
    section = top.table_of(key)
    if section is not None:
        return section
    if is_required and key not in top.table:
        top.fail(key, f"the recipe lacks the table [{key}]")
    return Section({}, (key,), top.folder, top.faults if not is_required else [])


def _model(section: Section) -> ModelChoice:
    start = section.text("start", "")
    choice = ModelChoice(
        architecture=section.choice("architecture", Architecture, "halfnet"),
        channels=section.whole("channels", 64, low=8, high=512),
        blocks=section.whole("blocks", 12, high=100),
        start=section.folder / start if start else None,
        layers=section.texts("layers"),
    )
    if choice.architecture == "file" and not start:
        section.fail(
            "architecture", 'architecture "file" needs start: the model file whose architecture is trained'
        )
    section.finish()
    return choice


def _source(section: Section) -> Source:
    photographs, pairs = section.text("photographs", ""), section.text("pairs", "")
    if bool(photographs) == bool(pairs):
        section.fail(
            "photographs" if photographs else "pairs", f"{section.where}names either photographs or pairs"
        )
    presets = section.texts("presets")
    for name in presets:
        if name not in PRESETS:
            section.fail("presets", f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    if photographs and not presets:
        section.fail("presets", f'{section.where}lacks presets of the camera, such as ["denoise"]')
    if pairs and (presets or "camera" in section.table):
        section.fail("pairs", "pairs are taken as they are; presets and camera go with photographs")
    source = Source(
        photographs=_photographs(section.folder, photographs),
        pairs=section.folder / pairs if pairs else None,
        only=section.texts("only"),
        leave_out=section.texts("leave_out"),
        presets=presets,
        camera=_camera(section),
        shrink=section.whole("shrink", 1, high=16),
        mix_colours=section.flag("mix_colours", default=False),
        brightness=_drawn_or_number(section, "brightness", 1.0, low=DARKEST, high=1),
        soften_px=_drawn_or_number(section, "soften_px", 0.0, low=0, high=LARGEST_SOFTENING_PX),
        weight=section.number("weight", 1.0, low=1e-6, high=1e6),
    )
    if not _is_within_validation(section):
        section.finish()
    return source


def _is_within_validation(section: Section) -> bool:
    return section.path[:1] == ("validation",)


def _photographs(folder: Path, stated: str) -> Any:
    if not stated:
        return None
    return SCIKIT_IMAGE if stated == SCIKIT_IMAGE else folder / stated


def _camera(section: Section) -> dict[str, Drawn | Value]:
    table = section.take("camera", dict, "a table of stage.parameter = value", {})
    found: dict[str, Drawn | Value] = {}
    for name, value in (table or {}).items():
        try:
            found[name] = _draw(name, value)
        except (RaimError, TypeError, ValueError) as error:
            section.fail("camera", f"camera: {name} = {shown(value)}: {error}")
    return found


def _drawn_or_number(section: Section, key: str, default: float, *, low: float, high: float) -> Drawn | float:
    """Read a number, or a distribution of it whose ends are within the limits."""
    value = section.take(
        key, (int, float, dict), f"a number, or {{ uniform = [{low:g}, {high:g}] }}", default
    )
    try:
        found = (
            _drawn(value, is_real=True)
            if isinstance(value, dict)
            else float(default if value is None else value)
        )
        ends = found.ends if isinstance(found, Drawn) else (found,)
        is_possible = all(low <= float(end) <= high for end in ends)
    except (TypeError, ValueError, RaimError) as error:
        section.fail(key, f"{key} = {shown(value)}: {error}")
        return default
    if not is_possible:
        section.fail(key, f"{key} is {value}; expected {low:g} to {high:g}")
    return found


def _draw(name: str, value: Any) -> Drawn | Value:
    """Make a value or a distribution such as { log_uniform = [50, 1600] }; its ends must be possible."""
    if not isinstance(value, dict):
        value = float(value) if type(value) is int and _is_real(name) else value
        build_camera({name: value})
        return value
    drawn = _drawn(value, is_real=_is_real(name))
    for end in drawn.ends:
        build_camera({name: end})
    return drawn


def _drawn(value: Mapping[str, Any], *, is_real: bool) -> Drawn:
    """Make a distribution of a table such as { log_uniform = [50, 1600] }."""
    if len(value) != 1 or next(iter(value)) not in DRAWS:
        raise ValueError(f"expected a value, or one of {', '.join(DRAWS)} with an array")
    kind, ends = next(iter(value.items()))
    if not isinstance(ends, list) or not ends or (kind != "one_of" and (len(ends) != 2 or ends[0] > ends[1])):
        raise ValueError(
            f"{kind} takes {'an array' if kind == 'one_of' else 'an array of two numbers, the lower first'}"
        )
    drawn = Drawn(kind=kind, ends=tuple(float(end) if type(end) is int and is_real else end for end in ends))
    _ = drawn.draw  # refuses ends that are not for its kind
    return drawn


def _is_real(name: str) -> bool:
    from raim.data.camera.parameters import TYPES

    return TYPES.get(name) is float


def _loss(section: Section) -> LossChoice:
    name = section.text("profile", "raim-2024")
    if name not in PROFILES:
        section.fail("profile", f"there is no profile {name!r}; there are: {', '.join(PROFILES)}")
    known = [measure.name for measure in PROFILES[name].measures] if name in PROFILES else []
    weights = {key: section.number(key, 0.0, low=0.0, high=1e6) for key in known if key in section.table}
    choice = LossChoice(
        profile=name,
        l1=section.number("l1", 1.0, low=0.0, high=1e6),
        score=section.number("score", 0.0, low=0.0, high=1e6),
        measures=MappingProxyType({key: value for key, value in weights.items() if value}),
        niqe_floor=section.number("niqe_floor", 3.0, low=0.0, high=100.0),
        niqe_guard=section.number("niqe_guard", 1.0, low=0.0, high=1e3),
    )
    if not (choice.l1 or choice.score or choice.measures):
        section.fail("l1", "the loss has no term: give l1, score or a measure a weight above 0")
    section.finish()
    return choice


def _schedule(section: Section) -> Schedule:
    schedule = Schedule(
        steps=section.whole("steps", high=10**9),
        batch=section.whole("batch", 8, high=4096),
        patch_px=section.whole("patch_px", 96, low=16, high=4096),
        learning_rate=section.number("learning_rate", 5e-4, low=0.0, high=1.0),
        final_share=section.number("final_share", 0.02, low=0.0, high=1.0),
        warm_up_steps=section.whole("warm_up_steps", 50, low=0),
        weight_decay=section.number("weight_decay", 0.0, low=0.0, high=1.0),
        clip_norm=section.number("clip_norm", 1.0, low=1e-6, high=1e6),
        average_decay=section.number("average_decay", 0.999, low=0.0, high=0.999999),
        precision=section.choice("precision", Precision, "32-true"),
        threads=section.whole("threads", 0, low=0, high=1024),
        loaders=section.whole("loaders", 0, low=0, high=256),
    )
    section.finish()
    return schedule


def _validation(section: Section) -> Validation:
    validation = Validation(
        source=_source(section),
        count=section.whole("count", 4, high=1000),
        crop_px=section.whole("crop_px", 256, low=SMALLEST_VALIDATION_PX, high=4096),
        every_steps=section.whole("every_steps", 500),
        shown=section.whole("shown", 4, high=16),
    )
    section.finish()
    return validation


def _check_patch(top: Section, recipe: Recipe) -> None:
    """Refuse patches that the loss cannot measure."""
    if recipe.loss.profile not in PROFILES:
        return
    profile = PROFILES[recipe.loss.profile]
    wants_niqe = (recipe.loss.score and "niqe" in profile.columns) or "niqe" in recipe.loss.measures
    least = 96 + 2 * profile.border_px
    if wants_niqe and recipe.schedule.patch_px < least:
        top.fail(
            "schedule",
            f"patch_px is {recipe.schedule.patch_px}; with NIQE in the loss it must be at least {least}: one block of "
            f"96 pixels and the profile's border of {profile.border_px} on each side",
        )
