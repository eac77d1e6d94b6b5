"""That a form was sent from our own page: its token belongs to the session, and the browser says where it comes from.

A request with an API token needs neither: no browser sends such a token by itself.
"""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from raim.errors import AccessError

FIELD = "form_token"
HEADER = "X-CSRF-Token"
# For visitors without a session (to log in, to register): a cookie that only binds form and browser.
VISITOR_COOKIE = "raim_visitor"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def form_token(secret: bytes, holder: str) -> str:
    """Give the token of a session's or visitor's forms.

    Args:
        secret: The server's.
        holder: The session's or the visitor's own random token.

    Example:
        >>> form_token(b"s" * 32, "raim_session_x") == form_token(b"s" * 32, "raim_session_x")
        True
    """
    return hmac.new(secret, b"form:" + holder.encode(), hashlib.sha256).hexdigest()


def check_form_token(secret: bytes, holder: str, given: str) -> None:
    """Refuse a form that is not ours.

    Raises:
        AccessError: The token is missing or another's.
    """
    if not holder or not hmac.compare_digest(form_token(secret, holder).encode(), given.encode()):
        raise AccessError(
            "this form is too old or comes from elsewhere; load the page again and send it once more"
        )


def check_origin(request: Request, public_url: str) -> None:
    """Refuse what another site makes a browser send.

    Raises:
        AccessError: The browser names another site.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise AccessError("this request comes from another site; open the page here and try again")
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = {request.headers.get("host", ""), urlsplit(public_url).netloc}
    if urlsplit(origin).netloc not in own:
        raise AccessError(f"this request comes from {origin}; open the page here and try again")
