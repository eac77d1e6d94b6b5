"""What is kept in the storage, and why."""

from pydantic import Field

from raim.records.record import Record

BUNDLES = "zips of data sets for download; they can be made again, and count in no quota"


class Kept(Record):
    """What is kept of somebody: files of the same content count once, under the first reason that holds."""

    n_bytes: int
    quota_bytes: int | None = Field(description="what it may be at most; none for no limit")
    kinds: dict[str, int] = Field(description="bytes by the reason why they are kept")
