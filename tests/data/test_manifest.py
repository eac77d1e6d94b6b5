import hashlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.data import Manifest, ManifestRow, format_manifest, parse_manifest, read_manifest, write_manifest
from raim.errors import ManifestError, OutputError

HASH_A = hashlib.sha256(b"a").hexdigest()
HASH_B = hashlib.sha256(b"b").hexdigest()


def mistakes(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text, file_name="m.csv")
    return str(caught.value)


def test_a_plain_manifest_is_read():
    manifest = parse_manifest(f"name,scenario,width,height,sha256\n0001,denoise,64,48,{HASH_A}\n0002,,,,\n")
    assert manifest.rows == (
        ManifestRow(name="0001", scenario="denoise", width=64, height=48, input_sha256=HASH_A),
        ManifestRow(name="0002"),
    )
    assert manifest.ignored_columns == ()


def test_only_the_name_is_required():
    assert parse_manifest("name\n0001\n").rows == (ManifestRow(name="0001"),)


@pytest.mark.parametrize("column", ["scenario", "issue", "label", " Scenario ", "LABEL"])
def test_the_scenario_has_three_column_names_in_any_case(column):
    assert parse_manifest(f"name,{column}\n0001,moire\n").rows[0].scenario == "moire"


def test_a_label_beside_a_scenario_is_only_a_remark():
    manifest = parse_manifest("name,scenario,label\n0001,moire,nice one\n")
    assert manifest.rows[0].scenario == "moire"
    assert manifest.ignored_columns == ("label",)


def test_pairs_and_unpaired_images_may_share_a_manifest():
    manifest = parse_manifest("name,scenario,issue\n0001,denoise,\n0002,,text\n")
    assert manifest.scenarios() == ("denoise", "text")


def test_a_row_cannot_have_both_a_scenario_and_an_issue():
    assert "both the scenario 'denoise' and the issue 'text'" in mistakes(
        "name,scenario,issue\n1,denoise,text\n"
    )


def test_input_and_reference_rows_merge_and_the_reference_states_the_size():
    manifest = parse_manifest(
        "name,role,label,width,height,sha256,licence\n"
        f"a,input,super_resolution,16,12,{HASH_A},x\n"
        f"a,reference,super_resolution,64,48,{HASH_B.upper()},x\n"
        "a,input_native,super_resolution,4,3,,x\n"
    )
    assert manifest.rows == (
        ManifestRow(
            name="a",
            scenario="super_resolution",
            width=64,
            height=48,
            input_sha256=HASH_A,
            reference_sha256=HASH_B,
        ),
    )
    assert manifest.ignored_columns == ("licence",)


def test_an_input_row_alone_states_no_size_of_the_restored_image():
    row = parse_manifest("name,role,width,height\na,input,16,12\n").rows[0]
    assert (row.width, row.height) == (None, None)


def test_a_byte_order_mark_crlf_and_blank_lines_do_not_matter(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbfname, issue\r\n\r\n 0001 , text \r\n,\r\n")
    assert read_manifest(path).rows == (ManifestRow(name="0001", scenario="text"),)


def test_names_are_kept_in_nfc():
    assert parse_manifest(unicodedata.normalize("NFD", "name\nété\n")).rows[0].name == "été"


def test_a_misspelt_column_is_named_with_its_line():
    assert mistakes("nmae\n1\n") == "m.csv, line 1: no column is named 'nmae'; did you mean 'name'?"
    assert "did you mean 'scenario'" in mistakes("name,scenaro\n1,x\n")


def test_a_missing_name_column_lists_what_is_there():
    assert "the column 'name' is missing; the first line must name the columns and has: foo, bar" in mistakes(
        "foo,bar\n"
    )
    assert "has: nothing" in mistakes("")


@pytest.mark.parametrize(
    "content",
    [
        "name;scenario;width;height\n0001;moire;224;48\n",
        "sep=;\r\nname;scenario;width;height\r\n0001;moire;224;48\r\n",
        "NAME\tIssue\tWidth\theight\t\n0001\tmoire\t224.0\t48.\t\n\t\t\t\t\n",
        'name,scenario,width,height,,\r\n0001,moire,"224,0",48,,\r\n,,,,,\r\n',
        ",name,scenario,width,height\n0,0001,moire,224,48\n",
        "name,scenario,width,height\r0001\u00a0,moire,224,48\r".encode("utf-16"),
        "name,scenario,width,height\n\u200b0001,\ufeffmoire,224,48\n",
    ],
)
def test_tables_of_spreadsheets_are_read(content):
    manifest = parse_manifest(content)
    assert manifest.rows == (ManifestRow(name="0001", scenario="moire", width=224, height=48),)
    assert manifest.ignored_columns == ()


def test_names_that_lost_their_zeros_get_them_back_with_a_note():
    manifest = parse_manifest("name,scenario\n1,denoise\n2,blur\nx,moire\n").match(["0001", "0002", "x", "y"])
    assert [row.name for row in manifest.rows] == ["0001", "0002", "x"]
    assert manifest.lines["0002", ""] == 3
    assert (
        "a spreadsheet has shortened 2 names, which are read as they were: 1 as 0001, 2 as 0002;"
        in manifest.notes[0]
    )


def test_a_manifest_of_which_no_row_names_an_image_is_refused():
    with pytest.raises(ManifestError, match="no row names an image: it has a, b, the images are 0001"):
        parse_manifest("name\na\nb\n").match(["0001"])


def test_a_repeated_column_is_refused():
    assert "the column 'name' is there twice" in mistakes("name,name\n1,2\n")


def test_all_mistakes_are_listed_with_their_lines():
    text = mistakes(
        "name,scenario,width,height,sha256\n"
        "0001.png,a,64,48,\n"
        "0002,a,64,,\n"
        "0003,a,-1,48,\n"
        "0004,a,,,xyz\n"
        "0005,a\n"
        ",a,,,\n"
        "x/y,a,,,\n"
    )
    assert text.startswith("m.csv has 7 mistakes:")
    for line, part in [
        (2, "'0001.png' has a file suffix; expected the stem '0001'"),
        (3, "the size is '64' by ''"),
        (4, "the size is '-1' by '48'"),
        (5, "the sha256 'xyz' is not 64 hexadecimal digits"),
        (6, "it has 2 cells, the first line names 5 columns"),
        (7, "the name is empty"),
        (8, "the name 'x/y' has a slash"),
    ]:
        assert re.search(rf"m\.csv, line {line}: .*{re.escape(part)}", text)


def test_a_name_cannot_stand_twice_without_roles():
    assert "line 3: the name 'a' with no role stands in line 2 already" in mistakes("name\na\na\n")


def test_a_name_cannot_stand_twice_with_one_role():
    assert "with the role 'input' stands in line 2" in mistakes("name,role\na,input\na,input\n")


def test_rows_of_one_name_must_agree_on_the_scenario():
    text = mistakes("name,role,label\na,input,denoise\na,reference,moire\n")
    assert "has the scenario 'moire' here and 'denoise' in line 2" in text


def test_names_that_differ_only_in_case_are_refused():
    assert "the name 'IMG' differs from 'img' (line 2) only in case" in mistakes("name\nimg\nIMG\n")


def test_a_manifest_without_rows_is_refused():
    assert "it has no rows" in mistakes("name\n")


def test_a_file_that_is_not_text_or_not_there_is_refused(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"name\n\xc3\xa9\xff\n")
    with pytest.raises(ManifestError, match="is not UTF-8"):
        read_manifest(path)
    with pytest.raises(ManifestError, match="No such file"):
        read_manifest(tmp_path / "none.csv")


def test_an_open_quotation_is_refused():
    assert "m.csv, line 2: it is not CSV" in mistakes('name\n"0001\n')


def test_an_unwritable_manifest_is_an_expected_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_manifest(tmp_path / "none" / "m.csv", [])


WORDS = st.text("abcxyzé0123456789,;\"' _-.=+@", min_size=1, max_size=8).map(lambda word: f"{word.strip()}n")
HASHES = st.none() | st.sampled_from([HASH_A, HASH_B])
SIDES = st.integers(1, 99_999)
ROWS = st.builds(
    lambda size, **values: ManifestRow(width=size and size[0], height=size and size[1], **values),
    st.none() | st.tuples(SIDES, SIDES),
    name=WORDS,
    scenario=st.none() | WORDS,
    input_sha256=HASHES,
    reference_sha256=HASHES,
)
TABLES = st.lists(ROWS, min_size=1, max_size=6, unique_by=lambda row: row.name)


@given(TABLES)
def test_what_is_written_is_read_back(rows):
    assert parse_manifest(format_manifest(rows)).rows == tuple(rows)


@given(TABLES, st.randoms())
def test_the_hash_does_not_depend_on_the_order_of_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert Manifest(rows=tuple(shuffled)).sha256() == Manifest(rows=tuple(rows)).sha256()


def test_the_hash_depends_on_every_value_and_not_on_line_ends_or_other_columns():
    base = parse_manifest("name,scenario\n1,a\n2,b\n").sha256()
    assert parse_manifest("scenario,camera,name\r\nb,X,2\r\na,Y,1\r\n").sha256() == base
    others = [
        "name,scenario\n1,a\n2,c\n",
        "name,scenario\n1,a\n3,b\n",
        "name,scenario,width,height\n1,a,,\n2,b,4,4\n",
    ]
    assert len({base, *(parse_manifest(text).sha256() for text in others)}) == 4


def test_a_manifest_file_is_written_and_read_back(tmp_path):
    rows = (ManifestRow(name="0001", scenario="denoise", width=64, height=48),)
    write_manifest(tmp_path / "m.csv", rows)
    assert read_manifest(tmp_path / "m.csv").rows == rows


@pytest.mark.shared
def test_the_manifest_of_the_shared_photographs_is_read(shared):
    manifest = read_manifest(shared / "data" / "MANIFEST.csv")
    assert len(manifest.rows) == 50
    assert "denoise" in manifest.scenarios()
    assert "source" in manifest.ignored_columns
    rows = manifest.by_name()
    assert (rows["realsr_Canon_019_LR4"].width, rows["realsr_Canon_019_LR4"].height) == (512, 512)
    assert sum(row.reference_sha256 is not None for row in manifest.rows) == 30
