"""What routes of the API have in common: which failures they document, and their limit of requests."""

import time
from datetime import timedelta
from typing import Any

from fastapi import Depends

from raim.errors import TooManyRequestsError
from raim.server.web.api.records import Failure
from raim.server.web.context import Admitted

PREFIX = "/api/v1/c/{challenge_id}"
WORDS = {
    400: "It cannot be used",
    401: "Log in, or send a token",
    403: "Not allowed",
    404: "There is no such thing",
    409: "Not possible in the present state",
    413: "Too large",
    422: "Not the expected form",
    429: "Asked too often; see Retry-After",
    503: "Not there yet, or away for a moment; see Retry-After",
    507: "No room left",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": words} for status, words in WORDS.items()
}


def limit_rate(context: Admitted) -> None:
    """Take one request out of the asker's bucket.

    Raises:
        TooManyRequestsError: It is empty.
    """
    buckets = context.request.app.state.buckets
    name = f"user {context.viewer.user_id}" if context.viewer.is_user else f"address {context.address}"
    wait = buckets.wait(name, time.monotonic())
    if wait:
        raise TooManyRequestsError(
            f"asked too often; {buckets.per_minute:g} requests a minute are answered",
            retry_at=context.now + timedelta(seconds=wait),
        )


LIMITED = [Depends(limit_rate)]
