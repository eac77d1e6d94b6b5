"""A static gallery of results for any web space: an index, a page for each photograph, the teams' own files.

Every address is relative and nothing is loaded from elsewhere; it opens from a disk as well. The one script moves the
slider; without it all pictures stand side by side.
"""

import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raim.errors import InputError
from raim.files import make_folder, place_file
from raim.images import encode_image, inspect_image, read_image
from raim.processes import OnProgress
from raim.report.closed.material import (
    SIMULATED,
    Failures,
    ImageMaterial,
    Material,
    PictureSource,
    attempt,
)
from raim.report.crop import show_pixels, shrink
from raim.report.pages import load_template, read_asset, write_page

FOLDER = "gallery"
THUMBNAIL_PX = 320
THUMBNAIL_QUALITY = 80
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}
SHOWN_BY_BROWSERS = frozenset({".png", ".jpg", ".webp"})
# From a disk 'self' is nothing in some browsers, so files beside the page are named by their scheme as well.
OWN = "'self' file:"
POLICY = f"default-src 'none'; img-src {OWN} data:; style-src {OWN}; script-src {OWN}; base-uri 'none'"
CANNOT_BE_READ = "cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class PagePicture:
    """A picture on a page.

    Attributes:
        name: "Input", or the team.
        file: From the gallery's folder; "" if it is missing.
        why: Why it is missing.
        rank: Of the team; None for the input and for teams without one.
    """

    name: str
    file: str
    why: str = ""
    rank: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """The page of a photograph.

    Attributes:
        image: The photograph.
        page: File name of the page.
        thumbnail: File of its small copy, from the gallery's folder.
        width: Of the small copy.
        height: Of the small copy.
        shown: The input and every team, best first.
    """

    image: ImageMaterial
    page: str
    thumbnail: str
    width: int
    height: int
    shown: tuple[PagePicture, ...]


def write_gallery(
    material: Material,
    out: Path,
    failures: Failures,
    *,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Path:
    """Write the gallery into the folder `gallery`; one photograph is in memory at a time.

    Args:
        material: Its pictures are read.
        out: Where the folder is made.
        failures: Pictures that cannot be read are added here; a photograph whose input is one of them has no page.
        on_progress: Called with (photographs done, in all).

    Returns:
        The index.

    Raises:
        InputError: There are no pictures, or a file cannot be written.
    """
    source = material.pictures
    if source is None or not source.images:
        raise InputError(
            "there are no pictures for a gallery: a server's study has them, or a folder images/ (docs/report.md)"
        )
    folder = make_folder(out / FOLDER)
    for name in ("closed_gallery.css", "closed_gallery.js"):
        place_file(folder / name.removeprefix("closed_"), read_asset(name).encode())
    names = safe_names([image.name for image in source.images], taken={"index"})
    leaves: list[Leaf] = []
    for place, image in enumerate(source.images):
        on_progress(place, len(source.images))
        leaf = _write_leaf(material, source, folder, image, safe=names[image.name], failures=failures)
        leaves += [] if leaf is None else [leaf]
    for place, leaf in enumerate(leaves):
        _render(
            material,
            folder / leaf.page,
            "closed_gallery_image.html.jinja",
            leaf=leaf,
            before=leaves[place - 1] if place else None,
            after=leaves[place + 1] if place + 1 < len(leaves) else None,
        )
    issues = sorted({leaf.image.issue for leaf in leaves})
    by_issue = [(issue, [leaf for leaf in leaves if leaf.image.issue == issue]) for issue in issues]
    index = folder / "index.html"
    _render(material, index, "closed_gallery.html.jinja", by_issue=by_issue)
    on_progress(len(source.images), len(source.images))
    return index


def safe_names(names: list[str], *, taken: Iterable[str] = ()) -> dict[str, str]:
    """Give each name a different one that is safe in paths and addresses anywhere.

    Args:
        names: Any.
        taken: Names in lower case that are in use already.

    Example:
        >>> safe_names(["0001", "../0001", "Zoë"])
        {'0001': '0001', '../0001': '0001-2', 'Zoë': 'Zo'}
    """
    found: dict[str, str] = {}
    used = set(taken)
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60] or "image"
        safe, number = stem, 1
        while safe.lower() in used:
            number += 1
            safe = f"{stem}-{number}"
        used.add(safe.lower())
        found[name] = safe
    return found


def _write_leaf(
    material: Material,
    source: PictureSource,
    folder: Path,
    image: ImageMaterial,
    *,
    safe: str,
    failures: Failures,
) -> Leaf | None:
    read_input = functools.partial(source.read_input, image.name)
    what = f"the input of {image.name}"
    thumbnail = attempt(
        lambda: shrink(show_pixels(read_image(read_input(), purpose="restore")), THUMBNAIL_PX), what, failures
    )
    if thumbnail is None:
        return None
    place = make_folder(folder / "images" / safe)
    place_file(place / "thumbnail.webp", _as_webp(thumbnail))
    ranks = {row.team: row.rank for row in material.ranking.rows}
    shown = [_keep(read_input, folder, f"images/{safe}/input", what, failures, name="Input")]
    for number, team in enumerate(material.ranked_teams, start=1):
        find = functools.partial(source.read_restored, team, image.name)
        kept = _keep(
            find, folder, f"images/{safe}/team{number:02d}", f"{image.name} of {team}", failures, name=team
        )
        why = CANNOT_BE_READ if team in source.unreadable else kept.why
        shown.append(replace(kept, why=why, rank=ranks.get(team)))
    return Leaf(
        image=image,
        page=f"{safe}.html",
        thumbnail=f"images/{safe}/thumbnail.webp",
        width=thumbnail.shape[1],
        height=thumbnail.shape[0],
        shown=tuple(shown),
    )


def _keep(
    find: Callable[[], bytes | None], folder: Path, stem: str, what: str, failures: Failures, *, name: str
) -> PagePicture:
    """Copy a file as it is; what no browser shows is brought along as PNG."""

    def read() -> tuple[bytes, str] | None:
        content = find()
        if content is None:
            return None
        suffix = SUFFIXES[inspect_image(content).format]
        if suffix not in SHOWN_BY_BROWSERS:
            return encode_image(read_image(content, purpose="restore").pixels, ".png"), ".png"
        return content, suffix

    found = attempt(read, what, failures)
    if found is None:
        return PagePicture(name=name, file="", why=CANNOT_BE_READ if what in failures else "not handed in")
    content, suffix = found
    place_file(folder / f"{stem}{suffix}", content)
    return PagePicture(name=name, file=f"{stem}{suffix}")


def _as_webp(pixels: Any) -> bytes:
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "WEBP", quality=THUMBNAIL_QUALITY)
    return held.getvalue()


def _render(material: Material, path: Path, template: str, **context: Any) -> None:
    words: Mapping[str, Any] = {
        "material": material,
        "simulated": SIMULATED if material.is_simulated else "",
        "policy": POLICY,
        **context,
    }
    write_page(path, str(load_template(template).render(**words)))
