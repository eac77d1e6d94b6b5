"""PNG: its chunks, decoding and encoding."""
