"""That a form was sent from our own page: the browser says which site a request comes from.

Every browser of today sends `Sec-Fetch-Site` to a secure address, and `Origin` with each POST of another site to any; a
script can set neither. So forms need no token of their own. A program with an API token is not asked: no browser sends
such a token by itself.

Source: Go's `net/http.CrossOriginProtection`; OWASP, "Cross-Site Request Forgery Prevention", Fetch Metadata.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from raim.errors import AccessError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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
