"""The command `raim`: one module per subcommand, loaded only when that subcommand runs."""

from raim.cli.main import main

__all__ = ["main"]
