"""The parts of the restorers' benchmark that compute nothing: plan, rows, tables, figure, document."""

import doctest
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from benchmark_scripts import FOLDER, load_scripts
from raim.images import write_image

# In the order in which they import each other.
NAMES = (
    "turns",
    "processes",
    "variants",
    "rows",
    "figure",
    "documents",
    "results",
    "restorations",
    "scored",
    "baselines",
    "engine_subject",
    "seams",
    "engines",
)


MODULES = load_scripts(NAMES)
variants, rows, figure, documents = (MODULES[name] for name in ("variants", "rows", "figure", "documents"))
restorations, results, baselines, engines = (
    MODULES[name] for name in ("restorations", "results", "baselines", "engines")
)


def make_outcome(variant, pair, scenario, score, **others):
    values = {**dict.fromkeys(rows.MEASURES, 1.0), "score": score}
    taken = {"megapixels": 0.5, "wall_s": 2.0, "cpu_s": 3.0, "peak_mb": 100.0}
    return rows.Outcome(variant=variant, pair=pair, scenario=scenario, values=values, **{**taken, **others})


OUTCOMES = [
    make_outcome("identity", "a", "denoise", 70.0),
    make_outcome("identity", "b", "denoise", 50.0),
    make_outcome("identity", "c", "moire", 20.0, megapixels=2.0),
    make_outcome("net-r1", "a", "denoise", 76.0, wall_s=100.0, peak_mb=900.0),
    make_outcome("net-r1", "b", "denoise", None, unscored="too small"),
    make_outcome("net-r4", "a", "denoise", 60.0),
    make_outcome("net-r4", "b", "denoise", 50.0),
    make_outcome("net-r4", "c", "moire", 35.0, megapixels=2.0, wall_s=8.0),
]
GROUPED = rows.group_rows(OUTCOMES)


def find_row(scenario, variant):
    (row,) = [row for row in GROUPED[scenario] if row.variant == variant]
    return row


def test_scenarios_come_by_name_and_all_pairs_last():
    assert list(GROUPED) == ["denoise", "moire", "all"]


def test_a_restorer_is_compared_with_identity_on_its_own_pairs():
    row = find_row("all", "net-r1")
    assert (row.n_pairs, row.means["score"], row.identity, row.gain) == (1, 76.0, 70.0, 6.0)


def test_the_mean_of_all_pairs_is_over_photographs_and_not_over_scenarios():
    row = find_row("all", "net-r4")
    assert row.means["score"] == pytest.approx((60 + 50 + 35) / 3)
    assert row.gain == pytest.approx((60 + 50 + 35) / 3 - (70 + 50 + 20) / 3)


def test_seconds_are_related_to_the_pixels_of_all_pairs_together():
    row = find_row("all", "net-r4")
    assert row.wall_s_per_mp == pytest.approx((2 + 2 + 8) / 3)
    assert row.cpu_s_per_mp == pytest.approx(9 / 3)


def test_peak_memory_is_that_of_the_largest():
    assert find_row("denoise", "net-r1").peak_mb == 900.0


def test_complete_rows_come_first_and_of_these_the_best():
    assert [row.variant for row in GROUPED["denoise"]] == ["identity", "net-r4", "net-r1"]
    assert [row.variant for row in GROUPED["moire"]] == ["net-r4", "identity"]


def test_a_scored_photograph_without_a_value_is_an_error_and_not_a_zero():
    broken = make_outcome("identity", "a", "denoise", None)
    with pytest.raises(ValueError, match="identity, a counts as scored but has no score"):
        rows.group_rows([broken])


def test_without_identity_there_is_no_gain():
    (row,) = rows.group_rows([make_outcome("nlm", "a", "denoise", 3.0)])["all"]
    assert row.gain is None
    assert "| - | - |" in rows.format_table([row], 1)


def test_the_table_says_for_how_many_pairs_a_row_holds():
    lines = rows.format_table(GROUPED["denoise"], 2).splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == len(rows.HEAD) + 1
    assert lines[4] == (
        "| net-r1 | 1 of 2 | 1.00 | 1.0000 | 1.0000 | 1.0000 | 1.00 | 76.00 | 70.00 | +6.00 | 200 | 6 | 900 |"
    )


def parse(drawing):
    return ET.fromstring(drawing)  # noqa: S314 - we have drawn it ourselves


def test_the_figure_is_well_formed_and_has_a_dot_for_each_row_and_its_own_dark_colours():
    drawn = parse(figure.draw_figure(GROUPED))
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in drawn.iter(f"{space}title")]
    assert len(titles) == 1 + sum(map(len, GROUPED.values()))
    assert "net-r1, denoise, 1 pair: 76.00, identity 70.00, +6.00" in titles
    assert "prefers-color-scheme: dark" in drawn.find(f"{space}style").text


def test_dots_and_rings_lie_within_their_panel():
    drawn = parse(figure.draw_figure(GROUPED))
    right = figure.LABEL_WIDTH + figure.PANEL_WIDTH * len(GROUPED)
    places = [float(dot.get("cx")) for dot in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert all(figure.LABEL_WIDTH < x < right for x in places)


def test_a_higher_score_lies_further_right():
    panel = figure.make_panel("denoise", 0, GROUPED["denoise"])
    assert panel.place(50.0) < panel.place(60.0) < panel.place(76.0)


def test_a_name_with_markup_is_escaped_in_the_figure():
    odd = rows.group_rows([make_outcome("<a&b>", "a", "denoise", 3.0)])
    assert parse(figure.draw_figure(odd)).find(".//{*}circle/{*}title").text.startswith("<a&b>, denoise")


def test_a_section_is_replaced_and_the_rest_left_alone():
    text = "head\n<!-- x:begin -->\nold\n<!-- x:end -->\ntail\n"
    once = documents.replace_section(text, "x", "new")
    assert once == "head\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\ntail\n"
    assert documents.replace_section(once, "x", "new") == once


@pytest.mark.parametrize(
    "text", ["", "<!-- x:begin -->", "<!-- x:end --><!-- x:begin -->"], ids=["none", "open", "turned"]
)
def test_a_document_without_the_marks_is_refused(text):
    with pytest.raises(ValueError, match="x:begin"):
        documents.replace_section(text, "x", "new")


@pytest.mark.parametrize("section", ["baselines", "engines"])
def test_the_document_has_the_marks_of_both_scripts(section):
    text = (FOLDER.parent / "docs" / "baselines.md").read_text(encoding="utf-8")
    assert "42" in documents.replace_section(text, section, "42")


def test_identity_is_always_there_and_first():
    found = variants.list_variants(["bicubic-x4", "nlm"], [4])
    assert [variant.name for variant in found] == ["identity", "bicubic-x4-r4", "bicubic-x4-measure", "nlm"]


def test_every_built_in_restorer_is_a_variant_at_scale_one():
    found = variants.list_variants(None, [1, 2])
    assert {variant.restorer for variant in found} == set(variants.RESTORERS)
    assert {variant.find().scale for variant in found} == {1}
    assert len({variant.name for variant in found}) == len(found)


def write_pairs(root, sizes):
    for name, (scenario, width, height) in sizes.items():
        for kind in ("input", "reference"):
            folder = root / scenario / kind
            folder.mkdir(parents=True, exist_ok=True)
            write_image(folder / f"{name}.png", np.zeros((height, width, 3), np.uint8))


def test_pairs_are_found_in_folders_of_scenarios_small_ones_first(tmp_path):
    write_pairs(tmp_path, {"large": ("denoise", 40, 30), "small": ("moire", 20, 10)})
    found = variants.find_pairs(tmp_path)
    assert [(pair.name, pair.scenario, pair.width) for pair in found] == [
        ("small", "moire", 20),
        ("large", "denoise", 40),
    ]


def test_an_input_without_reference_stops_the_benchmark(tmp_path):
    write_pairs(tmp_path, {"a": ("denoise", 8, 8)})
    (tmp_path / "denoise" / "reference" / "a.png").unlink()
    with pytest.raises(SystemExit, match="no reference of the same name"):
        variants.find_pairs(tmp_path)


def make_pair(name, width, height):
    path = Path(f"{name}.png")
    return variants.Pair(
        name=name, scenario="denoise", input=path, reference=path, width=width, height=height
    )


def test_only_large_nets_leave_large_photographs_out():
    pairs = [make_pair("small", 500, 500), make_pair("large", 1000, 1000)]
    chosen = [variants.Variant(restorer="nlm")] + [
        variants.Variant(restorer=name, reduction=factor)
        for name in ("bicubic-x4", "real-esrgan-x4plus")
        for factor in (1, 2)
    ]
    jobs, left_out = restorations.plan_jobs(pairs, chosen, 0.3)
    assert [(job.variant.name, job.pair.name) for job in left_out] == [("real-esrgan-x4plus-r1", "large")]
    assert len(jobs) == len(pairs) * len(chosen) - 1


def test_the_net_sees_the_photograph_reduced_in_both_directions():
    job = restorations.make_job(
        make_pair("a", 1000, 602), variants.Variant(restorer="bicubic-x4", reduction=4), {}
    )
    assert job.net_megapixels == pytest.approx(250 * 151 / 1e6)


def test_a_restoration_counts_as_done_only_with_its_photograph_and_record(tmp_path):
    store, pair = restorations.Store(root=tmp_path), make_pair("a", 8, 8)
    variant = variants.Variant(restorer="nlm")
    record = restorations.Record(wall_s=1.5, cpu_s=2.5, peak_mb=3.5, notes=("sigma 3",))
    store.write(variant, pair, record)
    assert store.read(variant, pair) is None
    write_image(make_parent(store.restored(variant, pair)), np.zeros((8, 8, 3), np.uint8))
    assert store.read(variant, pair) == record


def make_parent(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_measured_reduction_takes_the_slow_restoration_that_is_there(tmp_path):
    store, pair = restorations.Store(root=tmp_path), make_pair("a", 8, 8)
    stated = variants.Variant(restorer="real-esrgan-x4plus", reduction=2)
    measured = restorations.make_job(
        pair, variants.Variant(restorer="real-esrgan-x4plus", reduction="measure"), {"a": 2}
    )
    assert not restorations.take_known(measured, store)
    write_image(make_parent(store.restored(stated, pair)), np.full((8, 8, 3), 7, np.uint8))
    store.write(stated, pair, restorations.Record(wall_s=1.0, cpu_s=2.0, peak_mb=3.0))
    assert restorations.take_known(measured, store)
    assert store.read(measured.variant, pair).taken_from == "real-esrgan-x4plus-r2"
    assert store.restored(measured.variant, pair).read_bytes() == store.restored(stated, pair).read_bytes()


def test_a_folder_is_resumed_only_when_asked_and_with_the_same_setting(tmp_path):
    store = restorations.Store(root=tmp_path / "out")
    baselines.open_store(store, {"threads": 2}, resume=False)
    with pytest.raises(SystemExit, match="--resume"):
        baselines.open_store(store, {"threads": 2}, resume=False)
    baselines.open_store(store, {"threads": 2}, resume=True)
    with pytest.raises(SystemExit, match="threads was 2, is 1"):
        baselines.open_store(store, {"threads": 1}, resume=True)


def test_the_stated_command_has_no_folder_of_the_machine():
    words = ["x.py", "--data", "/somewhere/paired", "--out", "../out", "--resume"]
    stated = baselines.describe_command(words)
    assert stated == "python benchmarks/baselines.py --data paired --out out --resume"


def test_results_become_json_tables_figure_and_the_section_of_a_document(tmp_path):
    document = tmp_path / "docs.md"
    document.write_text("a\n<!-- baselines:begin -->\n<!-- baselines:end -->\nb\n", encoding="utf-8")
    out = make_parent(tmp_path / "out" / "results.json").parent
    results.write_results(make_content(), out, document)
    text = document.read_text(encoding="utf-8")
    assert "### All pairs" in text
    assert "### Moire" in text
    assert "after the reduction: net-r1 1." in text
    assert "No SCORE: net-r1, b: too small" in text
    assert text.endswith("<!-- baselines:end -->\nb\n")
    assert (tmp_path / "baselines.svg").read_text() == (out / "baselines.svg").read_text()
    assert len(json.loads((out / "results.json").read_text())["outcomes"]) == len(OUTCOMES)


def make_content():
    from dataclasses import asdict

    return {
        "date": "2026-01-02",
        "command": "python benchmarks/baselines.py",
        "machine": "a processor",
        "load_before": "0.1",
        "threads": 2,
        "python": "3.11",
        "libraries": {"raim": "1", "torch": None},
        "scoring": {"engine": "ncnn", "profile": "raim-2024"},
        "limit_mp": 0.3,
        "pairs": {"a": "denoise", "b": "denoise", "c": "moire"},
        "outcomes": [asdict(outcome) for outcome in OUTCOMES],
        "left_out": [["net-r1", "c"]],
        "not_run": [],
        "failures": [],
    }


def test_a_tile_is_cut_from_the_middle():
    photograph = np.zeros((10, 12, 3), np.float32)
    photograph[3:7, 4:8] = 1
    assert engines.cut_middle(photograph, 4).min() == 1
    with pytest.raises(SystemExit, match="12x10"):
        engines.cut_middle(photograph, 11)


def test_seconds_of_an_engine_are_for_what_the_net_sees():
    turn = MODULES["processes"].Turn(wall_s=1.0, cpu_s=2.0, peak_mb=3.0)
    timing = engines.make_timing("spandrel's RRDBNet", 84, 1, turn, 0.0)
    assert math.isclose(timing.wall_s_per_mp, 1.0 / 0.01)  # 84 + 2 * 8 = 100 pixels


@pytest.mark.parametrize("name", ["documents", "rows", "variants"])
def test_examples_in_the_scripts_hold(name):
    tried = doctest.testmod(MODULES[name])
    assert tried.attempted > 0
    assert tried.failed == 0
