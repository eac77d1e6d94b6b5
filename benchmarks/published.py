"""The published measures of published.csv as a table with the SCORE that they come to; nothing is restored here.

    python benchmarks/published.py
    python benchmarks/published.py --write-docs docs/baselines.md

SCORE is linear in the measures and none of its terms is clipped, so the SCORE of means over photographs is the mean of
their SCOREs. docs/baselines.md says what these figures can be compared with.
"""

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from documents import write_section
from raim.scoring import find_profile

TABLE = Path(__file__).with_name("published.csv")
SECTION = "published"
PROFILE = "raim-2024"
HEAD = ("method", "PSNR", "SSIM", "LPIPS", "DISTS", "NIQE", "SCORE, computed", "source")


def main() -> None:
    """Print the tables, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write-docs", type=Path, help="put the tables between the marks of this document")
    options = parser.parse_args()
    text = format_tables(read_rows(TABLE))
    print(text)
    if options.write_docs:
        write_section(options.write_docs, SECTION, text)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the published figures as they were printed."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compute_score(row: Mapping[str, str]) -> float:
    """Join the five measures of a row.

    Example:
        >>> row = {"psnr": "25", "ssim": "0.75", "lpips": "0.2", "dists": "0.15", "niqe": "5"}
        >>> compute_score(row)
        62.5
    """
    profile = find_profile(PROFILE)
    return profile.score({measure.key: float(row[measure.key]) for measure in profile.measures})


def format_tables(rows: Sequence[Mapping[str, str]]) -> str:
    """Write a heading and a table for each set of photographs, the highest SCORE first."""
    sets = dict.fromkeys((row["data"], row["images"]) for row in rows)
    return "\n\n".join(
        f"### {data}, {images} photographs: published, not measured here\n\n"
        + "\n".join(_lines([row for row in rows if (row["data"], row["images"]) == (data, images)]))
        for data, images in sets
    )


def _lines(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    best_first = sorted(rows, key=compute_score, reverse=True)
    cells = [
        HEAD,
        ("---", *["---:"] * (len(HEAD) - 2), "---"),
        *(
            (
                row["method"],
                *(row[measure.key] for measure in find_profile(PROFILE).measures),
                f"{compute_score(row):.2f}",
                row["source"],
            )
            for row in best_first
        ),
    ]
    return (f"| {' | '.join(each)} |" for each in cells)


if __name__ == "__main__":
    main()
