"""The photographs of a score page: files are read one photograph at a time, and only crops of them are kept.

All panels of one photograph show the same place, whichever entry they belong to, so entries compare and inputs and
references are embedded once: the place where the shown restorations together differ most from the reference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from raim.errors import ImageError, InputError, SubmissionError
from raim.images import Picture, read_image
from raim.report.cases import Case
from raim.report.crop import Crop, Pixels8, add_differences, choose_crop, scale_to_size, show_pixels, shrink
from raim.scoring.submission import ArchiveMember, ImageFolder, open_images

INPUT_PANEL = "input"
REFERENCE_PANEL = "reference"


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFolders:
    """Where the pictures of a score table lie, and how many of them a page may show.

    Attributes:
        reference: Folder or zip of the references.
        restored: Folder or zip of each entry, by the entry's name in the table.
        inputs: Folder or zip of the inputs; None if they are not at hand.
        per_entry: How many of the worst and of the best images of each entry are shown.
        crop_px: Longest side of what is shown at native pixels.
        max_bytes: Most that all embedded pictures may take; crops get smaller to stay within.
    """

    reference: Path
    restored: Mapping[str, Path]
    inputs: Path | None = None
    per_entry: int = 2
    crop_px: int = 512
    max_bytes: int = 12_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One picture of a photograph: the crop, or the reason why it cannot be shown, and what is to be said of it."""

    pixels: Pixels8 | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPhotograph:
    """All that a page shows of one photograph.

    Attributes:
        name: Its stem.
        width: Of the whole, in pixels.
        height: Of the whole, in pixels.
        crop: Which part of the whole the panels show.
        thumbnail: The whole reference, small.
        differences: Of the shown restorations from the reference within the crop, for a smaller one.
        panels: By "input", "reference" and "restored:" with the entry's name.
    """

    name: str
    width: int
    height: int
    crop: Crop
    thumbnail: Pixels8
    differences: np.ndarray
    panels: Mapping[str, Panel]

    def narrow(self, side_px: int) -> "ShownPhotograph":
        """Cut all panels down to at most `side_px`, to where the restorations differ most."""
        if max(self.crop.width, self.crop.height) <= side_px:
            return self
        inner = choose_crop(self.differences, side_px)
        return ShownPhotograph(
            name=self.name,
            width=self.width,
            height=self.height,
            crop=Crop(
                x=self.crop.x + inner.x, y=self.crop.y + inner.y, width=inner.width, height=inner.height
            ),
            thumbnail=self.thumbnail,
            differences=_cut_values(self.differences, inner),
            panels={key: _cut_panel(panel, inner) for key, panel in self.panels.items()},
        )


def restored_key(entry: str) -> str:
    """Name the panel of an entry's restored image."""
    return f"restored:{entry}"


def read_photographs(cases: Sequence[Case], folders: PictureFolders) -> Iterator[ShownPhotograph]:
    """Read what the cases show, photograph by photograph; one that cannot be read has panels that say why.

    Raises:
        InputError: If an entry of the cases has no folder.
        SubmissionError: If a folder or zip is unsafe or holds no image.
        ImageError: If a reference that was scored cannot be read any more.
    """
    wanted: dict[str, list[str]] = {}
    for case in cases:
        wanted.setdefault(case.image.name, []).append(case.entry)
    unknown = sorted({case.entry for case in cases} - set(folders.restored))
    if unknown:
        raise InputError(
            f"no folder of restored images was given for {', '.join(unknown)}; name one for each"
        )
    references = open_images(folders.reference, allow_links=True, defer_unreadable=True)
    entries = {
        name: open_images(folders.restored[name], allow_links=True, defer_unreadable=True)
        for name in {case.entry for case in cases}
    }
    inputs = None
    if folders.inputs is not None:
        inputs = open_images(folders.inputs, allow_links=True, defer_unreadable=True)
    for name, shown in wanted.items():
        members = {restored_key(entry): entries[entry].get(name) for entry in shown}
        yield _read_photograph(name, references, inputs, members, folders.crop_px)


def _read_photograph(
    name: str,
    references: ImageFolder,
    inputs: ImageFolder | None,
    restored: Mapping[str, ArchiveMember | None],
    crop_px: int,
) -> ShownPhotograph:
    reference = _read_reference(references.get(name), name)
    height, width = reference.shape[:2]
    whole = {key: _read_panel(member, width, height) for key, member in restored.items()}
    differences = add_differences(
        [panel.pixels for panel in whole.values() if panel.pixels is not None], reference
    )
    if inputs is not None:
        whole[INPUT_PANEL] = _read_input(inputs.get(name), width, height)
    whole[REFERENCE_PANEL] = Panel(pixels=reference)
    crop = choose_crop(differences, crop_px)
    return ShownPhotograph(
        name=name,
        width=width,
        height=height,
        crop=crop,
        thumbnail=shrink(reference),
        differences=_cut_values(differences, crop),
        panels={key: _cut_panel(panel, crop) for key, panel in whole.items()},
    )


def _read_reference(member: ArchiveMember | None, name: str) -> Pixels8:
    try:
        return show_pixels(_read(member))
    except (ImageError, SubmissionError) as error:
        raise ImageError(
            f"the reference of {name} cannot be shown any more: {error}; score the folders again"
        ) from error


def _read(member: ArchiveMember | None, *, purpose: Literal["score", "restore"] = "score") -> Picture:
    if member is None:
        raise ImageError("there is no file of this name")
    return read_image(member.read_bytes(), purpose=purpose)


def _read_panel(member: ArchiveMember | None, width: int, height: int) -> Panel:
    try:
        picture = _read(member)
    except (ImageError, SubmissionError) as error:
        return Panel(note=f"cannot be shown: {error}")
    pixels = show_pixels(picture)
    if pixels.shape[:2] != (height, width):
        return Panel(
            note=f"cannot be shown: it is {pixels.shape[1]}x{pixels.shape[0]}, its reference {width}x{height}"
        )
    return Panel(pixels=pixels, note=_depth_note(picture))


def _read_input(member: ArchiveMember | None, width: int, height: int) -> Panel:
    """Inputs may have another size (super-resolution) or a rotation; they are shown, not measured."""
    try:
        picture = _read(member, purpose="restore")
    except (ImageError, SubmissionError) as error:
        return Panel(note=f"cannot be shown: {error}")
    pixels = show_pixels(picture)
    own_height, own_width = pixels.shape[:2]
    if (own_height, own_width) == (height, width):
        return Panel(pixels=pixels, note=_depth_note(picture))
    return Panel(
        pixels=scale_to_size(pixels, width, height),
        note=f"it is {own_width}x{own_height}, brought to {width}x{height} by repeating pixels",
    )


def _depth_note(picture: Picture) -> str | None:
    return "16 bits, shown in 8" if picture.pixels.dtype == np.uint16 else None


def _cut_panel(panel: Panel, crop: Crop) -> Panel:
    return panel if panel.pixels is None else Panel(pixels=crop.cut(panel.pixels), note=panel.note)


def _cut_values(values: np.ndarray, crop: Crop) -> np.ndarray:
    return values[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width].copy()
