"""The check of a judge's screen: what is too little to judge on, said in words; every check is kept."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.records.judging import ScreenFacts
from raim.server.database import Judge, ScreenCheck, Study

LEAST_COLOUR_DEPTH = 24  # bits a pixel


def screen_faults(study: Study, facts: ScreenFacts) -> tuple[str, ...]:
    """Return what keeps a judge from voting on this screen; empty if nothing does."""
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
    session: Session, now: datetime, study: Study, judge: Judge, facts: ScreenFacts
) -> ScreenCheck:
    """Keep the check of a judge's screen."""
    faults = screen_faults(study, facts)
    row = ScreenCheck(
        judge_id=judge.id,
        checked_at=now,
        is_fine=not faults,
        why="; ".join(faults),
        facts=facts.model_dump(mode="json"),
    )
    session.add(row)
    judge.seen_at = now
    return row


def newest_screen(session: Session, judge: Judge) -> ScreenCheck | None:
    """Return the check that counts."""
    found = select(ScreenCheck).where(ScreenCheck.judge_id == judge.id).order_by(ScreenCheck.id.desc())
    return session.scalar(found.limit(1))
