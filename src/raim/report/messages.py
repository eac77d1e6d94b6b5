"""Warnings and notes of a score table, collected so that a thousand equal ones are one line."""

from dataclasses import dataclass

from raim.scoring.records import ScoreTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """One text, the entry it is about, and the images that carry it (none for a note about the whole entry)."""

    entry: str
    text: str
    images: tuple[str, ...] = ()


def collect_warnings(table: ScoreTable) -> tuple[Collected, ...]:
    """Collect the images' warnings by entry and text, in the order of first occurrence.

    Example:
        >>> from raim.scoring import PROFILES, EntryScore, ImageScore
        >>> images = [ImageScore(name=name, values={}, warnings=("flat",)) for name in ("0001", "0002")]
        >>> entry = EntryScore(name="alpha", images=tuple(images))
        >>> table = ScoreTable(profile=PROFILES["raim-2024"], entries=(entry,), raim_version="1")
        >>> collect_warnings(table)[0].images
        ('0001', '0002')
    """
    found: dict[tuple[str, str], list[str]] = {}
    for entry in table.entries:
        for image in entry.images:
            for text in image.warnings:
                found.setdefault((entry.name, text), []).append(image.name)
    return tuple(
        Collected(entry=entry, text=text, images=tuple(images)) for (entry, text), images in found.items()
    )


def collect_notes(table: ScoreTable) -> tuple[Collected, ...]:
    """Collect what was found in the entries' folders beside the images."""
    return tuple(Collected(entry=entry.name, text=text) for entry in table.entries for text in entry.notes)
