import dataclasses

import numpy as np
import pytest

from benchmark_scripts import load_scripts
from raim.data.camera import PRESETS, find_preset
from raim.restore.prediction import LEVELS, RATIOS, KnownPair, RestorerTrial, Rules, parse_pair
from raim.tables import format_table, parse_table

scripts = load_scripts(["auto_pairs", "documents", "variants", "tune_auto"])
tune_auto, auto_pairs = scripts["tune_auto"], scripts["auto_pairs"]


def case(source, index, *, gain, niqe_gain=0.0, falloff=-1.0):
    """Describe a part on which only Real-ESRGAN and MAXIM were tried."""
    measured = [float(index)] * len((*RATIOS, *LEVELS))
    measured[tune_auto.FALLOFF] = falloff
    return tune_auto.Case(
        pair=KnownPair(
            name=f"{source}{index}",
            source=source,
            photograph=f"{source}{index}",
            defects=frozenset({"noise"} if index % 2 else ()),
            measured=tuple(measured),
            niqe=5.0,
            trials={name: RestorerTrial(niqe_gain=niqe_gain, change=3.0) for name in gain},
            gains=gain,
        ),
        group="even" if index % 2 == 0 else "odd",
        before=50.0,
    )


def cases(**options):
    return [
        case(source, index, gain={"enlarge": 20.0 - 4 * index, "deblur": 4.0 * index - 20.0}, **options)
        for source in "abc"
        for index in range(10)
    ]


def test_each_photograph_gets_what_gains_by_what_the_others_teach():
    every = cases()
    chosen = tune_auto.leave_out(every, lambda _: Rules(caution=0.1))
    assert {chosen[f"{source}0"] for source in "abc"} == {"enlarge"}
    assert {chosen[f"{source}9"] for source in "abc"} == {"deblur"}
    assert tune_auto.gain(every, chosen) > 8


def test_a_source_is_judged_without_itself():
    lonely = [case("d", 0, gain={"enlarge": -30.0, "deblur": -30.0})]
    chosen = tune_auto.leave_out(cases() + lonely, lambda _: Rules(caution=0.1))
    assert chosen["d0"] == "enlarge"  # as the others would have it
    assert chosen["a9"] == "deblur"


def test_a_sharp_photograph_is_not_tried_to_be_deblurred():
    chosen = tune_auto.judge(cases(falloff=0.5), cases(), Rules(caution=0.1))
    assert "deblur" not in chosen.values()


def test_the_numbers_are_taken_by_which_nothing_loses_and_most_is_gained(monkeypatch):
    monkeypatch.setattr(tune_auto, "GRID", {"caution": (0.1, 50.0)})
    assert tune_auto.find_best(cases()).caution == 0.1
    every = [dataclasses.replace(each, group="one") for each in cases()]
    harmed = [case(source, 20, gain={"enlarge": -40.0, "deblur": -40.0}) for source in "abc"]
    assert tune_auto.find_best([*every, *harmed]).caution in {0.1, 50.0}


def test_a_pair_survives_its_table():
    pair = case("a", 3, gain={"enlarge": -1.25, "deblur": 4.0}, niqe_gain=2.0).pair
    row = tune_auto.format_pair(pair)
    table = parse_table(format_table(list(row), [list(row.values())]).encode(), "known_pairs.csv")
    assert [parse_pair(each.cells) for each in table.rows] == [pair]


def test_the_tables_state_gains_and_how_defects_are_found():
    every = cases()
    chosen = dict.fromkeys((each.pair.photograph for each in every), "")
    table = tune_auto.show_gains("all nothing", every, chosen)
    assert table.splitlines()[0].startswith("| all nothing | photographs | input | deblur | enlarge |")
    assert table.splitlines()[-1].startswith("| all | 30 | 50.0 |")
    assert table.splitlines()[-1].endswith("| +0.0 |")
    assert "| noise | 15 |" in tune_auto.show_defects(every, Rules())


@pytest.mark.parametrize(
    ("inside", "outside", "area"), [([1, 2], [0], 1.0), ([0], [1], 0.0), ([1], [1], 0.5)]
)
def test_the_area_under_the_curve_is_how_often_one_is_surer_than_another(inside, outside, area):
    assert tune_auto.measure_area(np.array(inside), np.array(outside)) == area


def test_the_list_of_photographs_has_enough_for_choosing_and_others_for_testing():
    rows = auto_pairs.read_list()
    uses = [row["use"] for row in rows]
    assert uses.count("choose") * len(PRESETS) >= 200
    assert uses.count("test") >= 10
    assert len({row["sha256"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("preset", "defect"),
    [
        ("motion_blur", "motion blur"),
        ("out_of_focus", "defocus"),
        ("super_resolution", "low resolution"),
        ("moire", "moire"),
    ],
)
def test_what_a_preset_draws_is_what_its_pairs_are_said_to_have(preset, defect):
    camera = find_preset(preset).draw_camera(np.random.default_rng(0), height=512, width=512)
    assert defect in auto_pairs.name_defects(camera)
