import hashlib
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from raim.challenge import read_challenge
from raim.data import read_manifest
from raim.images import write_image
from raim.scoring import PROFILES

PAIRS = "data/feedback-pairs"


def png(width, height):
    return np.zeros((height, width, 3), np.uint8)


def messages(found):
    return [each.message for _, each in found if each.severity == "problem"]


def test_a_missing_folder_is_named(validate, example):
    shutil.rmtree(example / PAIRS / "reference")
    found = validate()
    assert "the folder of references of 'feedback-pairs' is not there" in messages(found)[0]


def test_an_input_without_a_reference_and_the_other_way_round_are_named(validate, example):
    (example / PAIRS / "reference" / "0002.png").rename(example / PAIRS / "reference" / "0003.png")
    found = validate()
    assert messages(found) == ["the input '0002' has no reference", "the reference '0003' has no input"]
    assert found[0][1].file == str(example / PAIRS / "input" / "0002.png")


def test_a_row_without_an_image_is_named_with_its_line(validate, example):
    for part in ("input", "reference"):
        (example / PAIRS / part / "0002.png").unlink()
    ((line, problem),) = validate()
    assert line.startswith("0002,motion blur")
    assert problem.message.startswith("there is no input '0002'")


def test_an_image_without_a_row_is_a_note(validate, example):
    for part in ("input", "reference"):
        write_image(example / PAIRS / part / "0009.png", png(208, 112))
    ((_, note),) = validate()
    assert (note.severity, note.message) == (
        "note",
        "the manifest does not name '0009', so it has no scenario",
    )


@pytest.mark.parametrize("part", ["input", "reference"])
def test_a_changed_file_is_named_at_the_line_of_its_hash(validate, example, part):
    file = example / PAIRS / part / "0002.png"
    write_image(file, png(208, 112))
    ((line, problem),) = validate()
    assert line.endswith(part)
    assert hashlib.sha256(file.read_bytes()).hexdigest() in problem.message
    assert f"the {part} 0002.png" in problem.message


def test_hashes_are_not_compared_where_that_is_not_wanted(validate, example):
    write_image(example / PAIRS / "input" / "0002.png", png(208, 112))
    assert validate(check_hashes=False) == []


def test_a_reference_of_another_size_than_stated_is_named(validate, example):
    write_image(example / PAIRS / "reference" / "0001.png", png(100, 50))
    found = validate(check_hashes=False)
    assert messages(found) == ["the reference is 100x50, the manifest states 208x112; they must be the same"]


def test_a_larger_reference_needs_its_size_in_the_manifest(validate, example):
    folder = example / PAIRS
    for stem in ("0001", "0002"):
        write_image(folder / "reference" / f"{stem}.png", png(416, 224))
    (folder / "manifest.csv").write_text("name,scenario\n0001,super-resolution\n0002,super-resolution\n")
    assert messages(validate())[0].startswith("the reference is 416x224, its input 208x112; if that is meant")
    (folder / "manifest.csv").write_text("name,scenario,width,height\n0001,sr,416,224\n0002,sr,416,224\n")
    assert validate() == []
    challenge = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    image = challenge.data_set("feedback-pairs").images[0]
    assert (image.width, image.height) == (416, 224)
    assert image.input_sha256 == hashlib.sha256((folder / "input" / "0001.png").read_bytes()).hexdigest()


def test_faults_of_a_manifest_come_with_their_lines(validate, example):
    (example / PAIRS / "manifest.csv").write_text("name,width,height\n0001,3,x\n0002.png,,\n0003,,\n")
    found = validate()
    assert [(each.line, line) for line, each in found] == [(2, "0001,3,x"), (3, "0002.png,,")]
    assert "expected two whole numbers of pixels" in found[0][1].message


def test_a_manifest_that_a_spreadsheet_has_written_over_keeps_its_scenarios(validate, example):
    content = "\ufeffNAME;Scenario;;\r\n1;denoising;;\r\n2;blur;;\r\n;;;\r\n"
    (example / PAIRS / "manifest.csv").write_text(content, encoding="utf-8", newline="")
    ((_, note),) = validate()
    assert note.severity == "note"
    assert (
        "a spreadsheet has shortened 2 names, which are read as they were: 1 as 0001, 2 as 0002"
        in note.message
    )
    challenge = read_challenge(example, profiles=PROFILES, read_manifest=read_manifest)
    images = challenge.data_set("feedback-pairs").images
    assert [(image.name, image.scenario) for image in images] == [("0001", "denoising"), ("0002", "blur")]


def test_a_manifest_of_other_images_is_one_problem(validate, example):
    (example / PAIRS / "manifest.csv").write_text("name\na\nb\nc\n")
    assert messages(validate()) == ["no row names an image: it has a, b, c, the images are 0001, 0002"]


def test_a_single_fault_of_a_manifest_has_its_line_too(validate, example):
    (example / PAIRS / "manifest.csv").write_text("name,sha256\n0001,abc\n0002,\n")
    ((line, problem),) = validate()
    assert (problem.line, line) == (2, "0001,abc")


def test_a_missing_manifest_is_a_problem_unless_there_is_none(validate, example):
    (example / PAIRS / "manifest.csv").unlink()
    assert "the manifest of 'feedback-pairs' is not there" in messages(validate())[0]
    assert validate((f'folder = "{PAIRS}"', f'folder = "{PAIRS}"\nmanifest = ""')) == []


def test_an_empty_data_set_is_a_note(validate, example):
    for part in ("input", "reference"):
        shutil.rmtree(example / PAIRS / part)
        (example / PAIRS / part).mkdir()
    found = validate((f'folder = "{PAIRS}"', f'folder = "{PAIRS}"\nmanifest = ""'))
    assert [(each.severity, each.message) for _, each in found] == [
        ("note", "there is no input yet"),
        ("note", "there is no reference yet"),
    ]


def test_a_file_that_is_no_image_is_named(validate, example):
    (example / PAIRS / "input" / "0001.png").write_bytes(b"not an image")
    ((_, problem),) = validate()
    assert problem.file.endswith("0001.png")


def test_one_image_has_one_file(validate, example):
    shutil.copy(example / PAIRS / "input" / "0001.png", example / PAIRS / "input" / "0001.PNG")
    assert "0001.PNG but for suffix or case" in messages(validate())[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"icc_profile": "wide"}, "colour profile other than sRGB"),
        ({"exif": 6}, "the EXIF orientation 6"),
        ({"mode": "P"}, "its mode is palette"),
    ],
    ids=["profile", "rotation", "palette"],
)
def test_what_would_change_pixels_silently_is_named(validate, example, options, message):
    image = Image.new("RGB", (208, 112))
    more = {}
    if "exif" in options:
        exif = Image.Exif()
        exif[274] = options["exif"]
        more["exif"] = exif
    if "icc_profile" in options:
        more["icc_profile"] = b"\0" * 128
    image = image.convert(options.get("mode", "RGB"))
    file = io.BytesIO()
    image.save(file, "PNG", **more)
    (example / PAIRS / "reference" / "0001.png").write_bytes(file.getvalue())
    assert any(message in each for each in messages(validate(check_hashes=False)))


def test_hidden_and_other_files_are_left_alone(validate, example):
    (example / PAIRS / "input" / ".DS_Store").write_bytes(b"x")
    (example / PAIRS / "input" / "notes.txt").write_text("x")
    assert validate() == []


@pytest.mark.parametrize(
    "change",
    [
        ('folder = "data/tuning-pairs"', f'folder = "{PAIRS}"\ninput = "reference"'),
        (
            'folder = "data/tuning-pairs"',
            f'folder = "data/tuning-pairs"\ninput = "../../{PAIRS}/reference/../reference"',
        ),
    ],
    ids=["same folder", "by another way"],
)
def test_references_where_inputs_are_given_out_are_a_problem(validate, change):
    found = validate(change)
    assert any("references of 'feedback-pairs' lie where the inputs of" in each for each in messages(found))


@pytest.mark.parametrize(
    ("folder", "reason"),
    [("a" * 5000, "cannot be read (File name too long)"), ("circle", "cannot be read (Too many levels")],
    ids=["too long", "link to itself"],
)
def test_a_folder_that_cannot_be_listed_is_named_with_the_reason(validate, example, folder, reason):
    (example / "circle").symlink_to("circle")
    found = validate(('folder = "data/tuning-pairs"', f'folder = "{folder}"'))
    assert [reason in problem.message for _, problem in found] == [False, True, True]
    assert "the manifest of 'tuning-pairs' is not there" in found[0][1].message


def test_an_image_that_could_never_have_a_score_is_a_note_at_its_row(validate, example):
    for part in ("input", "reference"):
        for stem in ("0002", "0009"):
            write_image(example / PAIRS / part / f"{stem}.png", png(38, 300))
    manifest = example / "data/feedback-pairs/manifest.csv"
    manifest.write_text("name,scenario,width,height\n0001,denoising,208,112\n0002,motion blur,38,300\n")
    found = validate(check_hashes=False)
    small = [(line, each) for line, each in found if "never have a SCORE" in each.message]
    assert [each.severity for _, each in small] == ["note", "note"]
    assert small[0][0] == "0002,motion blur,38,300"
    assert small[1][1].file == str(example / PAIRS / "reference" / "0009.png")
    assert small[0][1].message == (
        "'0002' can never have a SCORE: lpips: the image is 38x300 (30x292 once 4 px are cut off each side), LPIPS "
        "needs at least 31x31; niqe: the image is 38x300 (30x292 once 4 px are cut off each side), NIQE needs at "
        "least 2 blocks of 96x96; use a larger one, or another profile"
    )


def test_an_image_without_a_reference_may_be_small(validate, example):
    shutil.rmtree(example / PAIRS / "reference")
    assert not any("SCORE" in each.message for _, each in validate(check_hashes=False))
