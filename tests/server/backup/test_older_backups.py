import shutil

import pytest

from raim.errors import StateError
from raim.server.backup import make_backup, recover_backup
from raim.server.database import migration, open_database
from raim.server.database.migration import schema_version
from server_case import NOON

NOW = migration.newest_version()
STEP = '''"""A later step."""
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "NOW"


def upgrade():
    with op.batch_alter_table("team") as batch_op:
        batch_op.add_column(sa.Column("motto", sa.String(80), server_default="onward", nullable=False))
    op.execute("UPDATE team SET motto = name WHERE id = 2")
'''


@pytest.fixture
def later_version(tmp_path, monkeypatch):
    """Let there be a version of raim with a further step of migration."""
    folder = shutil.copytree(
        migration.FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "versions" / "step_next.py").write_text(STEP.replace("NOW", NOW))

    def come():
        monkeypatch.setattr(migration, "FOLDER", folder)

    return come


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_of_an_older_version_is_brought_to_the_newest_schema(
    backup, new_settings, later_version, kind
):
    later_version()
    settings = new_settings(kind)
    assert recover_backup(backup, settings, now=NOON).manifest.schema == NOW
    database = open_database(settings.database_url)
    assert schema_version(database.engine) == "next"
    with database.engine.connect() as connection:
        mottos = connection.exec_driver_sql("SELECT motto FROM team ORDER BY id").scalars().all()
    database.engine.dispose()
    assert mottos == ["onward", "Team bob", "onward"]


def test_a_server_of_an_older_version_is_not_backed_up_by_this_one(make_server, later_version, tmp_path):
    server = make_server()
    later_version()
    with pytest.raises(StateError, match=f"has the schema {NOW}, this version of raim next; use the version"):
        make_backup(server.settings, tmp_path / "out.zip", now=NOON)
