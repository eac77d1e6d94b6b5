"""The steps of migration, read by Alembic."""
