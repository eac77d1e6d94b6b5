import json
import random
import struct
import unicodedata
import zipfile

import pytest

from raim.data import Manifest, ManifestRow
from raim.errors import ImageError, InputError, SubmissionError
from raim.scoring.submission import NOTES, PROBLEMS, Limits, Readme, check_submission, open_images


@pytest.fixture
def inputs(forge):
    return forge.write_folder("inputs", {"a.png": forge.image(), "b.jpg": forge.image(kind="JPEG")})


@pytest.fixture
def check(forge, inputs):
    """Check a zip of the sound files with changes: None takes one out."""

    def run(changes=(), **options):
        files = {**forge.files("a", "b"), **dict(changes)}
        path = forge.write_zip({name: content for name, content in files.items() if content is not None})
        return check_submission(path, inputs, **options)

    return run


def codes(findings) -> list[str]:
    return [each.code for each in findings]


def only(report, code):
    assert codes(report.problems) == [code]
    return report.problems[0]


def test_a_sound_submission_is_fine_as_zip_and_as_folder(forge, inputs):
    for path in (forge.write_zip(forge.files("a", "b")), forge.write_folder("team", forge.files("a", "b"))):
        report = check_submission(path, inputs)
        assert report.is_fine
        assert (report.n_inputs, report.n_images) == (2, 2)
        assert report.problems == report.notes == ()
        assert report.readme == Readme(
            runtime_s=10.43, is_on_cpu=False, has_extra_data=True, description="a test"
        )


def test_jpeg_is_as_good_as_png(check, forge):
    assert check({"a.png": None, "a.JPG": forge.image(kind="JPEG")}).is_fine


def test_images_match_by_name_in_any_order(forge, inputs):
    files = dict(reversed(forge.files("a", "b").items()))
    assert check_submission(forge.write_zip(files), inputs).is_fine


def test_names_match_in_any_unicode_form(forge):
    inputs = forge.write_folder("inputs", {"été.png": forge.image()})
    path = forge.write_zip(forge.files(unicodedata.normalize("NFD", "été")))
    assert check_submission(path, inputs).is_fine


@pytest.mark.parametrize(("encoding", "label"), [("gbk", "GBK"), ("cp1252", "Windows-1252")])
def test_a_name_in_an_old_encoding_is_reported_with_it_and_its_input_not_called_missing(
    forge, encoding, label
):
    inputs = forge.write_folder("inputs", {"Prüfbild.png": forge.image()})
    raw = "Prüfbild.png".encode(encoding)
    path = forge.write_zip({"x" * len(raw): forge.image(), "readme.txt": forge.readme.encode()})
    report = check_submission(forge.patch(path, 0, central={46: raw}, local={30: raw}), inputs)
    found = only(report, "name-encoding")
    assert f"is Prüfbild.png if stored in {label}" in found.message
    assert "in UTF-8 (7-Zip" in found.message
    assert codes(report.notes) == ["guessed-encoding"]


def test_a_name_in_the_encoding_of_old_zips_is_accepted_with_a_note(forge):
    inputs = forge.write_folder("inputs", {"Prüfbild.png": forge.image()})
    raw = "Prüfbild.png".encode("cp437")
    path = forge.write_zip({"x" * len(raw): forge.image(), "readme.txt": forge.readme.encode()})
    report = check_submission(forge.patch(path, 0, central={46: raw}, local={30: raw}), inputs)
    assert report.is_fine
    assert codes(report.notes) == ["guessed-encoding"]


def test_a_name_in_no_known_encoding_is_unexpected_and_the_encoding_spoken_of(forge, inputs):
    path = forge.write_zip({**forge.files("a", "b"), "x.png": forge.image()})
    report = check_submission(forge.patch(path, 3, central={46: b"\xff"}, local={30: b"\xff"}), inputs)
    assert "does not say in which encoding" in only(report, "unexpected").message


def test_what_desktop_programs_leave_is_accepted_in_a_folder_too(forge, inputs):
    junk = dict.fromkeys(
        (".ipynb_checkpoints/a-checkpoint.png", "@eaDir/a.png/T.jpg", "~$a.docx", "Icon\r"), b"x"
    )
    report = check_submission(forge.write_folder("team", {**forge.files("a", "b"), **junk}), inputs)
    assert report.is_fine
    assert codes(report.notes) == ["junk"]


def test_a_missing_image_is_named_with_its_size(check):
    found = only(check({"b.png": None}), "missing")
    assert found.name == "b"
    assert "input b.jpg has no restored image; add b.png, 16x12" in found.message


def test_an_unexpected_file_is_named(check):
    assert only(check({"notes.md": b"x"}), "unexpected").name == "notes.md"


def test_an_unexpected_image_gets_a_hint(check, forge):
    report = check({"a.png": None, "a_restored.png": forge.image()})
    assert codes(report.problems) == ["unexpected", "missing"]
    assert "did you mean a.png?" in report.problems[0].message


def test_another_letter_case_is_one_problem_and_not_a_missing_image(check, forge):
    found = only(check({"a.png": None, "A.png": forge.image()}), "unexpected")
    assert "differs from the input a in letter case; name it a.png" in found.message


def test_a_wrong_size_is_named_with_both_sizes(check, forge):
    found = only(check({"b.png": forge.image(15, 12)}), "wrong-size")
    assert found.message == "b.png is 15x12, its input b.jpg has 16x12; save it at that size"


def test_the_manifest_states_the_output_size(check, forge):
    rows = (ManifestRow(name="a", width=64, height=48), ManifestRow(name="b"))
    manifest = Manifest(rows=rows)
    found = only(check(manifest=manifest), "wrong-size")
    assert found.message == "a.png is 16x12, the manifest states 64x48; save it at that size"
    report = check({"a.png": forge.image(64, 48)}, manifest=manifest)
    assert report.is_fine
    assert report.manifest_sha256 == manifest.sha256()


def test_inputs_and_manifest_that_differ_are_noted(check):
    manifest = Manifest(
        rows=(ManifestRow(name="a", input_sha256="0" * 64), ManifestRow(name="c")),
        ignored_columns=("camera",),
    )
    report = check(manifest=manifest)
    assert report.is_fine
    assert codes(report.notes) == ["not-in-manifest", "not-in-inputs", "other-input", "ignored-columns"]


def test_inputs_that_are_the_manifests_are_not_noted(check, inputs):
    hashes = {stem: member.sha256() for stem, member in open_images(inputs).items()}
    rows = tuple(ManifestRow(name=stem, input_sha256=value) for stem, value in hashes.items())
    assert check(manifest=Manifest(rows=rows)).notes == ()


@pytest.mark.parametrize(
    ("mode", "kind", "part"),
    [
        ("L", "PNG", "is grey, its input a.png is in colour; save it as RGB"),
        ("P", "PNG", "has a palette"),
        ("CMYK", "JPEG", "has CMYK"),
    ],
)
def test_another_kind_of_pixels_is_a_wrong_mode(check, forge, mode, kind, part):
    name = "a.png" if kind == "PNG" else "a.jpg"
    found = only(check({"a.png": None, name: forge.image(mode=mode, kind=kind)}), "wrong-mode")
    assert part in found.message


def test_transparency_is_a_wrong_mode_and_an_opaque_alpha_a_note(check, forge):
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(forge.image())).convert("RGBA")
    opaque, clear = io.BytesIO(), io.BytesIO()
    image.save(opaque, "PNG")
    image.putalpha(128)
    image.save(clear, "PNG")
    report = check({"a.png": opaque.getvalue()})
    assert report.is_fine
    assert codes(report.notes) == ["image-warning"]
    assert "transparent" in only(check({"a.png": clear.getvalue()}), "wrong-mode").message


def test_sixteen_bits_belong_to_inputs_of_sixteen_bits(check, forge):
    assert "has 16 bits per sample" in only(check({"a.png": forge.image16()}), "wrong-mode").message
    deep = forge.write_folder("deep", {"a.png": forge.image16()})
    assert check_submission(forge.write_zip({**forge.files(), "a.png": forge.image16()}), deep).is_fine
    report = check_submission(forge.write_zip(forge.files("a")), deep)
    assert report.is_fine
    assert codes(report.notes) == ["bit-depth"]


def test_grey_belongs_to_grey(forge):
    inputs = forge.write_folder("grey", {"a.png": forge.image(mode="L")})
    grey = forge.write_zip({**forge.files(), "a.png": forge.image(mode="L")})
    assert check_submission(grey, inputs).is_fine
    report = check_submission(forge.write_zip(forge.files("a")), inputs)
    assert "is in colour, its input a.png is grey" in only(report, "wrong-mode").message


def test_a_foreign_colour_profile_is_refused_and_srgb_accepted(check, forge):
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    only(check({"a.png": forge.image(icc_profile=lab)}), "colour-profile")
    assert check({"a.png": forge.image(icc_profile=srgb)}).is_fine


def test_a_rotated_input_expects_an_upright_restoration(forge, tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(forge.image(16, 12, kind="JPEG", exif=exif))
    upright, stored = (
        {"a.png": forge.image(*size), "readme.txt": forge.files("a")["readme.txt"]}
        for size in ((12, 16), (16, 12))
    )
    assert check_submission(forge.write_zip(upright), tmp_path / "in").is_fine
    problem = only(check_submission(forge.write_folder("stored", stored), tmp_path / "in"), "wrong-size")
    assert "its input a.jpg has 12x16" in problem.message


def test_an_exif_rotation_is_refused(check, forge):
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6
    rotated = forge.image(16, 12, kind="JPEG", exif=exif)
    assert "rotation" in codes(check({"a.png": None, "a.jpg": rotated}).problems)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_image_is_found_by_decoding_it(check, forge, kind):
    name = "a.png" if kind == "PNG" else "a.jpg"
    whole = forge.image(64, 48, kind=kind)
    inputs_size = Manifest(rows=(ManifestRow(name="a", width=64, height=48), ManifestRow(name="b")))
    report = check({"a.png": None, name: whole[: len(whole) // 2]}, manifest=inputs_size)
    assert name in only(report, "unreadable").message


@pytest.mark.parametrize("content", [b"", b"hello", bytes(1000), b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_unreadable(check, content):
    only(check({"a.png": content}), "unreadable")


def test_an_image_of_too_many_pixels_is_not_decoded(forge, inputs):
    path = forge.write_zip({**forge.files("a", "b"), "a.png": forge.image(100, 100)})
    report = check_submission(path, inputs, limits=Limits(max_pixels=9_999))
    only(report, "image-too-large")


def test_a_third_format_is_refused_by_suffix_and_by_content(check, forge):
    webp = forge.image(kind="WEBP", lossless=True)
    assert "save it as a.png" in only(check({"a.png": None, "a.webp": webp}), "wrong-format").message
    assert "is a WEBP image" in only(check({"a.png": webp}), "wrong-format").message


def test_a_jpeg_that_is_named_png_is_noted(check, forge):
    report = check({"a.png": forge.image(kind="JPEG")})
    assert report.is_fine
    assert codes(report.notes) == ["suffix"]


def test_two_formats_of_one_image_are_refused(check, forge):
    only(check({"a.jpg": forge.image(kind="JPEG")}), "duplicate-stem")


def test_colliding_names_are_refused(check, forge):
    assert "colliding-names" in codes(check({"A.png": forge.image()}).problems)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_refused(forge, inputs):
    path = forge.write_zip([*forge.files("a", "b").items(), ("a.png", forge.image())])
    only(check_submission(path, inputs), "duplicate-member")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../a.png", "path-traversal"),
        ("/a.png", "absolute-path"),
        ("x\\a.png", "backslash"),
        ("\x1ba.png", "control-character"),
    ],
)
def test_an_unsafe_name_is_refused_and_its_image_not_called_missing_too(check, forge, name, code):
    report = check({"a.png": None, name: forge.image()})
    assert code in codes(report.problems)
    assert "unexpected" not in codes(report.problems)


def test_an_encrypted_image_is_refused_once(forge, inputs):
    flag = struct.pack("<H", 1)
    path = forge.patch(forge.write_zip(forge.files("a", "b")), 0, central={8: flag}, local={6: flag})
    assert only(check_submission(path, inputs), "encrypted").name == "a.png"


def test_a_linked_image_is_refused_once(forge, inputs):
    info = zipfile.ZipInfo("a.png")
    info.external_attr = 0o120777 << 16
    path = forge.write_zip([(info, b"/etc/passwd"), *forge.files("b").items()])
    only(check_submission(path, inputs), "symlink")


def test_wrong_checksums_are_found_while_unpacking(forge, inputs):
    crc = struct.pack("<L", 7)
    path = forge.patch(forge.write_zip(forge.files("a", "b")), 0, central={16: crc}, local={14: crc})
    only(check_submission(path, inputs), "checksum-mismatch")


def test_a_declared_size_that_lies_is_found_while_unpacking(forge, inputs):
    size = struct.pack("<L", 100)
    path = forge.patch(forge.write_zip(forge.files("a", "b")), 0, central={24: size}, local={22: size})
    only(check_submission(path, inputs), "size-mismatch")


def test_a_bomb_is_refused_unread(check):
    only(check({"a.png": bytes(3_000_000)}), "zip-bomb")


def test_an_archive_within_is_refused(check):
    assert only(check({"more.zip": b"PK"}), "nested-archive").name == "more.zip"


def test_an_archive_in_a_folder_is_refused_too(check):
    assert only(check({"x/more.7z": b""}), "nested-archive").name == "x/more.7z"


def test_images_in_a_folder_are_one_problem_not_many(check, forge):
    changes = {"a.png": None, "b.png": None, "results/a.png": forge.image(), "results/b.png": forge.image()}
    found = only(check(changes), "nested-folder")
    assert "files lie in the folder results/ (results/a.png and 1 more)" in found.message


def test_one_common_folder_and_junk_are_accepted_with_a_note(forge, inputs):
    files = {f"team/{name}": content for name, content in forge.files("a", "b").items()}
    files |= {"__MACOSX/team/._a.png": b"x", "team/.DS_Store": b"x", "team/Thumbs.db": b"x"}
    report = check_submission(forge.write_zip(files), inputs)
    assert report.is_fine
    assert codes(report.notes) == ["junk", "common-folder"]


def test_an_empty_zip_has_no_images_and_no_readme(forge, inputs):
    assert codes(check_submission(forge.write_zip({}), inputs).problems) == ["no-images", "readme-missing"]


@pytest.mark.parametrize("content", [b"Rar!\x1a\x07\x01\x00" + bytes(50), b"", b"PK\x03\x04"])
def test_what_is_no_sound_zip_is_one_problem(forge, inputs, content):
    path = forge.folder / "team.zip"
    path.write_bytes(content)
    report = check_submission(path, inputs)
    assert len(report.problems) == 1
    assert report.problems[0].code in ("not-an-archive", "damaged-archive")


def test_a_missing_readme_is_named_with_what_is_there(check):
    report = check({"readme.txt": None, "README.md": b"x"})
    assert codes(report.problems) == ["unexpected", "readme-missing"]
    assert "there is README.md" in report.problems[1].message


def test_a_readme_in_capitals_with_a_mark_or_in_utf16_is_read(check, forge):
    for content in (b"\xef\xbb\xbf" + forge.readme.encode(), forge.readme.encode("utf-16")):
        assert check({"readme.txt": None, "README.TXT": content}).is_fine


def test_a_readme_in_an_old_encoding_is_read(check, forge):
    content = forge.readme.replace("a test", "é").encode("latin-1")
    assert check({"readme.txt": content}).readme.description == "é"


def test_a_malformed_readme_is_refused_line_by_line(check):
    report = check({"readme.txt": b"runtime per image [s] : fast\n"})
    assert codes(report.problems) == ["readme-malformed"] * 4


def test_a_huge_readme_is_refused_unread(check):
    found = only(check({"readme.txt": random.Random(1).randbytes(70_000)}), "readme-malformed")  # noqa: S311
    assert "70000 bytes" in found.message


def test_everything_wrong_is_listed_at_once(forge, inputs):
    files = {
        "a.png": forge.image(8, 8, mode="L"),
        "x/b.png": forge.image(),
        "../c.png": b"",
        "more.rar": b"",
        "junk.txt": b"",
        "readme.txt": b"",
    }
    report = check_submission(forge.write_zip(files), inputs)
    assert set(codes(report.problems)) == {
        "path-traversal",
        "nested-folder",
        "nested-archive",
        "unexpected",
        "wrong-size",
        "wrong-mode",
        "readme-malformed",
    }
    assert set(codes(report.problems)) <= PROBLEMS.keys()
    assert set(codes(report.notes)) <= NOTES.keys()


def test_the_report_is_json_and_text(check):
    report = check({"b.png": None, ".DS_Store": b""})
    data = json.loads(json.dumps(report.as_dict()))
    assert data["schema"] == "raim-check/1"
    assert data["ok"] is False
    assert data["problems"] == [{"code": "missing", "name": "b", "message": report.problems[0].message}]
    assert data["notes"][0]["code"] == "junk"
    assert data["readme"]["runtime_s"] == 10.43
    lines = report.as_text().splitlines()
    assert lines[0].endswith("team.zip: 1 problem")
    assert lines[1] == f"  {report.problems[0].message} [missing]"
    assert lines[2] == "notes:"


def test_progress_counts_the_images(check):
    seen = []
    check(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_opened_inputs_can_be_used_for_many_checks(forge, inputs):
    folder = open_images(inputs)
    assert check_submission(forge.write_zip(forge.files("a", "b")), folder).is_fine


def test_inputs_may_be_a_zip(forge):
    inputs = forge.write_zip({"a.png": forge.image()}, name="inputs.zip")
    assert check_submission(forge.write_zip(forge.files("a")), inputs).is_fine


def test_faults_of_the_inputs_are_errors_and_not_the_teams_problems(forge, tmp_path):
    path = forge.write_zip(forge.files("a"))
    with pytest.raises(InputError):
        check_submission(path, tmp_path / "none")
    with pytest.raises(SubmissionError, match="no image at the root"):
        check_submission(path, forge.write_folder("empty", {"x.txt": b""}))
    with pytest.raises(ImageError, match=r"the input a\.png cannot be used"):
        check_submission(path, forge.write_folder("broken", {"a.png": b"x"}))
    with pytest.raises(InputError):
        check_submission(tmp_path / "none.zip", forge.write_folder("inputs", {"a.png": forge.image()}))


def test_nothing_is_written(forge, inputs):
    path = forge.write_zip(forge.files("a", "b"))
    before = {file: file.stat().st_mtime_ns for file in forge.folder.rglob("*")}
    check_submission(path, inputs)
    assert {file: file.stat().st_mtime_ns for file in forge.folder.rglob("*")} == before


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_changed_in_a_zip_a_check_gives_a_report(forge, inputs, seed):
    rng = random.Random(seed)  # noqa: S311  a test's damage is no secret
    path = forge.write_zip(forge.files("a", "b"))
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    report = check_submission(path, inputs)
    assert set(codes(report.problems)) <= PROBLEMS.keys()
    assert report.as_text().replace("\n", "").isprintable()
