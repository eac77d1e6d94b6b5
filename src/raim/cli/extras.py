"""Say which extra a command needs, before it fails half-way."""

import importlib.util

from raim.errors import MissingExtraError


def need_extra(extra: str, *modules: str) -> None:
    """Refuse a command whose extra is not installed.

    Raises:
        MissingExtraError: One of the modules is not there; the message has the command that installs it.

    Example:
        >>> need_extra("server", "json")
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"this command needs {', '.join(missing)}; install it with: pip install 'raim[{extra}]'"
        )
