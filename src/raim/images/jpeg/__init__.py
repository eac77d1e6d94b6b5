"""JPEG: its segments, decoding and encoding."""
