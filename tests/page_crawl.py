"""Opens every page that is linked, as each kind of person, and prints what came; started as a program by a test."""

import html.parser
import json
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np

import raim
from raim.challenge import write_example
from server_site import FIRST_DAY, Clock, Site


class Links(html.parser.HTMLParser):
    """Collects what a page points to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        del tag
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def crawl(person, start="/", *, within=lambda _path: True):
    """Open all that pages point to on this server; return each path's status, kind and text."""
    seen, waiting = {}, [start]
    while waiting:
        path = waiting.pop()
        answer = person.client.get(path)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        seen[path] = (answer.status_code, kind, answer.text if kind == "text/html" else "")
        if kind != "text/html":
            continue
        links = Links()
        links.feed(answer.text)
        for link in links.found:
            target = urlsplit(urljoin(str(answer.url), link))
            address = target.path + (f"?{target.query}" if target.query else "")
            is_here = target.netloc in ("", urlsplit(str(answer.url)).netloc)
            if is_here and address not in seen and address not in waiting and within(address):
                waiting.append(address)
    return seen


def main():
    folder = Path(sys.argv[1])
    write_example(folder, first_day=FIRST_DAY, rng=np.random.default_rng(2024))
    site = Site(folder, Clock())
    organiser, member = site.organiser(), site.member("mia")
    site.submit(member, site.zip_of())
    people = {"visitor": site.visitor(), "member": member, "organiser": organiser, "judge": site.judge()}
    pages = {
        name: {path: seen[:2] for path, seen in crawl(person).items()} for name, person in people.items()
    }
    sys.stdout.write(json.dumps({"raim": raim.__file__, "pages": pages}))


if __name__ == "__main__":
    main()
