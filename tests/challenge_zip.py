"""A challenge's folder as the zip that is uploaded."""

import io
import zipfile


def pack_folder(folder, *, top="", changes=None, extra=None):
    """Give a zip of a folder; texts of challenge.toml are changed, files added under their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            content = path.read_bytes()
            if path.name == "challenge.toml":
                text = content.decode()
                for old, new in (changes or {}).items():
                    assert old in text, old
                    text = text.replace(old, new)
                content = text.encode()
            archive.writestr(zipfile.ZipInfo(top + path.relative_to(folder).as_posix()), content)
        for name, content in (extra or {}).items():
            archive.writestr(zipfile.ZipInfo(top + name), content)
    return packed.getvalue()
