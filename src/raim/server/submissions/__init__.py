"""Submissions: tries, uploads, states, and what a team decides about them."""
