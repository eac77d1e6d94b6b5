"""What routes of the API have in common: which failures they document, and their limit of requests."""

from fastapi import Depends

from raim.server.web.context import Admitted
from raim.server.web.failures import FAILURES
from raim.server.web.rate_limit import limit_rate

PREFIX = "/api/v1/c/{challenge_id}"


def _limit(context: Admitted) -> None:
    limit_rate(context)


LIMITED = [Depends(_limit)]
__all__ = ["FAILURES", "LIMITED", "PREFIX"]
