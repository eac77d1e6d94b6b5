"""Writes docs/server-access.md from the register of routes: `python docs/server_access.py`."""

from pathlib import Path

from raim.server.web.access import Who
from raim.server.web.routes import AREAS
from raim.server.web.routing import REGISTER

DOCUMENT = Path(__file__).with_name("server-access.md")
PEOPLE = ("visitor", "other", "member", "judge", "elsewhere", "organiser", "administrator")
HEAD = """# Who may what

Every route of the server, and what comes of it for seven kinds of people; `python docs/server_access.py` writes it from
the register (`raim.server.web.routing`), where each route says who may use it. A test asks every route as everybody and
compares with this table.

- visitor: without a login. other: a member of another team. member: of the team that the submission or upload in the
  address belongs to. judge, organiser: with those roles in the challenge, in no team. elsewhere: an organiser of
  another challenge. administrator: of the server; whom they let make challenges may use `/admin/uploads` too, for what
  they upload themselves.
- yes: the route's own function answers; dates, approval of the team and what was sent may still refuse (a hidden
  reference is refused by dates). login: a login is asked for. team: a team is asked for. no: for organisers, or
  administrators, only. hidden: as if there were no such thing. link: for a browser that holds a judge's link, whoever
  is logged in there; judges of a blinded study need no account.
- `/metrics` then asks for a token of its own (deploying.md).
- What another site makes a browser send is refused, whoever sends it; a program sends its API token.

"""
OUTCOMES: dict[Who, tuple[str, ...]] = {
    "anyone": ("yes", "yes", "yes", "yes", "yes", "yes", "yes"),
    "user": ("login", "yes", "yes", "yes", "yes", "yes", "yes"),
    "member": ("login", "yes", "yes", "team", "team", "team", "team"),
    "participant": ("login", "yes", "yes", "team", "team", "yes", "yes"),
    "team": ("login", "hidden", "yes", "team", "team", "yes", "yes"),
    "judge": ("link", "link", "link", "link", "link", "link", "link"),
    "organiser": ("login", "no", "no", "no", "no", "yes", "yes"),
    "administrator": ("login", "no", "no", "no", "no", "no", "yes"),
    "maker": ("login", "no", "no", "no", "no", "no", "yes"),
}


def make_table() -> dict[tuple[str, str], tuple[str, ...]]:
    """Give what comes of each route for each of `PEOPLE`, by method and address."""
    return {
        (REGISTER[route.name].method, route.path): OUTCOMES[REGISTER[route.name].who]
        for area in AREAS
        for router in area.routers
        for route in router.routes
    }


def make_document() -> str:
    """Give the document, its rows by address."""
    rows = sorted(make_table().items(), key=lambda row: row[0][::-1])
    lines = [f"| method | address | {' | '.join(PEOPLE)} |", "|---" * (2 + len(PEOPLE)) + "|"]
    lines += [f"| {method} | `{path}` | {' | '.join(said)} |" for (method, path), said in rows]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(make_document(), encoding="utf-8")
