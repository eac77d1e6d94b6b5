"""Which members are the images: junk taken out, one common folder taken off, names that could be confused found."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raim.data import collision_key, has_image_suffix
from raim.errors import shown
from raim.scoring.submission.findings import Finding, name_some, note, problem
from raim.scoring.submission.member import ArchiveMember

# What operating systems, network storage and desktop programs leave in folders and zips, in lower case.
JUNK_FOLDERS = frozenset(
    {
        "__macosx", ".spotlight-v100", ".trashes", ".fseventsd", ".temporaryitems", ".documentrevisions-v100",
        ".appledouble", "$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle", ".@__thumb",
        ".ipynb_checkpoints", "__pycache__", ".git", ".svn", ".idea", ".vscode", ".thumbnails",
    }
)  # fmt: skip
JUNK_FILES = frozenset(
    {
        ".ds_store", ".localized", ".apdisk", "icon\r", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
        ".directory", ".hidden", ".picasa.ini", "picasa.ini", ".gitkeep", ".gitignore", ".gitattributes",
    }
)  # fmt: skip
# AppleDouble; open in Microsoft Office, in LibreOffice; deleted while open on NFS, on FUSE; the bin of a Linux desktop.
JUNK_STARTS = ("._", "~$", ".~lock.", ".nfs0", ".fuse_hidden", ".trash-")
NESTED_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The members of a submission by where they lie."""

    root: tuple[ArchiveMember, ...]  # files at the root (within the common folder, if there is one)
    nested: tuple[ArchiveMember, ...]  # files in folders
    problems: tuple[Finding, ...]  # names that could be taken for each other
    notes: tuple[Finding, ...]  # what was ignored or taken off


def lay_out(members: Sequence[ArchiveMember]) -> Layout:
    """Sort out the members of a submission."""
    junk = [member for member in members if is_junk(member.parts)]
    kept = [member for member in members if not is_junk(member.parts)]
    folder = find_common_folder(kept)
    notes = []
    if junk:
        text = "ignored what operating systems and desktop programs leave behind"
        notes.append(note("junk", f"{text}: {name_some([member.stored_name for member in junk])}"))
    if guessed := [member.stored_name for member in kept if member.raw_name]:
        text = "the zip does not say in which encoding names are stored; read as code page 437"
        notes.append(note("guessed-encoding", f"{text}: {name_some(guessed, 1)}"))
    if folder is not None:
        kept = [dataclasses.replace(member, parts=member.parts[1:]) for member in kept]
        text = f"all files lie in the folder {shown(folder)}/, which was taken as the root"
        notes.append(note("common-folder", text, folder))
    root = tuple(member for member in kept if len(member.parts) == 1)
    return Layout(
        root=root,
        nested=tuple(member for member in kept if len(member.parts) != 1),
        problems=tuple(find_member_collisions(kept)),
        notes=tuple(notes),
    )


def is_junk(parts: Sequence[str]) -> bool:
    """Return whether a file is what operating systems and desktop programs leave behind."""
    lower = [part.lower() for part in parts]
    is_file = bool(lower) and lower[-1] in JUNK_FILES
    return (
        is_file
        or any(part in JUNK_FOLDERS for part in lower[:-1])
        or any(part.startswith(JUNK_STARTS) for part in lower)
    )


def is_nested_archive(member: ArchiveMember) -> bool:
    """Return whether a file is itself an archive, by its suffix."""
    return member.name.lower().endswith(NESTED_ARCHIVES)


def find_common_folder(members: Sequence[ArchiveMember]) -> str | None:
    """Return the one folder in which all files lie, if there is one."""
    firsts = {member.parts[0] if len(member.parts) > 1 else None for member in members}
    return firsts.pop() if len(firsts) == 1 else None


def find_member_collisions(members: Iterable[ArchiveMember]) -> list[Finding]:
    """Find members of one name, and names and stems that differ only in case, Unicode form or suffix."""
    paths: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    for member in members:
        path = "/".join(member.parts)
        paths.setdefault(collision_key(path), []).append(path)
        if len(member.parts) == 1 and has_image_suffix(member.name):
            stems.setdefault(collision_key(member.stem), []).append(member.name)
    problems = []
    for group in paths.values():
        problems += _find_same(group)
    for group in stems.values():
        problems += _find_same_stem(group)
    return problems


def _find_same(paths: list[str]) -> list[Finding]:
    counts = Counter(paths)
    problems = []
    for path, times in counts.items():
        if times > 1:
            text = f"{shown(path)} stands {times} times in the zip; make it again with each file once"
            problems.append(problem("duplicate-member", text, path))
    if len(counts) > 1:
        problems.append(_colliding(list(counts)))
    return problems


def _find_same_stem(names: list[str]) -> list[Finding]:
    by_key = {collision_key(name): name for name in names}
    distinct = list(by_key.values())
    if len(distinct) < 2:
        return []
    if len({name.rpartition(".")[0] for name in distinct}) > 1:
        return [_colliding(distinct)]
    text = f"{' and '.join(map(shown, distinct))} are one image in several formats; keep one"
    return [problem("duplicate-stem", text, distinct[0])]


def _colliding(names: list[str]) -> Finding:
    text = f"{name_some(names)} differ only in letter case or Unicode form; keep one, named as its input"
    return problem("colliding-names", text, names[0])
