"""The check: what it decides, what it records, and what a hostile archive cannot do."""

from raim.server.jobs.checking import run_check


def test_a_good_submission_is_queued_with_its_report(world):
    number = world.submit("ada")
    station = world.station()
    assert run_check(station, number, 1) == "queued"
    row = world.read(number)
    assert (row.state, row.attempt, row.lease_owner, row.images_done, row.images_total) == (
        "queued",
        1,
        None,
        2,
        2,
    )
    assert row.report["ok"]
    assert row.report["schema"] == "raim-check/1"
    assert str(world.folder) not in str(row.report)
    assert sorted(row.report["image_sha256"]) == ["0001", "0002"]
    assert row.flags == {}
