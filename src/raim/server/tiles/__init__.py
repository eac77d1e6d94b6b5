"""Packs of lossless tiles: what judges look at, made ahead by a job and served by byte ranges."""
