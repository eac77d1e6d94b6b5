from datetime import UTC, datetime
from pathlib import Path

import pytest

from raim.challenge import examine_challenge, find_problems, parse_challenge, read_challenge
from raim.data import read_manifest
from raim.errors import ChallengeError
from raim.scoring import PROFILES

SETTINGS = {"profiles": PROFILES, "read_manifest": read_manifest}

# What is changed in the example -> the line that is named (as it then is) and what is said of it.
MISTAKES = {
    "wrong type": (("places = 2", 'places = "2"'), 'places = "2"', "places is the text '2'; expected a whole number"),
    "true is no number": (("places = 2", "places = true"), "places = true", "places is true; expected a whole number"),
    "out of range": (("places = 2", "places = 0"), "places = 0", "places is 0; expected a whole number from 1 to 2"),
    "unknown key": (
        ("tagline =", "tag_line ="),
        "tag_line =",
        "[challenge] has no key 'tag_line'; did you mean 'tagline'?",
    ),
    "unknown key in an inline table": (
        ("tries_in_all = 3 }", "tries_total = 3 }"),
        "final = {",
        "[phase] 3 [final] has no key 'tries_total'; did you mean 'tries_in_all'?",
    ),
    "unknown table": (("[finalists]", "[finalist]"), "[finalist]", "has no key 'finalist'; did you mean 'finalists'?"),
    "missing key": (("closes = 2026-03-31T12:00:00Z\n", ""), "[[phase]]", "[phase] 1 has no 'closes'"),
    "empty text": (('"My image restoration challenge"', '" "'), "name =", "name is empty"),
    "bad id": (('id = "tuning"', 'id = "Tuning phase"'), "id =", "id is 'Tuning phase'; expected small letters"),
    "table for tables": (("[[sponsor]]", "[sponsor]"), "[sponsor]", "sponsor is a table; expected tables, each under"),
    "date in quotes": (
        ("opens = 2026-03-01T12:00:00Z", 'opens = "2026-03-01T12:00:00Z"'),
        "opens =",
        "expected a date and time with its zone, without quotes",
    ),
    "date without zone": (
        ("opens = 2026-03-01T12:00:00Z", "opens = 2026-03-01T12:00:00"),
        "opens =",
        "opens is 2026-03-01T12:00:00 without a time zone; add Z or an offset",
    ),
    "date without time": (
        ("opens = 2026-03-01T12:00:00Z", "opens = 2026-03-01"),
        "opens =",
        "opens is the date or time 2026-03-01; expected a date and time with its zone",
    ),
    "unknown zone": (('\ntimezone = "UTC"', '\ntimezone = "Europe/Zuerich"'), "timezone =", "is 'Europe/Zuerich'"),
    "unknown profile": (
        ('"raim-2024"', '"raim-2042"'),
        "profile =",
        "there is no profile 'raim-2042'; did you mean 'raim-2024'?",
    ),
    "unknown measure": (('"dists", "lpips"', '"dists", "lips"'), "ties =", "no measure 'lips'; did you mean 'lpips'?"),
    "closes before it opens": (
        ("closes = 2026-05-16T12:00:00Z", "closes = 2026-05-01T12:00:00Z"),
        "closes = 2026-05-01",
        "'final' closes at 2026-05-01 12:00 UTC; expected later than 2026-05-02 12:00 UTC",
    ),
    "overlap": (
        ("opens = 2026-05-02T12:00:00Z", "opens = 2026-04-30T11:00:00Z"),
        "opens = 2026-04-30T11",
        "'final' opens at 2026-04-30 11:00 UTC, before 'feedback' closes at 2026-04-30 12:00 UTC",
    ),
    "duplicate id": (
        ('id = "tuning-unpaired"', 'id = "tuning-pairs"'),
        'id = "tuning-pairs"',
        "the id 'tuning-pairs' is that of [[data_set]] 1 already",
    ),
    "unknown data set": (
        ('["feedback-pairs"]', '["feedback-pair"]'),
        "gives_out =",
        "there is no data set 'feedback-pair'; did you mean 'feedback-pairs'?",
    ),
    "scored without references": (
        ('scored = { on = "feedback-pairs"', 'scored = { on = "tuning-unpaired"'),
        "scored = {",
        "the data set 'tuning-unpaired' is unpaired; only paired images can be scored",
    ),
    "no references to give": (
        ('gives_references_of = ["tuning-pairs"]', 'gives_references_of = ["tuning-unpaired"]'),
        "gives_references_of =",
        "the data set 'tuning-unpaired' is unpaired; it has no references to give",
    ),
    "references of a scored set": (
        ('gives_references_of = ["tuning-pairs"]', 'gives_references_of = ["feedback-pairs"]'),
        "gives_references_of =",
        "references of 'feedback-pairs' are given out from 2026-03-01 12:00 UTC on, but the phase 'feedback' is scored",
    ),
    "inputs nobody has": (
        ('gives_out = ["final-unpaired"]\n', ""),
        "final = {",
        "no phase that opens by 2026-05-02 12:00 UTC gives out 'final-unpaired'",
    ),
    "finalists' phase": (
        ('phase = "feedback"', 'phase = "feedbak"'),
        "phase =",
        "there is no phase 'feedbak'; did you mean 'feedback'?",
    ),
    "finalists of an unscored phase": (('phase = "feedback"', 'phase = "tuning"'), "phase =", "scores nothing"),
    "counting where nothing is scored": (
        ('open_to = "finalists"', 'counts = "last"'),
        "counts =",
        "'final' scores nothing, so nothing counts on its board; leave out `counts`",
    ),
    "unknown counting": (('counts = "best"', 'counts = "bst"'), "counts =", "did you mean 'best'?"),
    "more candidates than finalists": (("tiles = 0", "tiles = 11"), "tiles =", "there are only 10 finalists"),
    "fewer candidates than picks": (("tiles = 0", "tiles = 2"), "tiles =", "as many as it has points for"),
    "study of an unjudged phase": (('phase = "final"', 'phase = "tuning"'), "phase =", "takes no final submissions"),
    "points": (("points = [3, 2, 1]", "points = [3, 2]"), "points =", "'top-three' needs 3"),
    "rising points": (("points = [3, 2, 1]", "points = [1, 2, 3]"), "points =", "that never rise"),
    "weights": (("score = 0.4", "score = 0.5"), "[weights]", "the weights 0.5 and 0.6 sum to 1.1; expected 1"),
    "unknown choice": (('mode = "top-three"', 'mode = "top-tree"'), "mode =", "did you mean 'top-three'?"),
    "unknown award": (('award = "first-class"', 'award = "first"'), "award =", "there is no award 'first'"),
    "unknown sponsor": (('sponsor = "Example Cameras"', 'sponsor = "Other"'), "sponsor =", "no sponsor 'Other'"),
    "missing file of text": (
        ('"description.md"', '"missing.md"'),
        "description =",
        "description names the file 'missing.md', which cannot be read: No such file",
    ),
    "another schema": (("schema = 1", "schema = 2"), "schema =", "schema is 2; this version of raim reads 1"),
    "a paired set without references": (
        ('kind = "paired"', 'kind = "paired"\nreference = ""'),
        "reference =",
        "the data set 'tuning-pairs' is paired; name the folder of references",
    ),
    "an unpaired set with references": (
        ('kind = "unpaired"', 'kind = "unpaired"\nreference = "reference"'),
        "reference =",
        "the data set 'tuning-unpaired' is unpaired; leave out `reference`",
    ),
    "a table once where several may stand": (
        ("[[organiser]]", "[organiser]"),
        "[organiser]",
        "organiser is a table; expected tables, each under a line [[organiser]]",
    ),
    "wrong kind of element": (("ties = [", "ties = [3, "), "ties =", "ties holds the number 3; expected texts"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_line(validate, mistake):
    change, start, message = MISTAKES[mistake]
    found = [
        (line, each) for line, each in validate(change, check_hashes=False) if each.severity == "problem"
    ]
    assert any(line.startswith(start) and message in each.message for line, each in found), found


# Mistakes that rightly have a consequence elsewhere, which is named too.
WITH_CONSEQUENCES = {
    "unknown table",
    "unknown data set",
    "duplicate id",
    "references of a scored set",
    "overlap",
}


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - WITH_CONSEQUENCES))
def test_one_mistake_is_one_problem(validate, mistake):
    found = validate(MISTAKES[mistake][0], check_hashes=False)
    assert len([each for _, each in found if each.severity == "problem"]) == 1, found


def test_all_mistakes_are_listed_together_in_the_order_of_lines(validate):
    together = ["wrong type", "unknown key", "date without zone", "points", "weights", "unknown award"]
    found = [each for _, each in validate(*(MISTAKES[name][0] for name in together)) if each.line]
    for name in together:
        assert any(MISTAKES[name][2] in each.message for each in found), name
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_the_error_carries_all_problems(example):
    file = example / "challenge.toml"
    file.write_text(file.read_text().replace("places = 2", "places = 0").replace("schema = 1", "schema = 3"))
    with pytest.raises(ChallengeError) as caught:
        read_challenge(example, **SETTINGS)
    assert len(caught.value.problems) == 2
    assert [str(each) in str(caught.value) for each in caught.value.problems] == [True, True]
    line = 1 + file.read_text().splitlines().index(
        "schema = 3                                  # the form of this file"
    )
    assert f"{file}:{line}: schema is 3" in str(caught.value)


def test_what_is_not_toml_is_named_with_its_line(example):
    (example / "challenge.toml").write_text('schema = 1\n\n[challenge\nid = "a"\n')
    (problem,) = find_problems(example, **SETTINGS)
    assert (problem.line, "is not TOML" in problem.message) == (3, True)


def test_a_text_that_ends_too_early_is_named_at_its_end(example):
    (example / "challenge.toml").write_text('schema = 1\nname = """\nabc\n')
    (problem,) = find_problems(example, **SETTINGS)
    assert problem.line == 4


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None], ids=["not UTF-8", "missing"])
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path, content):
    if content is not None:
        (tmp_path / "challenge.toml").write_bytes(content)
    (problem,) = find_problems(tmp_path, **SETTINGS)
    assert problem.file == str(tmp_path / "challenge.toml")


def test_an_empty_file_is_reported_with_all_that_a_challenge_must_have(tmp_path):
    (tmp_path / "challenge.toml").write_text("")
    messages = {each.message for each in find_problems(tmp_path, **SETTINGS)}
    for part in ("'schema'", "[challenge]", "[website]", "[[phase]]", "[[data_set]]"):
        assert any(part in message for message in messages)


def test_the_example_becomes_records(example):
    challenge = read_challenge(example, **SETTINGS)
    assert [phase.kind for phase in challenge.phases] == ["tuning", "scored", "final"]
    assert challenge.phase("feedback").opens == datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert challenge.phase("feedback").intakes.keys() == {"scored", "feedback"}
    assert (challenge.weights.score, challenge.weights.study, challenge.study.points) == (0.4, 0.6, (3, 2, 1))
    assert [award.places for award in challenge.awards] == [1, 2, 3]
    assert challenge.website.description.startswith("## What this challenge is about")
    image = challenge.data_set("feedback-pairs").images[1]
    assert (image.name, image.scenario, image.width, image.height) == ("0002", "motion blur", 208, 112)


def test_phases_come_in_the_order_of_time_and_problems_where_they_stand(example):
    file = example / "challenge.toml"
    text = file.read_text()
    start, end = text.index('[[phase]]\nid = "final"'), text.index("# ------", text.index('id = "final"\n'))
    final = text[start:end]
    turned = text[:start] + text[end:]
    first = turned.index('[[phase]]\nid = "tuning"')
    file.write_text(turned[:first] + final + turned[first:])
    assert [phase.id for phase in read_challenge(file, **SETTINGS).phases] == ["tuning", "feedback", "final"]
    file.write_text(file.read_text().replace('open_to = "finalists"', 'open_to = "nobody"'))
    (problem,) = find_problems(file, **SETTINGS)
    assert file.read_text().splitlines()[problem.line - 1].startswith('open_to = "nobody"')


def test_offsets_become_utc(example):
    text = (
        (example / "challenge.toml").read_text().replace("2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00")
    )
    challenge = parse_challenge(text, profiles=PROFILES, folder=example)
    assert challenge.phases[0].opens == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_phase_says_which_entry_counts_or_the_whole_challenge_does(example):
    def counting(*changes):
        text = file.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        read = parse_challenge(text, folder=example, profiles=PROFILES)
        return read.counting(read.phase("feedback"))

    file = example / "challenge.toml"
    assert counting() == "best"
    assert counting(('counts = "best"', 'counts = "last"')) == "last"
    of_all = 'counts = "best"                             # in'
    assert (
        counting(
            ('counts = "best"                             # of', "# of"), (of_all, 'counts = "chosen" # in')
        )
        == "chosen"
    )


def test_without_a_study_the_score_alone_counts(example):
    text = (example / "challenge.toml").read_text()
    text = text[: text.index("[study]")] + text[text.index("[registration]") :]
    challenge = parse_challenge(text, profiles=PROFILES, folder=example)
    assert (challenge.study, challenge.weights.score, challenge.weights.study) == (None, 1.0, 0.0)


def test_weights_without_a_study_are_a_problem(validate, example):
    text = (example / "challenge.toml").read_text()
    study = text[text.index("[study]") : text.index("[weights]")]
    found = validate((study, ""))
    assert [(line, each.message) for line, each in found] == [
        ("study = 0.6", "study is 0.6 but there is no table [study]; add one, or give score the weight 1")
    ]


def test_a_faulty_table_does_not_make_its_users_wrong(validate):
    found = validate(("count = 10", 'count = "ten"'), ('kind = "paired"', 'kind = "pairs"'))
    assert [line.split(" =")[0] for line, _ in found] == ["kind", "count"]


def test_a_data_set_that_no_phase_uses_is_a_note(validate):
    found = validate(('on = "tuning-unpaired"', 'on = "tuning-pairs"'), (', "tuning-unpaired"]', "]"))
    assert [(each.severity, each.message) for _, each in found] == [
        ("note", "no phase uses the data set 'tuning-unpaired'")
    ]


def test_finalists_are_chosen_before_their_phase(validate):
    found = validate(("opens = 2026-05-02T12:00:00Z", "opens = 2026-04-30T12:00:00Z"))
    assert found == []
    found = validate(("opens = 2026-04-30T12:00:00Z", "opens = 2026-04-29T12:00:00Z"))
    assert any("which chooses them, closes later" in each.message for _, each in found)


def test_the_records_know_the_path_they_were_read_from(example):
    assert read_challenge(example, **SETTINGS).folder == Path(example)


def test_a_text_file_that_is_not_utf_8_is_named_with_the_byte(validate, example):
    (example / "description.md").write_bytes(b"caf\xe9")
    ((line, problem),) = validate()
    assert line.startswith("description =")
    assert problem.message == "description names the file 'description.md', which is not UTF-8 (byte 3)"


def test_arrays_of_what_is_no_table_are_named(validate):
    ((line, problem),) = validate(
        ("schema = 1", 'schema = 1\nsponsor = ["X"]'), ("[[sponsor]]", "[[prize]]")
    )[:1]
    assert line.startswith('sponsor = ["X"]')
    assert problem.message.startswith("sponsor holds the text 'X'; expected tables")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('folder = "data/tuning-pairs"', 'folder = "{outside}/data/tuning-pairs"'),
        ('folder = "data/tuning-pairs"', 'folder = "data/../../challenge/data/tuning-pairs"'),
        ('kind = "paired"', 'kind = "paired"\ninput = "../input"'),
        ('kind = "paired"', 'kind = "paired"\nreference = "{outside}"'),
        ('kind = "paired"', 'kind = "paired"\nmanifest = "../manifest.csv"'),
        ('"description.md"', '"../secret.md"'),
        ('"description.md"', '"{outside}/secret.md"'),
    ],
)
def test_a_closed_folder_names_nothing_outside_of_it_and_nothing_there_is_read(example, tmp_path, old, new):
    (tmp_path / "secret.md").write_text("a secret")
    file = example / "challenge.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new.format(outside=tmp_path), 1))
    examined = examine_challenge(example, **SETTINGS, check_hashes=False, is_closed=True)
    assert examined.challenge is None
    assert [each.line for each in examined.found if "leads out of the challenge's folder" in each.message]
    assert "a secret" not in repr(examined)


def test_a_closed_folder_that_keeps_to_itself_is_read(example):
    images = []
    examined = examine_challenge(example, **SETTINGS, is_closed=True, on_image=images.append)
    assert examined.challenge is not None
    sizes = [
        1 + (image.reference_file is not None)
        for each in examined.challenge.data_sets
        for image in each.images
    ]
    assert images == sizes
