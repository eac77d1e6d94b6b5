"""A trigger for tables whose rows are written once."""

from alembic import op
from sqlalchemy import inspect


def keep_unchanged(table: str, *, forgets: str = "") -> None:
    """Let no row of a table be changed; whole rows can still be deleted, with an account or a challenge.

    The column `forgets` may be emptied, since what it holds may not be kept for good.
    """
    bind = op.get_bind()
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
    if bind.dialect.name != "sqlite":
        op.execute(
            f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'rows of {table} are never changed'; END $$"
        )
        refuse = f"EXECUTE FUNCTION {table}_refuse_change()"
    kept = ", ".join(each["name"] for each in inspect(bind).get_columns(table) if each["name"] != forgets)
    changes = {"is_unchanged": f"OF {kept} ON {table} FOR EACH ROW"}
    if forgets:
        changes["only_forgets"] = f"OF {forgets} ON {table} FOR EACH ROW WHEN (NEW.{forgets} IS NOT NULL)"
    for name, change in changes.items():
        op.execute(f"CREATE TRIGGER {table}_{name} BEFORE UPDATE {change} {refuse}")
