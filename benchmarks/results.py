"""What a run of the baselines gives: results.json with every value, tables in Markdown, a figure, the document."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from documents import write_section
from figure import draw_figure
from rows import ALL, Outcome, Row, format_table, group_rows

SECTION = "baselines"


def write_results(
    content: Mapping[str, Any], out: Path, document: Path | None, *, section: str = SECTION
) -> None:
    """Write everything into `out`, and tables and figure into a section of a document where one is named."""
    figure = f"{section}.svg"
    rows = group_rows([Outcome(**outcome) for outcome in content["outcomes"]])
    (out / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / figure).write_text(draw_figure(rows), encoding="utf-8")
    report = format_report(content, rows, figure)
    (out / "baselines.md").write_text(report, encoding="utf-8")
    print(f"\n{report}")
    if document is not None:
        write_section(document, section, report)
        shutil.copyfile(out / figure, document.with_name(figure))


def format_report(content: Mapping[str, Any], rows: Mapping[str, Sequence[Row]], figure: str) -> str:
    """Write what was run, the figure and a table for each scenario."""
    parts = [
        describe_run(content),
        f"![Mean SCORE of each restorer, by scenario]({figure})",
        *(format_scenario(name, found, content["pairs"]) for name, found in rows.items()),
        *describe_gaps(content),
    ]
    return "\n\n".join(parts) + "\n"


def describe_run(content: Mapping[str, Any]) -> str:
    """Say when, how, with which versions."""
    libraries = ", ".join(f"{name} {version}" for name, version in content["libraries"].items() if version)
    return (
        f"{content['date']}, {content['machine']}, {content['threads']} threads for each restoration; {libraries}, "
        f"Python {content['python']}; scored by {content['scoring']['engine']} with the profile "
        f"{content['scoring']['profile']}; load average before: {content['load_before']}:\n\n    {content['command']}"
    )


def format_scenario(name: str, rows: Sequence[Row], pairs: Mapping[str, str]) -> str:
    """Write a heading and a table."""
    n_pairs = sum(name in (scenario, ALL) for scenario in pairs.values())
    title = "All pairs" if name == ALL else name.replace("_", " ").capitalize()
    return f"### {title}\n\n{format_table(rows, n_pairs)}"


def describe_gaps(content: Mapping[str, Any]) -> list[str]:
    """Say what is not in the tables, and why."""
    unscored = [outcome for outcome in content["outcomes"] if outcome["unscored"] is not None]
    found = []
    if content["left_out"]:
        found.append(
            f"Left out because the input of a large net would have more than {content['limit_mp']:g} megapixels after "
            f"the reduction: {_count(content['left_out'])}."
        )
    if content["not_run"]:
        found.append(
            f"{len(content['not_run'])} restorations have not been made: {_count(content['not_run'])}."
        )
    found += [f"Failed: {failure.splitlines()[0]}" for failure in content["failures"]]
    found += [f"No SCORE: {o['variant']}, {o['pair']}: {o['unscored']}" for o in unscored]
    return found


def _count(gaps: Sequence[Sequence[str]]) -> str:
    """Write how many photographs each restorer misses."""
    variants = [variant for variant, _ in gaps]
    return ", ".join(f"{name} {variants.count(name)}" for name in dict.fromkeys(variants))
