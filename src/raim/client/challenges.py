"""Uploading a challenge's folder and following what becomes of it."""

import functools
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from raim.client.asking import ask, connect
from raim.client.server import Server
from raim.client.submitting import SubmitProgress, wait_for_end
from raim.client.uploading import open_source, send_file
from raim.errors import InputError
from raim.records.administration import ChallengeUpload

if TYPE_CHECKING:
    from raim.challenge import Challenge

TIME = (
    2024,
    1,
    1,
    0,
    0,
    0,
)  # a fixed one makes the same folder the same bytes, which go on where they stopped
SERVER_FOLDERS = frozenset({"files", "work"})  # of a server that was run in the folder
PATH = "/admin/uploads"


def upload_challenge(
    server: Server,
    challenge: "Challenge",
    *,
    on_progress: SubmitProgress = lambda _stage, _done, _total: None,
) -> ChallengeUpload:
    """Upload a challenge's folder; called again after it was interrupted, it goes on where it stopped.

    Args:
        server: Where; of one of its challenges as well as of the server.
        challenge: As `raim.challenge.read_challenge` gives it.
        on_progress: Called with "packing", "hashing" or "sending" and how much is done, of how much.

    Returns:
        The upload once its file is there whole, usually in the state "inspecting".

    Raises:
        InputError: The challenge names files outside of its folder, or one cannot be read.
        AccessError: The token is not taken, or its person may not make challenges.
        StateError: The server has no place for another challenge, or too many are under way.
        RaimError: As `raim.client.asking.refusal_error`.
    """
    with tempfile.TemporaryDirectory(prefix="raim-") as made:
        path = Path(made, f"{challenge.id}.zip")
        _pack(challenge, path, functools.partial(on_progress, "packing"))
        with (
            open_source(path, functools.partial(on_progress, "hashing")) as source,
            connect(server) as connection,
        ):
            promise = {"file_name": path.name, "n_bytes": source.n_bytes, "sha256": source.sha256}
            begun = ask(connection, ChallengeUpload, "POST", PATH, promise, is_of_server=True)
            if begun.upload is not None:
                send_file(connection, begun.upload.url, source, functools.partial(on_progress, "sending"))
            return ask(connection, ChallengeUpload, "GET", f"{PATH}/{begun.id}", is_of_server=True)


def wait_for_challenge(
    server: Server,
    upload_id: int,
    *,
    on_change: Callable[[ChallengeUpload], None] = lambda _upload: None,
    poll_s: float = 2.0,
    timeout_s: float | None = None,
) -> ChallengeUpload:
    """Wait until an uploaded challenge is taken or refused; arguments as of `wait_for_result`.

    Returns:
        The upload in its last state; `problems` say why it was refused, `challenge_id` is the draft that it became.
    """
    with connect(server) as connection:
        return wait_for_end(
            server,
            lambda: ask(connection, ChallengeUpload, "GET", f"{PATH}/{upload_id}", is_of_server=True),
            f"upload {upload_id}",
            lambda now: (now.state, now.n_done, now.n_files),
            on_change=on_change,
            poll_s=poll_s,
            timeout_s=timeout_s,
        )


def _pack(challenge: "Challenge", path: Path, on_packed: Callable[[int, int], None]) -> None:
    """Write a zip of what a challenge needs of its folder; nothing compressed, since images are."""
    files = dict(sorted(_list_files(challenge)))
    with zipfile.ZipFile(path, "w") as archive:
        for done, (name, file) in enumerate(files.items()):
            on_packed(done, len(files))
            info = zipfile.ZipInfo(name, TIME)
            try:
                info.file_size = file.stat().st_size
                with file.open("rb") as source, archive.open(info, "w") as entry:
                    while chunk := source.read(2**20):
                        entry.write(chunk)
            except OSError as error:
                raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
        on_packed(len(files), len(files))


def _list_files(challenge: "Challenge") -> Iterator[tuple[str, Path]]:
    """Yield each file by its name in the zip: challenge.toml, texts, and what data sets are made of."""
    from raim.challenge.reading import CHALLENGE_FILE

    folder = challenge.folder
    for path in folder.rglob("*.md"):
        parts = path.relative_to(folder).parts
        if parts[0] not in SERVER_FOLDERS and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), path
    named = [folder / CHALLENGE_FILE]
    for data_set in challenge.data_sets:
        named += [data_set.manifest_file] if data_set.manifest_file is not None else []
        for image in data_set.images:
            named += [image.input_file, *([image.reference_file] if image.reference_file else [])]
    for path in named:
        if not path.is_relative_to(folder) or ".." in path.parts:
            raise InputError(
                f"{path} lies outside of {folder}, and only that folder is uploaded; move it there, and name it from "
                "there in challenge.toml"
            )
        yield path.relative_to(folder).as_posix(), path
