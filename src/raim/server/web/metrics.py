"""A server's numbers in Prometheus' form: what its processes have counted, and what its database knows.

Names and meanings are a table in docs/deploying.md, which a test compares.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.requests import Request

from raim import __version__
from raim.errors import AccessError
from raim.records.administration import Delays, ServerNumbers
from raim.records.health import Health
from raim.server.web.observation import counted

Values = Iterable[tuple[str, float | None]]


def check_reader(request: Request, token: str) -> None:
    """Let read who sends the token; without one, programs on this machine, and no proxy on it.

    Raises:
        AccessError: It is somebody else.
    """
    if token:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise AccessError("metrics are for who sends the token of RAIM_METRICS_TOKEN")
        return
    is_own_name = request.url.hostname in {"127.0.0.1", "localhost", "::1"}
    is_handed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via"))
    if is_handed_on or not is_own_name or not _is_loopback(request.client.host if request.client else ""):
        raise AccessError("metrics are for programs on this machine; set RAIM_METRICS_TOKEN for others")


def write_metrics(health: Health, numbers: tuple[ServerNumbers, Delays] | None) -> bytes:
    """Return all numbers; without the database's while it is unavailable."""
    return generate_latest(counted()) + generate_latest(_Known(health, numbers))


class _Known(CollectorRegistry):
    """What is known at this moment; a registry, since that is what the library writes out."""

    def __init__(self, health: Health, numbers: tuple[ServerNumbers, Delays] | None) -> None:
        super().__init__()
        self.health, self.numbers = health, numbers

    def collect(self) -> Iterator[Metric]:
        """Yield each number."""
        health = self.health
        parts = [
            (part, float(getattr(health, part) in {"ok", "idle"}))
            for part in ("database", "storage", "workers")
        ]
        yield _gauge("raim_info", "This version of raim.", [(__version__, 1.0)], "version")
        yield _gauge("raim_up", "Whether a part of the server is well, as /health says it.", parts, "part")
        yield _gauge("raim_workers", "Workers that live.", [("", float(health.n_workers))])
        if self.numbers is not None:
            yield from _of_challenges(self.numbers[0])
            yield from _of_queue(*self.numbers)


def _of_challenges(overview: ServerNumbers) -> Iterator[Metric]:
    def of_each(name: str, text: str, field: str) -> Metric:
        values = [(each.id, float(getattr(each, field))) for each in overview.challenges]
        return _gauge(name, text, values, "challenge")

    yield of_each("raim_teams", "Teams of a challenge.", "n_teams")
    yield of_each("raim_submissions", "Submissions of a challenge.", "n_submissions")
    yield of_each("raim_submissions_waiting", "Submissions that wait for check or score.", "n_waiting")
    yield of_each("raim_submissions_failed", "Submissions that failed by a fault of the server.", "n_failed")
    yield of_each("raim_challenge_workers", "Live workers that serve a challenge.", "n_workers")
    kept = [(each.id, float(each.kept.n_bytes)) for each in overview.challenges]
    yield _gauge("raim_kept_bytes", "Bytes that are kept of a challenge.", kept, "challenge")
    problems = float(len(overview.problems))
    yield _gauge(
        "raim_challenges_with_problems", "Challenges with problems in their files.", [("", problems)]
    )


def _of_queue(overview: ServerNumbers, delays: Delays) -> Iterator[Metric]:
    queue = overview.queue
    states = [(state, float(count)) for state, count in queue.states.items()]
    yield _gauge("raim_submission_states", "Submissions in a state.", states, "state")
    yield _gauge(
        "raim_queue_submissions", "Submissions that wait to be scored.", [("", float(queue.n_waiting))]
    )
    yield _gauge("raim_queue_images", "Images still to be scored.", [("", float(queue.images_waiting))])
    yield _gauge(
        "raim_queue_oldest_seconds",
        "Age of the oldest one not done.",
        [("", delays.submission_s)],
    )
    paces = [(each.name, each.seconds_per_image) for each in queue.workers]
    yield _gauge("raim_worker_seconds_per_image", "What an image takes a live worker.", paces, "worker")
    mails = [(state, float(count)) for state, count in delays.mails.items()]
    yield _gauge("raim_mails", "Mails in a state.", mails, "state")
    yield _gauge("raim_mail_late_seconds", "For how long the oldest mail is due.", [("", delays.mail_s)])
    free = [("folder", float(overview.folder_free_bytes)), ("storage", overview.storage_free_bytes)]
    yield _gauge("raim_free_bytes", "Free bytes of a disk.", free, "place")


def _gauge(name: str, text: str, values: Values, label: str = "") -> Metric:
    """Return a number, or one for each value of a label; None is left out."""
    made = GaugeMetricFamily(name, text, labels=[label] if label else [])
    for of, value in values:
        if value is not None:
            made.add_metric([of] if label else [], float(value))
    return made


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
