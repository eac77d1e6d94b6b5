"""The sheet of degraded pairs: one page beside them, each pair's middle at native pixels with what was drawn for it.

It refers to the pictures beside it, so it stays small and moves with its folder; it runs no script.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from raim import __version__
from raim.data.camera import Camera, find_preset, flatten_camera
from raim.data.camera.parameters import write_value
from raim.data.camera.stage import Value
from raim.data.degradation import SHEET, Degraded, DegradedPair, file_paths
from raim.report.pages import load_template, read_asset, write_page
from raim.report.policy import write_policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One pair on the sheet.

    Attributes:
        name: Of the pair.
        preset: Of the pair.
        source: File name of the clean photograph.
        input_url: Of the input, relative to the page.
        reference_url: Of the reference.
        input_size: Such as "640 x 480".
        reference_size: The same of the reference.
        drawn: Parameters that differ from a camera without defects, by stage.
    """

    name: str
    preset: str
    source: str
    input_url: str
    reference_url: str
    input_size: str
    reference_size: str
    drawn: tuple[tuple[str, str], ...]


def write_degradation_sheet(degraded: Degraded) -> Path:
    """Write the sheet into the folder of the pairs.

    Args:
        degraded: What `degrade_folder` has made.

    Returns:
        The file.

    Raises:
        InputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = write_degradation_sheet(Degraded(folder=Path(folder), pairs=()))
        ...     page.name, "0 pairs" in page.read_text()
        ('sheet.html', True)
    """
    path = degraded.folder / SHEET
    write_page(path, render_degradation_sheet(degraded))
    return path


def render_degradation_sheet(degraded: Degraded) -> str:
    """Return the text of the page; see `write_degradation_sheet`."""
    style = read_asset("degradation_sheet.css")
    counts = Counter(pair.plan.preset for pair in degraded.pairs)
    cards: dict[str, list[Card]] = {name: [] for name in counts}
    for pair in degraded.pairs:
        cards[pair.plan.preset].append(make_card(pair))
    return load_template("degradation_sheet.html.jinja").render(
        policy=write_policy(style=style, script="", pictures="'self' file:"),
        style=Markup(style),  # noqa: S704 - our own file
        version=__version__,
        n_pairs=len(degraded.pairs),
        seeds=sorted({pair.plan.seed for pair in degraded.pairs}),
        groups=[(find_preset(name), shown) for name, shown in cards.items()],
        left_out=degraded.left_out,
    )


def make_card(pair: DegradedPair) -> Card:
    """Return what the sheet shows of a pair."""
    files = pair.files
    urls = [
        f"{path.parent.name}/{quote(path.name, errors='surrogateescape')}"
        for path in file_paths(Path(), files.name)
    ]
    return Card(
        name=files.name,
        preset=pair.plan.preset,
        source=pair.plan.photograph.path.name,
        input_url=urls[0],
        reference_url=urls[1],
        input_size=f"{files.input_width} × {files.input_height}",  # noqa: RUF001 - a multiplication sign
        reference_size=f"{files.width} × {files.height}",  # noqa: RUF001 - as above
        drawn=describe_camera(pair.plan.camera),
    )


def describe_camera(camera: Camera) -> tuple[tuple[str, str], ...]:
    """List by stage what differs from a camera without defects; seeds are left to the manifest.

    A stage's first parameter says how strong it is, so it is always shown with the others.

    Example:
        >>> from raim.data.camera import Banding
        >>> describe_camera(Camera(banding=Banding(bits=5)))
        (('banding', 'bits 5'),)
    """
    plain = flatten_camera(Camera())
    stages: dict[str, list[str]] = {}
    differing: dict[str, bool] = {}
    for name, value in flatten_camera(camera).items():
        stage, parameter = name.split(".")
        differs = value != plain[name] and parameter != "seed"
        if differs or stage not in stages:
            stages.setdefault(stage, []).append(f"{parameter.replace('_', ' ')} {_show(value)}")
        differing[stage] = differing.get(stage, False) or differs
    return tuple((stage, ", ".join(shown)) for stage, shown in stages.items() if differing[stage])


def _show(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else write_value(value)
