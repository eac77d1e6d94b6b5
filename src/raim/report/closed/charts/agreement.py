"""How far each judge agrees with the others."""

from raim.report.closed.charts.canvas import Canvas, list_names
from raim.report.closed.material import Material
from raim.study.findings import Analysis, JudgeResult


def judge_rows(material: Material) -> list[JudgeResult]:
    """Return the judges whose agreement has a value."""
    if material.analysis is None:
        return []
    return [each for each in material.analysis.judges if each.agreement is not None]


def draw_agreement(canvas: Canvas, material: Material) -> None:
    """Draw a dot for each judge; flagged ones have their own sign and colour, and the reason beside it."""
    axes, palette = canvas.axes, canvas.palette
    rows = judge_rows(material)
    for place, each in enumerate(rows):
        is_flagged = bool(each.flags)
        axes.plot([0, each.agreement], [place, place], color=palette.line, linewidth=2, zorder=1)
        axes.plot([each.agreement], [place], "D" if is_flagged else "o", zorder=3, markersize=6,
                  color=palette.warn if is_flagged else palette.accent)  # fmt: skip
        remark = ", ".join([*(["excluded"] if each.is_excluded else []), *(flag.kind for flag in each.flags)])
        if remark:
            at = max(0.0, each.agreement or 0.0)  # left of the line stand the names
            axes.annotate(remark, (at, place), xytext=(9, 0), textcoords="offset points", va="center",
                          color=palette.warn, fontsize=8.5)  # fmt: skip
    list_names(canvas, [each.code for each in rows])
    axes.axvline(0, color=palette.quiet, linewidth=1)
    axes.set_xlim(min(-0.05, *(each.agreement or 0.0 for each in rows)) - 0.05, 1.25)
    axes.set_xticks([tick / 4 for tick in range(-4, 5) if tick / 4 >= axes.get_xlim()[0]])
    axes.set_xlabel("rank correlation with the other judges (diamond: flagged)")
    axes.grid(axis="x")
    if material.analysis is not None:
        axes.set_title(_describe(material.analysis), loc="left", color=palette.quiet)


def _describe(analysis: Analysis) -> str:
    parts = []
    if analysis.concordance.w is not None:
        parts.append(f"Kendall's W {analysis.concordance.w:.2f}")
    if analysis.alpha.value is not None:
        parts.append(f"Krippendorff's alpha {analysis.alpha.value:.2f}")
    return ", ".join(parts)
