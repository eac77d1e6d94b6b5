"""Log lines: text for people or JSON for programs, each with the id of the request that it is of."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]
REQUEST_ID: ContextVar[str] = ContextVar("raim_request_id", default="")
REQUESTS = logging.getLogger("raim.requests")  # a line for each request, where lines are JSON


class TextLines(logging.Formatter):
    """A line of text; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line, with the request's id at its end."""
        request_id = REQUEST_ID.get()
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")


class JsonLines(logging.Formatter):
    r"""One JSON object a line, whatever stands in the message; `facts` of a record are fields of their own.

    Example:
        >>> record = logging.LogRecord("raim", logging.WARNING, "", 0, "a line%send", ("\n",), None)
        >>> json.loads(JsonLines().format(record))["message"]
        'a line\nend'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            **getattr(record, "facts", {}),
            "traceback": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in line.items() if value != ""}, ensure_ascii=False)


class Once(logging.Filter):
    """Lets the traceback of an error pass once: we log a bug with its route, and the web server below does so again."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is to be written."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        this = record.name, record.created  # the same line comes to each handler
        first = error.__dict__.setdefault("raim_logged", this)
        return bool(first == this)


def set_up_logs(log_format: LogFormat) -> None:
    """Write warnings and errors of this process to stderr; as JSON, a line for each request too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(Once())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    if log_format == "json":
        REQUESTS.setLevel(logging.INFO)
