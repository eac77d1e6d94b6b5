"""A small challenge server of the HTTP contract, to be disturbed by tests of the client.

`faults` are asked first, each with method, start of the path and what happens: a Reply, "cut" (the connection is
closed unanswered, after the body or a part of it was taken), or a function of the handler.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUT_AFTER = 3 * 2**20
ENDLESS = -1


@dataclass
class Reply:
    status: int
    body: object = None
    headers: dict = field(default_factory=dict)


def refusal(status, code, message, problems=(), **headers):
    body = {"error": {"code": code, "message": message, "problems": list(problems)}}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Fault:
    method: str
    path: str
    what: object
    times: int = 1

    def fits(self, method, path):
        return self.times != 0 and method == self.method and path.startswith(self.path)


class FakeServer:
    """One challenge, one team; every submission walks through `life` with each question about it."""

    token = "raim_api_right"  # noqa: S105 - of a test

    def __init__(self):
        self.now = NOON
        self.requests = []
        self.faults = []
        self.submissions = {}
        self.contents = {}
        self.bundle = b"inputs of a data set " * 20_000
        self.etag = '"one"'
        self.life = [
            {"state": "checking"},
            {"state": "queued", "position": 2, "expected_at": (NOON + timedelta(minutes=5)).isoformat()},
            {"state": "scoring", "images_done": 37, "images_total": 100},
            {
                "state": "scored",
                "images_done": 100,
                "images_total": 100,
                "score": 71.25,
                "measures": {"psnr": "inf", "ssim": 0.9},
                "scenarios": {"denoising": {"psnr": 31.5, "ssim": 0.8, "score": 70.0}},
                "scorer_version": "raim-2024-1",
            },
        ]
        self.challenges = ["raim"]
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"fake": self}))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def fail(self, method, path, what, times=1):
        self.faults.append(Fault(method, path, what, times))

    def count(self, method, path=""):
        return sum(1 for each in self.requests if each[0] == method and each[1].startswith(path))

    def add(self, sha256="0" * 64, n_bytes=9, **changes):
        number = len(self.submissions) + 1
        self.submissions[number] = {
            "id": number,
            "page": f"/submissions/{number}",
            "phase": "feedback",
            "phase_title": "Feedback",
            "kind": "scored",
            "state": "receiving",
            "team_id": 1,
            "team": "Ada",
            "sent_by": "ada",
            "file_name": "team.zip",
            "n_bytes": n_bytes,
            "received_bytes": 0,
            "sha256": sha256,
            "note": "",
            "received_at": NOON.isoformat(),
            "state_at": NOON.isoformat(),
            "takes_try": True,
            "is_chosen": False,
            "rescore_asked_at": None,
            "error": None,
            "problems": [],
            "notes": [],
            "images_done": 0,
            "images_total": 0,
            "position": None,
            "expected_at": None,
            "score": None,
            "unscorable": None,
            "measures": {},
            "scenarios": {},
            "scorer_version": None,
            "is_in_force": False,
            "upload": None,
            **changes,
        }
        self.contents[number] = bytearray()
        return self.submissions[number]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def log_message(self, *_):
        pass

    def handle_any(self):
        fake = self.fake
        if self.path == "/api/v1/challenges":
            return self.reply(
                Reply(200, [{"id": each, "name": "RAIM", "page": f"/c/{each}/"} for each in fake.challenges])
            )
        self.path = self.path.replace(
            "/api/v1/c/raim", "/api/v1"
        )  # tests name addresses within the challenge
        fake.requests.append((self.command, self.path, dict(self.headers)))
        fault = next((each for each in fake.faults if each.fits(self.command, self.path)), None)
        if fault is not None:
            fault.times -= 1
            return self.disturb(fault.what)
        self.body = b"" if self.command == "PATCH" else self.rfile.read(self.length)
        if self.headers.get("Authorization") != f"Bearer {fake.token}":
            return self.reply(refusal(401, "login_needed", "log in first"))
        return self.reply(self.answer())

    do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = handle_any  # noqa: N815 - names of http.server

    @property
    def length(self):
        return int(self.headers.get("Content-Length", 0))

    def disturb(self, what):
        if what == "cut":
            if self.command == "PATCH":
                self.take(CUT_AFTER)
            self.close_connection = True
            return None
        self.rfile.read(self.length)
        return self.reply(what) if isinstance(what, Reply) else what(self)

    def reply(self, reply):
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        content = b"" if reply.body is None else content
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer(self):
        path = self.path.removeprefix("/api/v1").partition("?")[0]
        if path.startswith("/uploads/"):
            return self.answer_upload(int(path.rpartition("/")[2]))
        if path.endswith("/inputs.zip"):
            return self.answer_bundle()
        if path == "/submissions":
            return self.begin() if self.command == "POST" else self.list_own()
        if path.startswith("/submissions/"):
            return self.answer_submission(*path.split("/")[2:])
        if path in PLAIN:
            return Reply(200, PLAIN[path])
        return refusal(404, "not_found", f"there is no {path}")

    def list_own(self):
        own = list(reversed(self.fake.submissions.values()))
        return Reply(200, {"submissions": own, "n_rows": len(own), "previous_page": "", "next_page": ""})

    def begin(self):
        wanted = json.loads(self.body)
        found = next(
            (
                each
                for each in self.fake.submissions.values()
                if each["sha256"] == wanted["sha256"] and each["state"] == "receiving"
            ),
            None,
        )
        status = 201 if found is None else 200
        found = found or self.fake.add(
            wanted["sha256"], wanted["n_bytes"], note=wanted["note"], kind=wanted["kind"]
        )
        number = found["id"]
        place = {"url": f"/uploads/{number}", "offset": len(self.fake.contents[number])}
        return Reply(status, {"submission": found, "upload": place})

    def answer_submission(self, number, act=""):
        found = self.fake.submissions[int(number)]
        if act == "withdraw":
            if found["state"] == "withdrawn":
                return refusal(409, "not_possible", "it is withdrawn already")
            found["state"] = "withdrawn"
        elif act == "choose":
            found["is_chosen"] = True
        elif act == "results":
            image = {
                "name": "a",
                "scenario": None,
                "score": None,
                "measures": {"psnr": 30},
                "unscorable": "flat",
            }
            return Reply(200, {"submission_id": found["id"], "scorer_version": "v", "images": [image]})
        elif self.fake.life and found["state"] not in {"receiving", "withdrawn"}:
            found.update(self.fake.life.pop(0))
        return Reply(200, found)

    def answer_upload(self, number):
        found, there = self.fake.submissions[number], self.fake.contents[number]
        if self.command == "DELETE":
            found["state"] = "withdrawn"
            return Reply(204)
        if found["state"] == "withdrawn":
            return refusal(404, "not_found", "there is no such upload")
        if self.command == "PATCH":
            if found["state"] == "receiving":
                if int(self.headers["Upload-Offset"]) != len(there):
                    self.rfile.read(self.length)
                    return refusal(409, "not_possible", f"the upload has {len(there)} bytes")
                self.take(self.length)
                refused = self.complete(found, there)
                if refused is not None:
                    return refused
            return Reply(204, headers={"Upload-Offset": str(len(there))})
        headers = {"Upload-Offset": str(len(there)), "Upload-Length": str(found["n_bytes"])}
        return Reply(200, headers=headers)

    def take(self, n_bytes):
        there = self.fake.contents[int(self.path.rpartition("/")[2])]
        n_bytes = min(n_bytes, self.length)
        while n_bytes and (chunk := self.rfile.read(min(n_bytes, 2**20))):
            there += chunk
            n_bytes -= len(chunk)

    def complete(self, found, there):
        if len(there) < found["n_bytes"]:
            return None
        if hashlib.sha256(there).hexdigest() != found["sha256"]:
            there.clear()
            return refusal(409, "content_mismatch", "the SHA-256 of what was sent is another")
        found["state"] = "checking"
        return None

    def answer_bundle(self):
        content, etag = self.fake.bundle, {"ETag": self.fake.etag}
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            return Reply(416, b"", {**etag, "Content-Range": f"bytes */{len(content)}"})
        return Reply(206 if "Range" in self.headers else 200, content[start:], etag)


INTAKE = {
    "kind": "scored",
    "data_set": "pairs",
    "tries_per_day": 2,
    "tries_in_all": None,
    "left_today": 1,
    "left_in_all": None,
    "next_at": NOON.isoformat(),
}
PLAIN = {
    "/challenge": {
        "id": "raim",
        "name": "RAIM",
        "tagline": "",
        "profile": "raim-2024",
        "measures": ["psnr", "ssim"],
        "scorer_version": "raim-2024-1",
        "max_bytes": 2**31,
        "grace_seconds": 3600,
        "phases": [
            {
                "id": "feedback",
                "name": "Feedback",
                "state": "open",
                "opens": NOON.isoformat(),
                "closes": "2026-03-10T12:00:00Z",
                "deadline": "",
                "gives_out": ["pairs"],
                "intakes": [INTAKE],
            }
        ],
        "data_sets": [
            {
                "id": "pairs",
                "name": "Pairs",
                "text": "",
                "kind": "paired",
                "n_images": 100,
                "may_get_inputs": True,
                "may_get_references": False,
                "why_no_inputs": "",
                "why_no_references": "no phase gives them out",
                "of_a_newer_server": 1,
            }
        ],
        "current_phase": "feedback",
        "next_phase": None,
        "announcements": [],
    },
    "/me": {
        "login": "ada",
        "role": "participant",
        "team": "Ada",
        "team_id": 1,
        "team_state": "approved",
        "is_finalist": False,
        "intakes": {"feedback": [INTAKE]},
    },
    "/leaderboard/feedback": {
        "phase": "feedback",
        "profile": "raim-2024",
        "scorer_version": "raim-2024-1",
        "phases": {"feedback": "Feedback"},
        "measures": ["psnr", "ssim"],
        "scenario_names": [],
        "scenario": "",
        "sort": "",
        "history": {},
        "rows": [
            {
                "rank": 1,
                "team": "Ada",
                "submission_id": 1,
                "score": 71.25,
                "measures": {"psnr": "inf"},
                "scenarios": {},
                "n_entries": 3,
                "submitted_at": NOON.isoformat(),
                "is_verified": False,
                "why_unranked": "",
            }
        ],
    },
}
