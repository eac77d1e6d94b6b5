"""A small whole challenge on real photographs: made, entered, checked, scored, published, and served as a challenge."""

from raim.demo.hosting import HostedDemo, host_demo
from raim.demo.play import Played, play_demo
from raim.demo.reporting import report_when_scored

__all__ = ["HostedDemo", "Played", "host_demo", "play_demo", "report_when_scored"]
