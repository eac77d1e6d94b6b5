"""A study with real tiles on a site: finalists whose names, files and hashes nobody must find, and its judges."""

import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image as PillowImage
from sqlalchemy import select

from held_images import places_of_names
from raim.challenge import StudyRule
from raim.images import encode_image, read_image
from raim.server import database as t
from raim.server.storage import put_file
from raim.server.study.building import build_study, propose_study
from raim.server.study.closing import open_study
from raim.server.study.judges import invite_judge
from raim.server.submissions.restored import note_restored
from raim.server.tiles import pack_facts, read_index
from raim.server.tiles.packing import make_pack

TEAMS = ("Falcon Vision", "Aurora Lab", "Köln Pixels", "Zebra & Söhne")
SCREEN = {
    "window_width": 1920, "window_height": 1000, "screen_width": 1920, "screen_height": 1080, "pixel_ratio": 1.0,
    "zoom_percent": 100, "colour_depth": 24, "gamut": "srgb", "has_mouse": True, "dark_patches": [7, 8],
    "bright_patches": [8, 8], "colours_right": True,
}  # fmt: skip


def restore(pixels, team):
    """Make what a team makes of an input: each another constant, so that tiles tell who it is."""
    return np.clip(pixels.astype(int) // 2 + 20 * team, 0, 255).astype(np.uint8)


@dataclass
class JudgedStudy:
    """An open study on a site.

    Attributes:
        site: The site.
        study_id: Its row.
        links: Tokens of the judges' links.
        inputs: Pixels of each input, by name.
        codes: For each entry's code the place of its team in `TEAMS`.
        secrets: Texts that must not reach a judge's browser.
    """

    site: object
    study_id: int
    links: list
    inputs: dict
    codes: dict
    secrets: set = field(default_factory=set)


class Judge:
    """A judge's browser, at protocol level."""

    def __init__(self, site, link):
        self.person = site.visitor()
        self.client = self.person.client
        self.link = link
        self.keeper = ""  # what the page calls its judge

    def arrive(self):
        path = f"/judge/{self.link}"
        answer = self.client.post(path, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return self

    def ready(self):
        """Go up to the first trial."""
        self.arrive()
        assert self.post("/api/v1/judging/screen", json=SCREEN).json()["is_fine"]
        self.client.post("/judging/instructions", data={})
        return self

    def get(self, path, **options):
        return self.client.get(path, follow_redirects=False, **options)

    def post(self, path, **options):
        return self.client.post(path, headers={"Accept": "application/json"}, **options)

    def trial(self, position, part="voting"):
        return self.client.get(f"/api/v1/judging/trials/{part}/{position}")

    def vote(self, position, part="voting", **vote):
        return self.client.post(
            f"/api/v1/judging/trials/{part}/{position}",
            json=vote,
            headers={"Accept": "application/json", "X-Raim-Judge": self.keeper},
        )

    def picture(self, tiles, level=0):
        """Give the pixels of a picture of one tile."""
        answer = self.get(f"{tiles}/{level}/0_0.png")
        assert answer.status_code == 200, answer.text
        return np.asarray(PillowImage.open(io.BytesIO(answer.content)))


def make_judged_study(site, *, judges=2, open_it=True, teams=TEAMS, seed=11, **rule):
    """Build a study of teams' finals, make its tiles, open it, and invite judges."""
    server, now = site.server, site.clock()
    secrets = set(teams)
    with server.database.writing() as session:
        challenge = server.challenge(session)
        final = challenge.definition.phase("final")
        folder = site.folder / "data" / final.final.on / "input"
        inputs = {path.stem: read_image(path).pixels for path in sorted(folder.iterdir())}
        submissions = {}
        for place, name in enumerate(teams, start=1):
            user = t.User(login=f"login{place}", login_key=f"login{place}", name=f"Person {place}",
                          password_hash="x", created_at=now)  # fmt: skip
            team = t.Team(
                challenge_id=challenge.id, name=name, name_key=name.lower(), state="approved", created_at=now
            )
            session.add_all([user, team])
            session.flush()
            member = t.Member(challenge_id=challenge.id, team_id=team.id, user_id=user.id, joined_at=now)
            session.add_all(
                [
                    member,
                    t.Finalist(
                        phase_id=challenge.phase_ids["feedback"],
                        team_id=team.id,
                        position=place,
                        invited_at=now,
                    ),
                ]
            )
            session.flush()
            sha256 = hashlib.sha256(name.encode()).hexdigest()
            row = t.Submission(
                team_id=team.id, phase_id=challenge.phase_ids["final"],
                data_set_id=challenge.data_set_ids[final.final.on],
                member_id=member.id, kind="final", state="accepted", received_at=now, state_at=now,
                committed_bytes=1, committed_sha256=sha256, takes_try=True,
            )  # fmt: skip
            session.add(row)
            session.flush()
            note_restored(session, row.id, places_of_names(inputs, sha256))
            submissions[row.id] = place - 1
            secrets |= {sha256, f"login{place}", f"Person {place}"}
        proposal = propose_study(session, challenge, challenge.definition.phase("final"))
        study = build_study(
            session, now, challenge, proposal, title="Final photographs", rule=StudyRule(phase="final", **rule),
            seed=seed, actor_id=None,
        )  # fmt: skip
        entries = session.scalars(select(t.StudyEntry).where(t.StudyEntry.study_id == study.id))
        codes = {entry.code: submissions[entry.submission_id] for entry in entries}
        for row in session.scalars(select(t.StudyImage).where(t.StudyImage.study_id == study.id)):
            image = session.get_one(t.Image, row.image_id)
            sources = {code: restore(inputs[image.name], team) for code, team in codes.items()}
            secrets |= _keep_pack(site, row, {"input": inputs[image.name], **sources}, now)
            secrets |= {image.input_sha256, image.input_name, str(image.input_bytes), f'"{image.name}"'}
        session.flush()
        if open_it:
            open_study(session, now, study, actor_id=None)
        links = [
            invite_judge(session, now, study, name=f"Judge {number}", actor_id=None)[1]
            for number in range(1, judges + 1)
        ]
        return JudgedStudy(
            site=site, study_id=study.id, links=links, inputs=inputs, codes=codes, secrets=secrets
        )


def _keep_pack(site, row, sources, now):
    path = site.folder / "pack"
    encoded = {name: encode_image(pixels, ".png") for name, pixels in sources.items()}
    make_pack(encoded, path, blurred_from="e1")
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    put_file(site.server.storage, [content], n_bytes=len(content), sha256=sha256)
    row.pack_sha256, row.pack_bytes, row.made_at = sha256, len(content), now
    row.pack = pack_facts(read_index(site.server.storage, sha256))
    return {sha256, *(hashlib.sha256(each).hexdigest() for each in encoded.values())}
