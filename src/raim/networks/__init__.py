"""Nets as records, what computes them (ncnn, torch), and how a photograph goes through them in strips or tiles."""
