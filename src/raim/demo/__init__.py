"""A small whole challenge on real photographs: made, entered, checked, scored, published and served."""

from raim.demo.play import Played, play_demo
from raim.demo.serving import PageServer, open_server

__all__ = ["PageServer", "Played", "open_server", "play_demo"]
