from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import func, select

pytest.importorskip("cv2", reason="the extra `demo` is not installed")
pytest.importorskip("pyvips", reason="libvips is not installed")

from raim.data import ManifestRow, read_manifest, write_manifest
from raim.demo import host_demo
from raim.demo.entering import write_entry
from raim.demo.restorers import ENTRIES
from raim.demo.workplace import open_workplace
from raim.images import write_image
from raim.server import database as t
from raim.server.settings import read_settings
from raim.server.study.ballots import collect_ballots
from raim.study import analyse

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def workplace(tmp_path):
    """Make a demo's folder of three small photographs, entered three times."""
    made = open_workplace(tmp_path / "demo")
    rng = np.random.default_rng(1)
    names = ["a", "b", "c"]
    for name in names:
        reference = np.kron(rng.integers(40, 215, (8, 10, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        write_image(made.references / f"{name}.png", reference)
        noisy = np.clip(reference + rng.normal(0, 9, reference.shape), 0, 255).astype(np.uint8)
        write_image(made.inputs / f"{name}.png", noisy)
    write_manifest(
        made.manifest, [ManifestRow(name=name, scenario="noise", width=80, height=64) for name in names]
    )
    manifest = read_manifest(made.manifest)
    for entry in ENTRIES:
        path = made.submissions / f"{entry.file_name}.zip"
        write_entry(entry, path, made.inputs, manifest, clock=lambda: 0.0, on_image=lambda: None)
    return made


def test_the_demo_has_a_finished_study_with_simulated_votes_and_one_that_waits(workplace):
    settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0"}, folder=workplace.folder)
    hosted = host_demo(workplace, settings, profile="raim-2024", note="A test.", now=NOW, clock=lambda: NOW)
    database = hosted.opened.server.database
    with database.reading() as session:
        finished, waiting = session.scalars(select(t.Study).order_by(t.Study.id)).all()
        assert (finished.state, finished.is_simulated) == ("revealed", True)
        assert (waiting.state, waiting.is_simulated) == ("open", False)
        assert (
            session.scalar(select(func.count(t.StudyImage.id)).where(t.StudyImage.pack_sha256.is_(None))) == 0
        )
        entries = session.execute(
            select(t.Phase.slug, func.count(t.Submission.id)).join(t.Submission).group_by(t.Phase.slug)
        )
        assert dict(entries.all()) == {"feedback": 3, "final": 3, "open-round": 3}
        found = analyse(collect_ballots(session, finished), n_draws=50)
    assert found.turnout.is_complete
    best = max(found.entries, key=lambda row: row.points.value)
    assert best.entry == "non-local means"
    database.engine.dispose()
