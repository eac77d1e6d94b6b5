"""The records of a data set: which images, where they lie, and which files they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DataKind = Literal["paired", "unpaired"]
DataSetPart = Literal["input", "reference"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DataImage:
    """One image of a data set.

    Attributes:
        name: Stem that input, reference and restored image share.
        scenario: Scenario of a pair or issue of an unpaired image, from the manifest; None without one.
        width: Of the restored image, in pixels.
        height: Of the restored image, in pixels.
        input_file: The photograph that is given out.
        reference_file: The photograph as it should be; None in an unpaired set.
        input_sha256: Of the input file; None if neither the manifest states it nor the file was hashed.
        reference_sha256: Of the reference file; None as above, and in an unpaired set.
    """

    name: str
    scenario: str | None = None
    width: int
    height: int
    input_file: Path
    reference_file: Path | None = None
    input_sha256: str | None = None
    reference_sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """Images that phases give out, score on or judge.

    Attributes:
        id: How phases name it; part of addresses.
        name: How people name it.
        kind: "paired" has a reference for each input, "unpaired" has none.
        folder: Where it lies.
        input: Name of the folder of inputs within `folder`.
        reference: Name of the folder of references within `folder`; "" in an unpaired set.
        manifest: Name of the manifest within `folder`; "" if there is none.
        text: What the page of downloads says about it, in Markdown.
        images: In the order of their names.
    """

    id: str
    name: str
    kind: DataKind
    folder: Path
    input: str = "input"
    reference: str = "reference"
    manifest: str = "manifest.csv"
    text: str = ""
    images: tuple[DataImage, ...] = ()

    @property
    def input_folder(self) -> Path:
        """Where the inputs lie."""
        return self.folder / self.input

    @property
    def reference_folder(self) -> Path | None:
        """Where the references lie; None in an unpaired set."""
        return self.folder / self.reference if self.kind == "paired" and self.reference else None

    @property
    def manifest_file(self) -> Path | None:
        """The manifest; None if there is none."""
        return self.folder / self.manifest if self.manifest else None
