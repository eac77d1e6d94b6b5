import os
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from fake_server import ENDLESS, FakeServer, Reply, refusal
from raim.client import choose, read_submission, submit, wait_for_result, withdraw
from raim.errors import (
    AccessError,
    ContentMismatchError,
    InputError,
    ServerRefusedError,
    ServerUnreachableError,
    StateError,
    StorageFullError,
    TooManyRequestsError,
)


def test_a_file_arrives_whole_in_pieces(fake, server, team_zip):
    reported = []
    submission = submit(
        server,
        team_zip,
        note="our best",
        on_progress=lambda stage, done, total: reported.append((stage, done, total)),
    )
    assert submission.state == "checking"
    assert submission.note == "our best"
    assert bytes(fake.contents[submission.id]) == team_zip.read_bytes()
    assert fake.count("PATCH") == 3
    n_bytes = team_zip.stat().st_size
    for stage in ("hashing", "sending"):
        done = [each[1] for each in reported if each[0] == stage]
        assert done == sorted(done)
        assert done[-1] == n_bytes


def test_a_broken_connection_goes_on_where_the_server_stands(fake, server, team_zip, waits):
    fake.fail("PATCH", "/uploads/", "cut", times=4)
    submission = submit(server, team_zip)
    assert bytes(fake.contents[submission.id]) == team_zip.read_bytes()
    sent = [int(headers["Upload-Offset"]) for method, _, headers in fake.requests if method == "PATCH"]
    assert sent[:5] == [0, 3 * 2**20, 6 * 2**20, 9 * 2**20, 12 * 2**20]
    assert waits == [0.5] * 4  # each of them brought something


def test_an_interrupted_call_goes_on_with_the_same_submission(fake, server, team_zip):
    fake.fail("PATCH", "/uploads/", "cut", times=2)
    fake.fail("PATCH", "/uploads/", refusal(403, "forbidden", "not now"))
    with pytest.raises(AccessError, match="not now"):
        submit(server, team_zip)
    submission = submit(server, team_zip)
    assert submission.id == 1
    assert len(fake.submissions) == 1
    assert bytes(fake.contents[1]) == team_zip.read_bytes()
    assert int(fake.requests[-2][2]["Upload-Offset"]) > 0


def test_a_file_that_is_there_is_not_sent_again_unless_asked(fake, server, small_zip):
    first = submit(server, small_zip)
    reported = set()
    second = submit(server, small_zip, on_progress=lambda stage, _done, _total: reported.add(stage))
    assert (second.id, reported) == (first.id, {"hashing"})
    assert submit(server, small_zip, again=True).id == 2


@pytest.mark.parametrize("change", [{"state": "refused"}, {"phase": "tuning"}, {"kind": "final"}])
def test_a_refused_file_or_one_of_another_phase_is_sent(fake, server, small_zip, change):
    submit(server, small_zip)
    fake.life = []
    fake.submissions[1].update(change)
    assert submit(server, small_zip).id == 2


def test_an_unreachable_server_is_given_up_after_growing_pauses(fake, server, small_zip, waits):
    fake.fail("PATCH", "/uploads/", Reply(502), times=ENDLESS)
    with pytest.raises(ServerRefusedError, match="502") as caught:
        submit(server, small_zip)
    assert (caught.value.status, caught.value.code) == (502, "unknown")
    assert waits == [0.5, 1, 2, 4, 8, 16, 32]


def test_nobody_listening_is_said_so(server, small_zip, waits):
    with FakeServer() as gone:
        url = gone.url
    with pytest.raises(ServerUnreachableError, match="refused"):
        submit(replace(server, url=url), small_zip)
    assert len(waits) == 7


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PATCH"])
def test_retry_after_is_honoured(fake, server, small_zip, waits, method):
    fake.fail(method, "/", refusal(429, "too_many_requests", "too often", Retry_After="7"))
    assert submit(server, small_zip).state == "checking"
    assert waits == [7]


def test_retry_after_may_be_a_date(fake, server, small_zip, waits):
    date = "Sun, 01 Mar 2026 12:00:09 GMT"
    fake.fail("POST", "/", refusal(503, "storage", "later", Retry_After=date))
    submit(server, small_zip)
    assert waits == [9]


def test_a_long_wait_is_the_callers(fake, server, small_zip, waits):
    fake.fail("POST", "/", refusal(429, "too_many_requests", "60 uploads within an hour", Retry_After="1800"))
    with pytest.raises(TooManyRequestsError, match="after 2026-03-01 12:30:00 UTC") as caught:
        submit(server, small_zip)
    assert (caught.value.retry_at - fake.now).total_seconds() == 1800
    assert waits == []


def test_a_wrong_token_says_where_tokens_are_made(fake, server, small_zip):
    fake.token = "raim_api_other"  # noqa: S105 - of a test
    with pytest.raises(AccessError, match="takes no token as yours: make one on your account's page"):
        submit(server, small_zip)


def test_a_passed_deadline_is_reported_with_the_servers_reason(fake, server, small_zip, waits):
    fake.fail("POST", "/", refusal(409, "not_possible", "Feedback closed on 2026-03-10"))
    with pytest.raises(StateError, match="Feedback closed on 2026-03-10"):
        submit(server, small_zip)
    assert waits == []


def test_an_upload_that_ends_after_the_deadline_is_reported(fake, server, small_zip, waits):
    def abandon(handler):
        fake.submissions[1]["state"] = "withdrawn"
        handler.reply(refusal(409, "not_possible", "the upload ended after the deadline and its grace"))

    fake.fail("PATCH", "/", abandon)
    with pytest.raises(StateError, match="ended after the deadline"):
        submit(server, small_zip)
    assert waits == []


def test_an_earlier_request_that_still_has_the_upload_is_waited_for(fake, server, small_zip, waits):
    fake.fail("PATCH", "/", refusal(409, "not_possible", "another request still sends"), times=2)
    assert submit(server, small_zip).state == "checking"
    assert waits == [0.5, 1]


def test_a_lost_last_answer_is_asked_for_again(fake, server, small_zip):
    def finish_silently(handler):
        fake.contents[1] += small_zip.read_bytes()
        handler.close_connection = True

    fake.fail("PATCH", "/", finish_silently)
    assert submit(server, small_zip).state == "checking"
    assert fake.requests[-2][0] == "PATCH"
    assert fake.requests[-2][2]["Content-Length"] == "0"


def test_a_file_damaged_on_its_way_is_sent_again(fake, server, small_zip):
    def damage(handler):
        handler.reply(refusal(409, "content_mismatch", "the SHA-256 of what was sent is another"))

    fake.fail("PATCH", "/", damage, times=2)
    assert submit(server, small_zip).state == "checking"
    fake.fail("PATCH", "/", damage, times=3)
    with pytest.raises(ContentMismatchError, match="SHA-256"):
        submit(server, small_zip, again=True)


def test_a_file_that_changes_while_it_is_sent_takes_no_try(fake, server, team_zip):
    def change(_stage, done, _total):
        if _stage == "sending" and done > 9 * 2**20:
            os.utime(team_zip, (time.time(), 1))

    with pytest.raises(InputError, match="changed while it was being sent"):
        submit(server, team_zip, on_progress=change)
    assert fake.submissions[1]["state"] == "withdrawn"
    assert fake.count("DELETE", "/uploads/1") == 1


def test_a_file_that_shrinks_while_it_is_sent_is_no_hanging(fake, server, team_zip):
    def shrink(stage, _done, _total):
        if stage == "sending":
            with team_zip.open("r+b") as file:
                file.truncate(1000)

    with pytest.raises(InputError, match="changed while it was being sent"):
        submit(server, team_zip, on_progress=shrink)
    assert fake.submissions[1]["state"] == "withdrawn"


@pytest.mark.parametrize("content", [None, b""])
def test_no_file_and_an_empty_one_are_refused_before_asking(fake, server, tmp_path, content):
    path = tmp_path / "a.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.zip (cannot be read|is empty)"):
        submit(server, path)
    assert fake.requests == []


def test_a_full_server_is_not_asked_again(fake, server, small_zip, waits):
    fake.fail("POST", "/", refusal(507, "storage_full", "no room; the organiser has to make some"))
    with pytest.raises(StorageFullError, match="no room"):
        submit(server, small_zip)
    assert waits == []


def test_the_file_goes_to_no_other_server(fake, server, small_zip):
    place = {"url": "https://elsewhere.example.org/uploads/1", "offset": 0}
    fake.fail("POST", "/", Reply(201, {"submission": fake.add(), "upload": place}))
    with pytest.raises(ServerRefusedError, match="which is another server"):
        submit(server, small_zip)


def test_waiting_tells_every_change_once(fake, server, small_zip, waits):
    fake.life.insert(2, {"state": "queued"})  # the same again
    submission = submit(server, small_zip)
    reported = []
    done = wait_for_result(server, submission.id, on_change=reported.append, poll_s=2)
    assert [(each.state, each.position, each.images_done) for each in reported] == [
        ("queued", 2, 0),
        ("scoring", 2, 37),
        ("scored", 2, 100),
    ]
    assert (done.score, done.measures["psnr"], done.is_good) == (71.25, float("inf"), True)
    assert waits == [2, 2 * 1.2, 2]


def test_waiting_survives_a_restart_of_the_server(fake, server, small_zip, waits):
    submission = submit(server, small_zip)
    fake.fail("GET", "/api/v1/submissions/", "cut", times=3)
    assert wait_for_result(server, submission.id, poll_s=3).state == "scored"
    assert waits[:3] == [0.5, 1, 2]


def test_waiting_ends_in_time(fake, server):
    fake.life = []
    fake.add(state="queued")

    def tick(seconds):
        fake.now += timedelta(seconds=seconds)

    impatient = replace(server, patience=replace(server.patience, sleep=tick))
    with pytest.raises(StateError, match=r"submission 1 is queued after 60 s.*/submissions/1"):
        wait_for_result(impatient, 1, timeout_s=60)
    assert 10 < fake.count("GET") < 30  # the pauses grow from 2 s


def test_a_refused_submission_has_all_its_problems(fake, server):
    fake.life = []
    fake.add(state="refused", error="2 problems", problems=["a.png is missing", "b.png is 8x8"])
    found = wait_for_result(server, 1)
    assert found.problems == ["a.png is missing", "b.png is 8x8"]
    assert (found.has_ended, found.is_good) == (True, False)


def test_withdrawing_twice_because_of_a_lost_answer_is_no_error(fake, server):
    def act_silently(handler):
        fake.submissions[1]["state"] = "withdrawn"
        handler.close_connection = True

    fake.add(state="queued")
    fake.fail("POST", "/", act_silently)
    assert withdraw(server, 1).state == "withdrawn"


def test_what_cannot_be_withdrawn_is_refused(fake, server):
    fake.life = []
    fake.add(state="refused")
    fake.fail("POST", "/", refusal(409, "not_possible", "submission 1 is refused"))
    with pytest.raises(StateError, match="is refused"):
        withdraw(server, 1)


def test_an_entry_is_chosen(fake, server):
    fake.add(state="scored")
    assert choose(server, 1).is_chosen
    assert read_submission(server, 1).is_chosen
