"""${message}."""

import sqlalchemy as sa
from alembic import op

from raim.server.database.columns import UtcDateTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Go to this version; the way back is a backup."""
    ${upgrades if upgrades else "pass"}
