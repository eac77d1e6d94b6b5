"""The records of who makes a challenge possible, and of what can be won."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Organiser:
    """Somebody who runs the challenge, as its page says.

    Attributes:
        name: Of the person or group.
        affiliation: University, company.
        url: Web page.
    """

    name: str
    affiliation: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sponsor:
    """Somebody who supports the challenge, as its page says.

    Attributes:
        name: Of the sponsor.
        url: Web page.
        text: A sentence about it.
    """

    name: str
    url: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Award:
    """A distinction; awards are given down the final ranking in the order of the file.

    Attributes:
        id: How prizes name it.
        name: As certificates say.
        places: How many teams get it.
    """

    id: str
    name: str
    places: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Prize:
    """Something to be won.

    Attributes:
        name: What it is.
        award: Id of the award that comes with it; "" if it goes by its text.
        sponsor: Name of the sponsor who gives it; "" for the organisers.
        text: More about it.
    """

    name: str
    award: str = ""
    sponsor: str = ""
    text: str = ""
