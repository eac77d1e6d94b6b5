"""What page functions answer with beside a page: going elsewhere with a word about what was done, and new forms."""

from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from raim.server.actions.logins import typed_key
from raim.server.tokens import name_browser
from raim.server.web.server import WebServer
from raim.server.web.viewers import browser_cookie, is_secure, session_cookie

HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S


def go_to(path: str, *, note: str = "") -> RedirectResponse:
    """Send the browser to another page after something was done.

    Args:
        path: Of our own.
        note: A word of `raim.server.web.notes`.
    """
    joint = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joint}note={note}" if note else path, status_code=303)


def own_path(path: str) -> str:
    """Return a path of our own from what an address says; "/" for anything else.

    Example:
        >>> own_path("/team"), own_path("//example.org/"), own_path("https://example.org")
        ('/team', '/', '/')
    """
    parts = urlsplit(path)
    is_own = (
        not parts.scheme and not parts.netloc and path.startswith("/") and not path.startswith(("//", "/\\"))
    )
    return path if is_own else "/"


def open_browser_session(server: WebServer, token: str, answer: Response, *, login: str) -> Response:
    """Let a response log the browser in, and leave a mark in it by which it is known at the next login."""
    mark = name_browser(server.secret, typed_key(login))
    cookies = {
        session_cookie(server): (token, server.settings.session_hours * HOUR_S),
        browser_cookie(server): (mark, YEAR_S),
    }
    for name, (text, seconds) in cookies.items():
        answer.set_cookie(
            name, text, max_age=seconds, httponly=True, secure=is_secure(server), samesite="lax", path="/"
        )
    return answer


def close_browser_session(server: WebServer, answer: Response) -> Response:
    """Let a response log the browser out."""
    answer.delete_cookie(
        session_cookie(server), path="/", secure=is_secure(server), httponly=True, samesite="lax"
    )
    return answer
