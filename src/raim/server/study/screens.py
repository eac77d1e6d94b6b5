"""The check of a judge's screen: what is too little to judge on, said in words; every check is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Judge, ScreenCheck, Study

LEAST_COLOUR_DEPTH = 24  # bits a pixel


@dataclass(frozen=True, kw_only=True, slots=True)
class ScreenFacts:
    """What the judge's page found out.

    Attributes:
        window_width: Of the page, CSS pixels.
        window_height: Of the page, CSS pixels.
        screen_width: Of the whole screen, CSS pixels.
        screen_height: Of the whole screen, CSS pixels.
        pixel_ratio: Device pixels of one CSS pixel.
        zoom_percent: Of the browser, as far as it can be told.
        colour_depth: Bits a pixel.
        gamut: "srgb", "p3", "rec2020" or "".
        has_mouse: Whether something points finely; phones and tablets alone have nothing that does.
        dark_patches: How many of the dark patches were seen, and how many there are.
        bright_patches: The same for the bright patches.
        colours_right: Whether the odd colours were found.
    """

    window_width: int
    window_height: int
    screen_width: int
    screen_height: int
    pixel_ratio: float
    zoom_percent: int | None
    colour_depth: int
    gamut: str = ""
    has_mouse: bool = True
    dark_patches: tuple[int, int] = (0, 0)
    bright_patches: tuple[int, int] = (0, 0)
    colours_right: bool = True


def screen_faults(study: Study, facts: ScreenFacts) -> tuple[str, ...]:
    """Say what keeps a judge from voting on this screen; empty if nothing does."""
    faults = []
    if not facts.has_mouse:
        faults.append(
            "this looks like a phone or a tablet: differences between candidates are a few pixels wide and cannot be "
            "judged on it; open your link on a computer with a mouse or a touch pad"
        )
    if facts.window_width < study.min_width or facts.window_height < study.min_height:
        faults.append(
            f"the window is {facts.window_width}x{facts.window_height}, at least {study.min_width}x{study.min_height} "
            "are needed; make the window larger (F11), or use a larger screen"
        )
    if facts.zoom_percent is not None and facts.zoom_percent != 100:
        faults.append(
            f"the browser is zoomed to {facts.zoom_percent} %; set it to 100 % (Ctrl+0, on a Mac Cmd+0), so that a "
            "pixel of the image is a pixel of the screen"
        )
    if facts.colour_depth < LEAST_COLOUR_DEPTH:
        faults.append(
            f"the screen shows {facts.colour_depth} bits a pixel, at least {LEAST_COLOUR_DEPTH} are needed"
        )
    return tuple(faults)


def record_screen(
    session: Session, now: datetime, study: Study, judge: Judge, facts: ScreenFacts, plain: Mapping[str, Any]
) -> ScreenCheck:
    """Keep the check of a judge's screen."""
    faults = screen_faults(study, facts)
    row = ScreenCheck(
        judge_id=judge.id, checked_at=now, is_fine=not faults, why="; ".join(faults), facts=dict(plain)
    )
    session.add(row)
    judge.seen_at = now
    return row


def newest_screen(session: Session, judge: Judge) -> ScreenCheck | None:
    """Give the check that counts."""
    found = select(ScreenCheck).where(ScreenCheck.judge_id == judge.id).order_by(ScreenCheck.id.desc())
    return session.scalar(found.limit(1))
