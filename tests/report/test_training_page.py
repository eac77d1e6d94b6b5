import contextlib
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.errors import InputError
from raim.report.curves import draw_curve
from raim.report.training_page import render_training, write_training_page
from raim.report.training_run import read_run

FACTS = {
    "name": "noise <b>",
    "note": "a & b",
    "raim_version": "1",
    "device": "cpu",
    "steps": 1000,
    "step": 500,
    "seconds": 3725.0,
    "profile": "raim-2024",
    "is_finished": False,
    "identity": {"psnr": 30.0, "niqe": 6.0, "score": 70.0},
}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "training.json").write_text(json.dumps(FACTS))
    (tmp_path / "recipe.toml").write_text('name = "</pre><script>"\n')
    lines = [f"{step},{2 / step},{1 / step},0.001,0.5,0.3" for step in range(10, 510, 10)]
    (tmp_path / "log.csv").write_text(
        "\n".join(["step,loss,l1,learning_rate,gradient_norm,seconds", *lines]) + "\n"
    )
    (tmp_path / "validation.csv").write_text("step,psnr,niqe,score\n250,31,5.5,74.5\n500,32,,\n")
    (tmp_path / "samples").mkdir()
    for step in (250, 500):
        (tmp_path / "samples" / f"step-{step:08d}.png").write_bytes(b"")
    return tmp_path


def test_the_page_says_how_far_and_how_good(run):
    text = write_training_page(run).read_text("utf-8")
    assert "step 500 of 1000 after 1 h 2 min 5 s, about 1 h 2 min 5 s to go" in text
    assert "<strong>74.50</strong> SCORE in validation at step 250" in text  # that of step 500 has none
    assert "+4.50 over the inputs as they are" in text
    assert (
        text.count("<figure>") == 6
    )  # SCORE, loss, PSNR, NIQE, learning rate, gradient; l1 alone is the loss
    assert text.index("step-00000500.png") < text.index("step-00000250.png")
    assert "<td>none</td>" in text  # what was unscored


def test_the_terms_of_a_loss_of_several_are_drawn_and_a_schedule_is_not_averaged(run):
    lines = [f"{step},3,{1 / step},2,0.001,0.5,0.3" for step in range(10, 510, 10)]
    (run / "log.csv").write_text(
        "\n".join(["step,loss,l1,score,learning_rate,gradient_norm,seconds", *lines])
    )
    text = write_training_page(run).read_text("utf-8")
    assert "term l1" in text
    assert "term score" in text
    assert text.count("<figure>") == 8
    assert text.count('class="raw"') == 4  # loss, its two terms, gradient


def test_a_run_whose_validations_have_no_score_says_so(run):
    (run / "validation.csv").write_text("step,psnr,niqe,score\n250,31,,\n")
    text = write_training_page(run).read_text("utf-8")
    assert "no validation has a SCORE so far" in text


def test_names_and_recipes_are_escaped_and_no_script_runs(run):
    text = write_training_page(run).read_text("utf-8")
    assert "noise &lt;b&gt;" in text
    assert "<script" not in text


def test_its_policy_allows_the_empty_icon(run):
    text = write_training_page(run).read_text("utf-8")
    assert '<link rel="icon" href="data:,">' in text
    assert "img-src &#39;self&#39; file: data:;" in text


def test_a_line_of_the_inputs_is_spoken_of_only_where_there_is_one(run):
    assert "dashed" in write_training_page(run).read_text("utf-8")
    (run / "training.json").write_text(json.dumps({**FACTS, "identity": None}))
    assert "dashed" not in write_training_page(run).read_text("utf-8")


def test_a_run_that_has_just_begun_has_a_page(tmp_path):
    (tmp_path / "log.csv").write_text("step,loss\n")
    text = write_training_page(tmp_path).read_text("utf-8")
    assert "just begun" in text
    assert "nothing has been validated yet" in text


def test_a_malformed_line_is_named_with_its_number(run):
    with (run / "log.csv").open("a") as file:
        file.write("520,0.1\n")
    with pytest.raises(InputError, match=r"log\.csv:52: it has 2 cells, the first line names 6 columns"):
        write_training_page(run)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected an object"),
        ('{"step": 1', "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ('{"step": "abc"}', "step is 'abc', expected a number from 0"),
        ('{"step": -1}', "step is '-1', expected a number from 0"),
        ('{"steps": Infinity}', "steps is 'inf', expected a number from 0"),
        ('{"seconds": NaN}', "seconds is 'nan', expected a number from 0"),
        (f'{{"step": 1{"0" * 400}}}', r"step is '10000.*, expected a number from 0"),
        ('{"identity": 5}', "identity is not the means of measures"),
        ('{"identity": {"score": "high"}}', "identity is not the means of measures"),
    ],
    ids=str,
)
def test_facts_in_another_form_are_refused_with_a_way_out(run, text, message):
    (run / "training.json").write_text(text)
    with pytest.raises(
        InputError, match=rf"training\.json: {message}.*the next start of the run repairs the file"
    ):
        read_run(run)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nan,31,5,70", "'nan'; expected a whole number"),
        ("-5,31,5,70", "there is no step from 0"),
        (",31,5,70", "there is no step from 0"),
        ("600,good,5,70", "'good'; expected a number"),
        ("600," + "9" * 200_000 + "x,5,70", "it is not CSV: field larger"),
        ("600,31,5,70\xff", "'70ÿ'; expected a number"),
        ("\0" * 40, "it holds a NUL character"),
    ],
    ids=lambda text: text[:12],
)
def test_a_damaged_line_is_refused_with_a_way_out(run, line, message):
    with (run / "validation.csv").open("ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    with pytest.raises(
        InputError, match=rf"validation\.csv(:|, line )4: {message}.*the next start of the run repairs"
    ):
        read_run(run)


def test_a_table_with_another_head_is_refused(run):
    (run / "log.csv").write_bytes(b"\xff\n1\n")
    with pytest.raises(InputError, match=r"log\.csv:1: the first column is .*, expected 'step'"):
        read_run(run)


def test_numbers_that_are_none_leave_gaps(run):
    with (run / "log.csv").open("a") as file:  # as where a scaler of mixed precision left a step out
        file.write("510,0.1,0.1,0.001,inf,0.3\n520,nan,0.1,0.001,1e300,0.3\n")
    log = read_run(run).log
    assert len(log.points("loss")) == 51
    assert len(log.points("gradient_norm")) == 50
    assert "inf" not in write_training_page(run).read_text("utf-8")


@settings(deadline=None, max_examples=25)
@given(
    name=st.sampled_from(["training.json", "log.csv", "validation.csv"]),
    start=st.integers(0, 400),
    end=st.integers(0, 400),
    patch=st.one_of(
        st.binary(max_size=20),
        st.sampled_from([b"1e999", b"-", b"1e308", b"5e-324", b"null", b"[[", b",", b"\n"]),
    ),
)
def test_whatever_is_damaged_there_is_a_page_or_an_expected_error(tmp_path_factory, name, start, end, patch):
    run = tmp_path_factory.mktemp("damaged")
    whole = {
        "training.json": json.dumps(FACTS).encode(),
        "log.csv": b"step,loss,learning_rate,gradient_norm,seconds\n10,0.5,1e-3,2.5,0.3\n20,0.4,1e-3,2.5,0.3\n",
        "validation.csv": b"step,psnr,niqe,score\n10,31,5.5,74.5\n20,32,,\n",
    }
    whole[name] = whole[name][:start] + patch + whole[name][end:]
    for each, content in whole.items():
        (run / each).write_bytes(content)
    with contextlib.suppress(InputError):
        render_training(read_run(run))


def test_all_curves_have_the_same_steps_below_them(run):
    (run / "validation.csv").write_text("step,psnr,niqe,score\n250,31,5.5,74.5\n500,32,,\n750,32,,\n")
    text = write_training_page(run).read_text("utf-8")
    axes = [
        re.findall(r'class="step" x="([\d.]+)" y="194">(\d+)<', part) for part in text.split("<figure>")[1:]
    ]
    assert len(axes) == 6
    assert {tuple(axis) for axis in axes} == {tuple(axes[0])}
    assert axes[0][0][1] == "0"
    assert 'cx="193.3"' in text  # step 250 of 750


def test_steps_of_long_runs_are_written_out(run):
    (run / "validation.csv").write_text("step,score\n250000,70\n1500000,74\n")
    text = write_training_page(run).read_text("utf-8")
    assert "<td>1500000</td>" in text
    assert ">1500000</text>" in text
    assert "at step 1500000" in text


def test_a_constant_curve_is_drawn_in_the_middle():
    curve = draw_curve("rate", [(0, 3.0), (10, 3.0)])
    assert curve.line == "62.0,93.0 456.0,93.0"


def test_a_long_curve_has_its_moving_mean_and_a_bounded_number_of_corners():
    curve = draw_curve("loss", [(step, 1.0 + step % 2) for step in range(5000)])
    assert len(curve.line.split()) <= 601
    heights = {corner.split(",")[1] for corner in curve.smooth.split()[50:]}
    assert len(heights) == 1  # the mean of an even number of neighbours


def test_a_logarithmic_curve_leaves_out_what_has_no_logarithm():
    curve = draw_curve("norm", [(0, 0.0), (1, 1.0), (2, 100.0)], is_logarithmic=True)
    assert len(curve.line.split()) == 2
    assert draw_curve("norm", [(0, 0.0)], is_logarithmic=True) is None
