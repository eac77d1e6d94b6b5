"""WebP: its chunks, decoding and encoding."""
