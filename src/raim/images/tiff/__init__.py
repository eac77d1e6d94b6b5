"""TIFF: its directories (also those of EXIF), decoding and encoding."""
