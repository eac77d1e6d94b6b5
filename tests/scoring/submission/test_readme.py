import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.errors import SubmissionError
from raim.scoring.submission.readme import Readme, format_readme, parse_readme

LINES = (
    "runtime per image [s] : 10.43",
    "CPU[1] / GPU[0] : 0",
    "Extra Data [1] / No Extra Data [0] : 1",
    "Other description : a U-Net",
)


def text(**changed: str) -> str:
    lines = list(LINES)
    for key, line in changed.items():
        lines[int(key[1:]) - 1] = line
    return "\n".join(line for line in lines if line is not None)


def mistakes(content: str) -> list[str]:
    with pytest.raises(SubmissionError) as caught:
        parse_readme(content)
    assert {each.code for each in caught.value.problems} == {"readme-malformed"}
    return [each.message for each in caught.value.problems]


def test_the_four_lines_are_read():
    expected = Readme(runtime_s=10.43, is_on_cpu=False, has_extra_data=True, description="a U-Net")
    assert parse_readme(text()) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"_1": "RUNTIME PER IMAGE[s]:10.43"},
        {"_1": "  Runtime  per image [s] :10.43 s"},
        {"_1": "runtime per image [s] \uff1a 10.43 seconds"},
        {"_2": "cpu [1]/gpu [0] :0"},
        {"_3": "extra data[1] / no extra data[0]: 1 "},
        {"_4": "other Description: a U-Net\n\n"},
    ],
)
def test_spaces_case_and_a_unit_do_not_matter(changed):
    assert parse_readme(text(**changed)) == parse_readme(text())


def test_order_and_line_ends_do_not_matter():
    assert parse_readme("\r\n\r\n".join(reversed(LINES))) == parse_readme(text())


def test_a_description_may_contain_colons_and_go_on_over_lines():
    readme = parse_readme(
        text(_4="Other description : code: Python\nDevice: one GPU\nsee https://example.org")
    )
    assert readme.description == "code: Python\nDevice: one GPU\nsee https://example.org"


@pytest.mark.parametrize("value", ["", "fast", "10,43", "-1", "0", "nan", "inf", "1e999", "10.43 ms"])
def test_a_runtime_is_a_number_of_seconds_above_zero(value):
    (message,) = mistakes(text(_1=f"runtime per image [s] : {value}"))
    assert "line 1 says `runtime per image [s] :" in message
    assert "such as `runtime per image [s] : 10.43`" in message


@pytest.mark.parametrize("line", [2, 3])
@pytest.mark.parametrize("value", ["", "2", "GPU", "yes", "0 or 1", "[1]"])
def test_a_flag_is_zero_or_one(line, value):
    label = LINES[line - 1].rpartition(" : ")[0]
    (message,) = mistakes(text(**{f"_{line}": f"{label} : {value}"}))
    assert f"line {line} says `{label} : {value}`" in message
    assert "expected 0 or 1" in message


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (1, "runtime per image [ms] : 10430"),
        (1, "runtime per image : 10.43"),
        (2, "GPU[1] / CPU[0] : 1"),
        (3, "Extra Data [0] / No Extra Data [1] : 0"),
    ],
)
def test_another_meaning_is_not_another_spelling(line, written):
    (message,) = mistakes(text(**{f"_{line}": written}))
    assert f"line {line} says `{written}`" in message
    assert LINES[line - 1].rpartition(" : ")[0] in message


def test_every_missing_line_is_named():
    messages = mistakes("")
    assert len(messages) == 4
    for line, message in zip(LINES, messages, strict=True):
        assert f"the line `{line.rpartition(' : ')[0]}` is missing" in message


def test_a_repeated_line_is_named_with_both_numbers():
    (message,) = mistakes(text() + "\n" + LINES[1])
    assert "line 5 states `CPU[1] / GPU[0]` again after line 2" in message


def test_an_unknown_line_is_named():
    (message,) = mistakes("Team: the best\n" + text())
    assert "line 1 says `Team: the best`; expected one of the four lines" in message


def test_an_empty_description_is_named():
    (message,) = mistakes(text(_4="Other description :"))
    assert "line 4" in message
    assert "the method in a few words" in message


def test_all_mistakes_are_listed_together():
    assert (
        len(
            mistakes("runtime per image [s] : x\nCPU[1] / GPU[0] : x\nExtra Data [1] / No Extra Data [0] : x")
        )
        == 4
    )


@given(st.text() | st.permutations(LINES).map("\x0b".join))
def test_any_text_is_read_or_refused_with_printable_messages(content):
    messages = []
    try:
        assert math.isfinite(parse_readme(content).runtime_s)
    except SubmissionError as error:
        messages = [each.message for each in error.problems]
    assert all(message.isprintable() for message in messages)


@given(
    st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    st.booleans(),
    st.booleans(),
    st.text("abc :xyz", min_size=1).map(str.strip).filter(bool),
)
def test_what_is_written_is_read_back(runtime_s, is_on_cpu, has_extra_data, description):
    readme = Readme(
        runtime_s=runtime_s, is_on_cpu=is_on_cpu, has_extra_data=has_extra_data, description=description
    )
    assert parse_readme(format_readme(readme)) == readme
