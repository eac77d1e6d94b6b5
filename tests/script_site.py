"""A small server for the tests of the pages' scripts: their files under the real policy, a page, and what it asks for.

A page's load event waits for its script, so that the browser's picture or its exit comes afterwards: the page has an
image that is answered when the script has posted its findings.
"""

import functools
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from raim.server.web.headers import HEADERS
from raim.server.web.rendering import STATIC

TYPES = {"js": "text/javascript", "css": "text/css", "png": "image/png", "html": "text/html; charset=utf-8"}
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
WAIT_S = 45


@dataclass
class ScriptSite:
    """What it serves and what it was sent.

    Attributes:
        files: Content by path, besides the static files.
        promised: What pages have posted to `/create`, with the token of their forms.
        received: The bytes of the upload `/uploads/key`.
        replies: Statuses (0 cuts the connection) of the next pieces in place of taking them.
        turns: For paths the answers (status or 0 for a cut, text) in turn; then there is none.
        findings: What the page's script has posted.
    """

    files: dict = field(default_factory=dict)
    promised: list = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    replies: list = field(default_factory=list)
    turns: dict = field(default_factory=dict)
    findings: object = None
    is_done: threading.Event = field(default_factory=threading.Event)
    address: str = ""
    refusal: tuple = ()

    def add_page(self, body, script="", *, head=""):
        """Make the page `/`; its script calls `done(findings)`."""
        self.files["/"] = (
            f"<!doctype html><html lang=en><head><meta charset=utf-8><title>test</title>"
            f'<link rel=stylesheet href=/static/raim.css>{head}<script type=module src="/check.js"></script>'
            f"</head><body>{body}<img src=/hold alt=></body></html>"
        ).encode()
        done = (
            'window.done = (findings) => fetch("/done", {method: "POST", body: JSON.stringify(findings)});\n'
        )
        guard = "(async () => {\n" + script + "\n})().catch((error) => done(`failed: ${error.stack}`));\n"
        self.files["/check.js"] = (done + guard).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers a browser."""

    protocol_version = "HTTP/1.1"

    def __init__(self, site, *arguments):
        self.site = site
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/hold":
            self.site.is_done.wait(WAIT_S)
            return self.answer(204)
        if self.site.turns.get(path):
            status, text = self.site.turns[path].pop(0)
            self.close_connection = not status
            return self.answer(status, text.encode(), kind=TYPES["html"]) if status else None
        content = self.site.files.get(path)
        if content is None and path.startswith("/static/") and (file := STATIC / path[8:]).is_file():
            content = file.read_bytes()
        if content is None:
            return self.answer(404)
        return self.answer(200, content, kind=TYPES.get(path.rpartition(".")[2], TYPES["html"]))

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/done":
            self.site.findings = json.loads(content)
            self.site.is_done.set()
            return self.answer(204)
        self.site.promised.append(json.loads(content))
        if self.site.refusal:
            status, error = self.site.refusal
            return self.answer(status, json.dumps({"error": error}).encode(), kind="application/json")
        started = {"submission": {"id": 12, "page": "/submissions/12"}, "upload": {"url": "/uploads/key"}}
        return self.answer(201, json.dumps(started).encode(), kind="application/json")

    def do_HEAD(self):
        length = self.site.promised[-1]["n_bytes"]
        self.answer(200, **{"Upload-Offset": len(self.site.received), "Upload-Length": length})

    def do_PATCH(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.site.replies and (status := self.site.replies.pop(0)) is not None:
            if not status:
                self.site.received += content[: len(content) // 3]  # a part came before the connection broke
                self.close_connection = True
                return None
            error = {"error": {"code": "fault", "message": f"answered {status}", "problems": []}}
            return self.answer(status, json.dumps(error).encode(), kind="application/json")
        if int(self.headers["Upload-Offset"]) != len(self.site.received):
            return self.answer(409)
        self.site.received += content
        return self.answer(204, **{"Upload-Offset": len(self.site.received)})

    def answer(self, status, content=b"", *, kind="text/plain", **headers):
        self.send_response(status)
        fixed = {"Content-Type": kind, "Content-Length": len(content), "Tus-Resumable": "1.0.0"}
        for name, value in {**HEADERS, **fixed, **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def start(site):
    """Serve on a free port until the returned function is called."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, site))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_address[1]}/"

    def stop():
        site.is_done.set()
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def sha256_of(content):
    """Give the SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
