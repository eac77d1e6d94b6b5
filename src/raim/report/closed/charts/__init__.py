"""The charts of a report and of a study's results, drawn with matplotlib; no files, no state."""

from raim.report.closed.charts.canvas import ChartFormat, Theme
from raim.report.closed.charts.table import CHARTS, Chart, available_charts, draw_chart

__all__ = ["CHARTS", "Chart", "ChartFormat", "Theme", "available_charts", "draw_chart"]
