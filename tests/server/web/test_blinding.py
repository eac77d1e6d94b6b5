"""Nothing that a judge's browser receives tells teams apart: pages, JSON, headers, addresses, tiles, bytes."""

import re
from collections import defaultdict

import pytest

from judging_site import TEAMS, Judge, make_judged_study
from raim.server.web.access import ROUTE_RULES
from server_site import place

pytest.importorskip("pyvips", reason="libvips is not installed")

# What a page may carry of a team's in other ways; each is looked for in text and bytes.
STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')


class Crawler:
    """Keeps all that a judge's browser gets."""

    def __init__(self, judge):
        self.judge = judge
        self.seen = {}
        self.tiles = defaultdict(list)

    def get(self, path):
        answer = self.judge.get(path)
        self.seen[path] = answer
        return answer

    def crawl(self):
        for path in (f"/judge/{self.judge.link}", "/judging", "/judging/screen", "/judging/instructions",
                     "/judging/vote", "/judging/vote?part=training", "/judging/done", "/judging/nothing"):  # fmt: skip
            page = self.get(path)
            for asset in STATIC.findall(page.text):
                self.get(asset)
        for part in ("training", "voting"):
            total = self.get(f"/api/v1/judging/trials/{part}/1").json()["total"]
            for position in range(1, total + 1):
                self.look(part, position)
        self.get("/api/v1/judging/trials/voting/999")
        return self

    def look(self, part, position):
        trial = self.get(f"/api/v1/judging/trials/{part}/{position}").json()
        for candidate in trial["candidates"]:
            answer = self.get(f"{candidate['tiles']}/0/0_0.png")
            self.tiles[part, position].append((candidate["label"], answer))
        self.get(f"{trial['input']['tiles']}/0/0_0.png")
        saved = self.judge.vote(position, part, choice=["A"])
        self.seen[f"vote {part} {position}"] = saved
        for choice in (["Z"], ["A", "A"], list("ABCD")):
            self.seen[f"bad vote {choice} {part} {position}"] = self.judge.vote(position, part, choice=choice)
        marked = [{"label": "B", "x": 99999, "y": 0, "width": 1, "height": 1}]
        bad = self.judge.vote(position, part, choice=["B"], reasons={"B": ["taste"]}, regions=marked)
        self.seen[f"bad reason {part} {position}"] = bad


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Let a judge's browser go everywhere, once for all tests."""
    import numpy as np

    from raim.challenge import write_example
    from server_site import FIRST_DAY, Clock, Site

    folder = tmp_path_factory.mktemp("blind") / "challenge"
    write_example(folder, first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    site = Site(folder, Clock())
    study = make_judged_study(site, traps=1, repeats_share=0.5, judges=3)
    crawler = Crawler(Judge(site, study.links[0]).ready()).crawl()
    yield study, crawler
    site.server.database.engine.dispose()


def test_every_route_of_a_judge_was_opened(crawled):
    paths = [place(path).partition("?")[0] for path in crawled[1].seen]
    for name, who in ROUTE_RULES.items():
        method, _, address = name.partition(" ")
        if who == "judge" and method == "GET":
            form = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(address))
            assert any(re.fullmatch(f"(/api/v1)?{form}", path) for path in paths), name


def test_no_name_number_file_name_size_or_hash_of_a_team_is_anywhere(crawled):
    study, crawler = crawled
    for path, answer in crawler.seen.items():
        text = f"{path}\n{answer.headers}\n"
        content = text.encode() + answer.content
        for secret in study.secrets:
            assert secret.encode() not in content, (path, secret)
            assert secret.lower().encode() not in content.lower(), (path, secret)
        if answer.headers.get("content-type", "").startswith("application/json"):
            assert not re.search(r"\be[1-4]\b|blurred", answer.text), path
            assert not re.search(r'"(?:e\d+|team|entry|submission|kind|trap|repeat|blurred)"', answer.text), (
                path
            )


def test_codes_of_entries_stand_in_no_address(crawled):
    study, crawler = crawled
    for path in crawler.seen:
        assert not any(re.search(rf"/{code}(?:/|$|\.)", path) for code in (*study.codes, "blurred"))


def test_all_candidates_of_a_trial_have_the_same_headers_and_length(crawled):
    for answers in crawled[1].tiles.values():
        assert len({len(answer.content) for _, answer in answers}) == 1
        heads = {
            tuple(sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id"))
            for _, answer in answers
        }
        assert len(heads) == 1  # but for the random number of the request


def test_traps_and_repeats_look_like_any_other_trial(crawled):
    _, crawler = crawled
    shapes = set()
    for path, answer in crawler.seen.items():
        if path.startswith("/api/v1/judging/trials/voting/") and answer.status_code == 200:
            trial = answer.json()
            shapes.add((tuple(sorted(trial)), len(trial["candidates"]), trial["n_picks"]))
    assert len(shapes) == 1


def test_addresses_of_tiles_are_new_for_every_judge_and_trial(crawled):
    study, crawler = crawled
    inputs = [path for path in crawler.seen if path.endswith("/input/0/0_0.png")]
    keys = [path.split("/")[5] for path in inputs]
    assert len(set(keys)) == len(keys)
    other = Judge(study.site, study.links[1]).ready()
    theirs = {other.trial(position).json()["input"]["tiles"].split("/")[5] for position in range(1, 4)}
    assert not theirs & set(keys)


def test_a_teams_own_browser_session_shows_no_more(crawled):
    """Who judges and has a login of the challenge in the same browser sees the same pages."""
    study, _ = crawled
    judge = Judge(study.site, study.links[2]).ready()
    page = judge.get("/judging/instructions").text
    assert not any(name in page for name in TEAMS)
    assert "/leaderboard" not in page
