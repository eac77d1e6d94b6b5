"""Pages ask the database few questions and weigh little, however much there is to show."""

import pytest
from sqlalchemy import event, select

from benchmark_scripts import load_scripts
from raim.server.actions.announcements import announce
from raim.server.actions.logins import open_session
from raim.server.auditing import record_event
from raim.server.database import Comment, Image, Member, Result, Submission, Team, User

crowd = load_scripts(["server_crowd"])["server_crowd"]
MOST_QUERIES = 30
HEAVIEST = 300_000
N_IMAGES = 100


@pytest.fixture(scope="module")
def full(example_folder, tmp_path_factory):
    """Give a server with 200 teams, 400 entries, and a submission of 100 images with comments."""
    import shutil

    from server_site import Clock, Site

    folder = shutil.copytree(example_folder, tmp_path_factory.mktemp("full") / "challenge")
    site = Site(folder, Clock())
    organiser = site.organiser()
    crowd.fill_board(site.server, 200)
    with site.server.database.writing() as session:
        challenge = site.server.challenge(session)
        user = session.scalars(select(User).where(User.login == "u0")).one()
        olga = session.scalars(select(User).where(User.login == "olga")).one()
        member = session.scalars(select(Member).where(Member.user_id == user.id)).one()
        submission = session.scalars(select(Submission).where(Submission.member_id == member.id)).first()
        fill_images(session, challenge, submission, site.clock())
        for number in range(50):
            announce(
                session,
                site.clock(),
                challenge_id=challenge.id,
                author=olga,
                title=f"{number}",
                text="text " * 20,
            )
            session.add(
                Comment(
                    submission_id=submission.id,
                    author_id=olga.id,
                    text="remark " * 10,
                    created_at=site.clock(),
                )
            )
        token = open_session(session, site.clock(), user, hours=1)
        team = session.get_one(Team, member.team_id)
        record_event(session, site.clock(), "fill", team, actor_id=None)
        ids = {"submission": submission.id, "team": team.id}
    yield site, token, organiser.client.cookies["raim_session"], ids
    site.server.database.engine.dispose()


def fill_images(session, challenge, submission, now):
    for number in range(N_IMAGES):
        image = Image(data_set_id=submission.data_set_id, name=f"more-{number:04d}", scenario="denoising")
        image.width, image.height, image.input_name, image.input_bytes = 10, 10, f"more-{number:04d}.png", 1
        image.input_sha256 = f"{number:064d}"
        session.add(image)
        session.flush()
        session.add(
            Result(
                submission_id=submission.id,
                image_id=image.id,
                scorer_version=challenge.scorer_version,
                reference_version=challenge.newest["feedback-pairs"][1],
                restored_sha256=f"{number:064d}",
                score=50.0,
                measures=crowd.MEASURES,
                scored_at=now,
            )
        )


TEAM_PAGES = (
    *(
        "/",
        "/data",
        "/rules",
        "/announcements",
        "/leaderboard",
        "/leaderboard/feedback",
        "/submit",
        "/submissions",
    ),
    *(
        "/submissions/{submission}",
        "/submissions/{submission}/status",
        "/submissions/{submission}/images/more-0001",
    ),
    *(
        "/team",
        "/team/fact-sheet",
        "/account",
        "/api",
        "/api/v1/challenge",
        "/api/v1/me",
        "/api/v1/submissions",
    ),
    *("/api/v1/submissions/{submission}", "/api/v1/submissions/{submission}/results"),
)
DESK_PAGES = (
    *("/desk", "/desk/live", "/desk/teams", "/desk/teams/{team}", "/desk/users", "/desk/submissions"),
    *(
        "/desk/submissions/{submission}",
        "/desk/phases",
        "/desk/announcements",
        "/desk/finalists",
        "/desk/checklist",
    ),
    *("/desk/exports", "/desk/audit"),
)


@pytest.mark.parametrize("path", [*TEAM_PAGES, *DESK_PAGES, "/api/v1/submissions?kind=scored"])
def test_a_full_page_asks_little_and_weighs_little(full, path):
    site, token, organiser, ids = full
    queries = []

    def count(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("BEGIN", "PRAGMA")):
            queries.append(statement)

    event.listen(site.server.database.engine, "before_cursor_execute", count)
    try:
        bearer = organiser if path.startswith("/desk") or "?" in path else token
        headers = {"Cookie": f"raim_session={bearer}"}
        answer = site.visitor().client.get(path.format(**ids), headers=headers)
    finally:
        event.remove(site.server.database.engine, "before_cursor_execute", count)
    assert answer.status_code == 200
    assert len(queries) <= MOST_QUERIES, "\n".join(queries)
    assert len(answer.content) < HEAVIEST
