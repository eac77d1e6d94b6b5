"""Write the next step of migration: `python -m raim.server.database.next_step "what changes"`.

It holds the difference between the tables here and those of a database that has all steps so far.
"""

import sys
from pathlib import Path

from alembic.autogenerate import render_python_code

from raim.errors import StateError
from raim.server.database.engine import open_database
from raim.server.database.migration import FOLDER, find_schema_changes, migrate, scripts


def write_step(message: str) -> Path:
    """Write the next step of migration, to be read and completed (triggers, data) by its author."""
    database = open_database("sqlite://")
    migrate(database.engine)
    with database.engine.connect() as connection:
        changes = find_schema_changes(connection).upgrade_ops
    number = len(list(scripts().walk_revisions())) + 1
    code = "" if changes is None else render_python_code(changes, render_as_batch=True)
    # The template imports our one type of column by its name.
    code = code.replace("raim.server.database.columns.UtcDateTime(timezone=True)", "UtcDateTime()")
    made = scripts().generate_revision(f"s{number:04d}", message, head="head", upgrades=code)
    if made is None:
        raise StateError(f"no step {number} was written; look into {FOLDER}")
    return Path(made.path)


if __name__ == "__main__":
    print(write_step(sys.argv[1]))  # noqa: T201 - its output
