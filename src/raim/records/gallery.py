"""The gallery of results."""

from raim.records.record import Record


class GalleryEntry(Record):
    """A team's submission in the gallery."""

    submission_id: int
    team: str


class Gallery(Record):
    """One image, as every team has restored it; without an image there is nothing to show yet."""

    phase: str
    entries: list[GalleryEntry]
    image: str | None
    scenario: str
    before: str | None
    after: str | None
    n_images: int
