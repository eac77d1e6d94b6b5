"""What a server says when it refuses or fails."""

from raim.records.record import Record


class Fault(Record):
    """What went wrong."""

    code: str
    message: str
    problems: tuple[str, ...] = ()


class Failure(Record):
    """Every answer that is not a success."""

    error: Fault
