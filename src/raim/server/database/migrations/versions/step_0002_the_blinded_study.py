"""the blinded study."""

import sqlalchemy as sa
from alembic import op

from raim.server.database.columns import UtcDateTime
from raim.server.database.migrations.unchanging import keep_unchanged

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go to this version; the way back is a backup."""
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("challenge_id", sa.Integer(), nullable=False),
        sa.Column("phase_id", sa.Integer(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("instructions", sa.String(), nullable=False),
        sa.Column("min_width", sa.Integer(), nullable=False),
        sa.Column("min_height", sa.Integer(), nullable=False),
        sa.Column("is_simulated", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("revealed_at", UtcDateTime(), nullable=True),
        sa.Column("discarded_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'closed', 'revealed', 'discarded')", name=op.f("ck_study_state")
        ),
        sa.CheckConstraint("min_width > 0 AND min_height > 0", name=op.f("ck_study_min_size")),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenge.id"], name=op.f("fk_study_challenge_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_set.id"], name=op.f("fk_study_data_set_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["phase.id"], name=op.f("fk_study_phase_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
    )
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_challenge_id"), ["challenge_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_data_set_id"), ["data_set_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_phase_id"), ["phase_id"], unique=False)

    op.create_table(
        "judge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("is_preview", sa.Boolean(), nullable=False),
        sa.Column("invited_at", UtcDateTime(), nullable=False),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("instructed_at", UtcDateTime(), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("excluded_at", UtcDateTime(), nullable=True),
        sa.Column("excluded_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(excluded_at IS NULL) = (excluded_reason IS NULL)", name=op.f("ck_judge_excluded")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_judge_number")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_judge_study_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judge")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_judge_study_id_number")),
    )
    op.create_table(
        "study_image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("pack_sha256", sa.String(length=64), nullable=True),
        sa.Column("pack_bytes", sa.BigInteger(), nullable=True),
        sa.Column("pack", sa.JSON(), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_study_image_attempt")),
        sa.CheckConstraint("pack_sha256 IS NULL OR error IS NULL", name=op.f("ck_study_image_error")),
        sa.CheckConstraint(
            "pack_sha256 IS NULL OR length(pack_sha256) = 64", name=op.f("ck_study_image_pack_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["image_id"], ["image.id"], name=op.f("fk_study_image_image_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_study_image_study_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_image")),
        sa.UniqueConstraint("study_id", "image_id", name=op.f("uq_study_image_study_id_image_id")),
    )
    with op.batch_alter_table("study_image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_image_image_id"), ["image_id"], unique=False)

    op.create_table(
        "judge_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("judge_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("length(token_sha256) = 64", name=op.f("ck_judge_link_token_sha256")),
        sa.ForeignKeyConstraint(
            ["judge_id"], ["judge.id"], name=op.f("fk_judge_link_judge_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judge_link")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_judge_link_token_sha256")),
    )
    with op.batch_alter_table("judge_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judge_link_judge_id"), ["judge_id"], unique=False)

    op.create_table(
        "screen_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("judge_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("is_fine", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["judge_id"], ["judge.id"], name=op.f("fk_screen_check_judge_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screen_check")),
    )
    with op.batch_alter_table("screen_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_screen_check_judge_id"), ["judge_id"], unique=False)

    op.create_table(
        "study_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("left_out_reason", sa.String(), nullable=True),
        sa.Column("left_out_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(left_out_at IS NULL) = (left_out_reason IS NULL)", name=op.f("ck_study_entry_left_out")
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_study_entry_study_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_study_entry_submission_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_entry")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_study_entry_study_id_code")),
        sa.UniqueConstraint("study_id", "submission_id", name=op.f("uq_study_entry_study_id_submission_id")),
    )
    with op.batch_alter_table("study_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_entry_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "tie",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("judge_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["judge_id"], ["judge.id"], name=op.f("fk_tie_judge_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_tie_team_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tie")),
        sa.UniqueConstraint("judge_id", "team_id", name=op.f("uq_tie_judge_id_team_id")),
    )
    with op.batch_alter_table("tie", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tie_team_id"), ["team_id"], unique=False)

    op.create_table(
        "trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("judge_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("study_image_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("tiles", sa.JSON(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(part = 'training') = (kind = 'training')", name=op.f("ck_trial_part")),
        sa.CheckConstraint("kind IN ('training', 'counted', 'repeat', 'trap')", name=op.f("ck_trial_kind")),
        sa.CheckConstraint("position > 0", name=op.f("ck_trial_position")),
        sa.ForeignKeyConstraint(
            ["judge_id"], ["judge.id"], name=op.f("fk_trial_judge_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["study_image_id"], ["study_image.id"], name=op.f("fk_trial_study_image_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial")),
        sa.UniqueConstraint("judge_id", "part", "position", name=op.f("uq_trial_judge_id_part_position")),
        sa.UniqueConstraint("key", name=op.f("uq_trial_key")),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_study_image_id"), ["study_image_id"], unique=False)

    op.create_table(
        "vote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("ratings", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cast_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_vote_seconds")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_vote_sequence")),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trial.id"], name=op.f("fk_vote_trial_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("trial_id", "sequence", name=op.f("uq_vote_trial_id_sequence")),
    )

    keep_unchanged("vote")
