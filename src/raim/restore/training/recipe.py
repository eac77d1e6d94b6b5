"""Recipes: one frozen record for each table of the TOML, and the reading that lists every fault with its line.

The fields of the records are the keys of the file, with their types, ranges and defaults; docs/training.md explains
them. An unknown key is a fault with a hint.
"""

import dataclasses
import importlib.resources
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from raim.challenge.locating import find_line, parse_toml
from raim.challenge.problem import Problem, UnplacedProblem
from raim.challenge.section import LARGEST_INTEGER, Section, name_value
from raim.data.camera import PRESETS, build_camera, draws
from raim.data.camera.draws import Draw
from raim.data.camera.parameters import TYPES
from raim.data.camera.stage import Value
from raim.errors import RaimError, RecipeError
from raim.scoring import PROFILES, find_profile

SCHEMA = 1
SHIPPED = importlib.resources.files("raim.restore.training") / "recipes"
# Names of scikit-image's photographs in place of a folder: they lie in its wheel.
SCIKIT_IMAGE = "scikit-image"
DRAWS = ("uniform", "log_uniform", "whole", "one_of")  # of `raim.data.camera.draws`
# A run's copy of its recipe says the changes in such lines, and they count when it is read again.
MARK = "# set on the command line: "
_STATED = re.compile(rf"^{MARK}(.*\S)\s*$", re.MULTILINE)
_CHANGE = re.compile(r"\s*([a-z_]+(?:\.[a-z_0-9]+)*)\s*=\s*(.*\S)\s*")

Count = Annotated[int, 1, LARGEST_INTEGER]
Weight = Annotated[float, 0, 1e6]
Share = Annotated[float, 0, 1]
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A number that is drawn for each patch; loading processes are sent this.

    Attributes:
        kind: A name of `DRAWS`.
        ends: Lowest and highest value, or the options of "one_of".
    """

    kind: str
    ends: tuple[Value, ...]

    @property
    def draw(self) -> Draw:
        """The distribution.

        Example:
            >>> Drawn(kind="uniform", ends=(0.5, 2.0)).draw.words
            '0.5 to 2'
        """
        drawn: Draw = getattr(draws, self.kind)(*self.ends)
        return drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """What is trained: a halfnet of so many channels and blocks, or what spandrel reads from the file `start`."""

    architecture: Literal["halfnet", "file"] = "halfnet"
    channels: Annotated[int, 8, 512] = 64
    blocks: Annotated[int, 1, 100] = 12
    start: Path | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where patches come from: clean photographs through the camera model, or pairs as they are."""

    photographs: Path | Literal["scikit-image"] | None = None
    pairs: Path | None = None
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    camera: Mapping[str, Drawn | Value] = field(default_factory=dict[str, Drawn | Value])
    shrink: Annotated[int, 1, 16] = 1
    mix_colours: bool = False
    brightness: Annotated[Drawn | float, 0.01, 1] = 1.0
    soften_px: Annotated[Drawn | float, 0, 10] = 0.0
    weight: Annotated[float, 1e-6, 1e6] = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LossChoice:
    """What is made small: the weighted sum of L1, SCORE and single measures of the profile."""

    profile: str = "raim-2024"
    l1: Weight = 1.0
    score: Weight = 0.0
    measures: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    niqe_floor: Annotated[float, 0, 100] = 3.0
    niqe_guard: Annotated[float, 0, 1e3] = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How long and how fast."""

    steps: Annotated[int, 1, 10**9]
    batch: Annotated[int, 1, 4096] = 8
    patch_px: Annotated[int, 16, 4096] = 96
    learning_rate: Share = 5e-4
    final_share: Share = 0.02
    warm_up_steps: Annotated[int, 0, LARGEST_INTEGER] = 50
    weight_decay: Share = 0.0
    clip_norm: Annotated[float, 1e-6, 1e6] = 1.0
    average_decay: Annotated[float, 0, 0.999999] = 0.999
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: Annotated[int, 0, 1024] = 0
    loaders: Annotated[int, 0, 256] = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """What the averaged weights are tried on, scored by `raim.scoring`."""

    source: Source
    count: Annotated[int, 1, 1000] = 4
    # NIQE wants two blocks of 96 pixels, DISTS and LPIPS a few cells of their deepest layer.
    crop_px: Annotated[int, 200, 4096] = 256
    every_steps: Count = 500
    shown: Annotated[int, 1, 16] = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """All that decides what comes out; `text` is the file with the changes of the command line below it."""

    name: str
    note: str = ""
    expect: str = ""
    seed: Annotated[int, 0, LARGEST_INTEGER] = 0
    model: ModelChoice
    sources: tuple[Source, ...]
    loss: LossChoice
    schedule: Schedule
    validation: Validation
    checkpoint_steps: Count = 250
    log_steps: Count = 10
    text: str = ""


def list_shipped() -> tuple[str, ...]:
    """Name the recipes that come with raim.

    Example:
        >>> list_shipped()
        ('denoise-l1', 'denoise-score')
    """
    names = (each.name for each in SHIPPED.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


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
        text = (SHIPPED / f"{name}.toml").read_text("utf-8")
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
    faults: list[UnplacedProblem] = []
    noted = "".join(f"\n{MARK}{change}" for change in added)
    recipe = _read_tables(
        Section(tables, (), folder, faults), text.removeprefix("\ufeff").rstrip() + noted + "\n"
    )
    problems = [
        Problem(file=file_name, line=find_line(lines, fault.path), message=fault.message) for fault in faults
    ]
    found = list(map(str, sorted(problems, key=lambda each: each.line or 0)))
    if len(found) == 1:
        raise RecipeError(found[0])
    if found:
        raise RecipeError("\n  ".join([f"{file_name} has {len(found)} problems:", *found]))
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


def _read_tables(top: Section, text: str) -> Recipe:
    schema = top.whole("schema")
    if "schema" in top.table and schema != SCHEMA:
        top.fail("schema", f"schema is {schema}; this version of raim reads {SCHEMA}")
    parts = top.tables_of("data")
    if not parts:
        top.fail("data", "the recipe names no data; add a table [[data]] with photographs or pairs")
    model, loss = _table(top, "model"), _table(top, "loss")
    schedule, validation = (_table(top, key, is_required=True) for key in ("schedule", "validation"))
    recipe = _read_record(
        top,
        Recipe,
        name=top.identifier("name"),
        sources=tuple(map(_read_source, parts)),
        model=_read_record(model, ModelChoice),
        loss=_read_loss(loss),
        schedule=_read_record(schedule, Schedule),
        validation=_read_record(validation, Validation, source=_read_source(validation)),
        text=text,
    )
    if recipe.model.architecture == "file" and recipe.model.start is None:
        model.fail(
            "architecture", 'architecture "file" needs start: the model file whose architecture is trained'
        )
    for section in (*parts, model, loss, schedule, validation, top):
        section.finish()
    _check_patch(top, recipe)
    return recipe


def _table(top: Section, key: str, *, is_required: bool = False) -> Section:
    """Return a table, an empty one in place of what is missing."""
    if is_required and key not in top.table:
        top.fail(key, f"the recipe has no table [{key}]")
    return top.table_of(key) or Section({}, (key,), top.folder, [])


def _read_record(section: Section, kind: type[Record], **known: object) -> Record:
    """Read the fields of a record that are not known yet, each by its type, its range and its default."""
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]
        if each.name not in known:
            default = None if each.default is dataclasses.MISSING else each.default
            known[each.name] = _read_key(section, each.name, each.type, default)
    return kind(**known)


def _read_key(section: Section, key: str, annotation: Any, default: Any) -> Any:
    kind, *ends = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    if get_origin(kind) is Literal:
        return section.choice(key, kind, default)
    return _READERS[kind](section, key, default, **dict(zip(("low", "high"), ends, strict=False)))


def _read_path(section: Section, key: str, _default: None = None) -> Path | None:
    stated = section.text(key, "")
    return section.folder / stated if stated else None


def _read_source(section: Section) -> Source:
    photographs: Any = _read_path(section, "photographs")
    pairs = _read_path(section, "pairs")
    if bool(photographs) == bool(pairs):
        section.fail(
            "photographs" if photographs else "pairs", f"{section.where}names either photographs or pairs"
        )
    presets = section.texts("presets")
    for name in presets:
        if name not in PRESETS:
            section.fail("presets", f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    if photographs and not presets:
        section.fail("presets", f'{section.where}has no presets of the camera, such as ["denoise"]')
    if pairs and (presets or "camera" in section.table):
        section.fail("pairs", "pairs are taken as they are; presets and camera go with photographs")
    camera: dict[str, Drawn | Value] = {}
    stated = section.take("camera", dict, "a table of stage.parameter = value", {}) or {}
    for name, value in stated.items():
        try:
            camera[name] = _parse_parameter(name, value)
        except (RaimError, TypeError, ValueError) as error:
            section.fail("camera", f"camera: {name} = {name_value(value)}: {error}")
    if section.table.get("photographs") == SCIKIT_IMAGE:
        photographs = SCIKIT_IMAGE
    return _read_record(section, Source, photographs=photographs, pairs=pairs, presets=presets, camera=camera)


def _read_drawn(section: Section, key: str, default: float, *, low: float, high: float) -> Drawn | float:
    """Read a number, or a distribution of it whose ends are within the limits."""
    value = section.take(
        key, (int, float, dict), f"a number, or {{ uniform = [{low:g}, {high:g}] }}", default
    )
    value = default if value is None else value
    try:
        found = _parse_drawn(value, is_real=True) if isinstance(value, dict) else float(value)
        ends = found.ends if isinstance(found, Drawn) else (found,)
        is_possible = all(low <= float(end) <= high for end in ends)
    except (TypeError, ValueError, RaimError) as error:
        section.fail(key, f"{key} = {name_value(value)}: {error}")
        return default
    if not is_possible:
        section.fail(key, f"{key} is {value}; expected {low:g} to {high:g}")
    return found


_READERS: Mapping[Any, Callable[..., Any]] = MappingProxyType(
    {
        bool: lambda section, key, default: section.flag(key, default=default),
        int: Section.whole,
        float: Section.number,
        str: Section.text,
        tuple[str, ...]: Section.texts,
        Path | None: _read_path,
        Drawn | float: _read_drawn,
    }
)


def _parse_parameter(name: str, value: Any) -> Drawn | Value:
    """Make a value or a distribution such as { log_uniform = [50, 1600] }; its ends must be possible."""
    is_real = TYPES.get(name) is float
    if isinstance(value, dict):
        drawn = _parse_drawn(value, is_real=is_real)
        for end in drawn.ends:
            build_camera({name: end})
        return drawn
    value = float(value) if type(value) is int and is_real else value
    build_camera({name: value})
    return value


def _parse_drawn(value: Mapping[str, Any], *, is_real: bool) -> Drawn:
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


def _read_loss(section: Section) -> LossChoice:
    profile = section.choice("profile", PROFILES, "raim-2024")
    weights = {
        measure.name: section.number(measure.name, 0.0, low=0.0, high=1e6)
        for measure in find_profile(profile).measures
        if measure.name in section.table
    }
    measures = MappingProxyType({key: value for key, value in weights.items() if value})
    choice = _read_record(section, LossChoice, profile=profile, measures=measures)
    if not (choice.l1 or choice.score or choice.measures):
        section.fail("l1", "the loss has no term: give l1, score or a measure a weight above 0")
    return choice


def _check_patch(top: Section, recipe: Recipe) -> None:
    """Refuse patches that the loss cannot measure."""
    profile = find_profile(recipe.loss.profile)
    wants_niqe = (recipe.loss.score and "niqe" in profile.columns) or "niqe" in recipe.loss.measures
    least = 96 + 2 * profile.border_px
    if wants_niqe and recipe.schedule.patch_px < least:
        top.fail(
            "schedule",
            f"patch_px is {recipe.schedule.patch_px}; with NIQE in the loss it must be at least {least}: one block of "
            f"96 pixels and the profile's border of {profile.border_px} on each side",
        )
