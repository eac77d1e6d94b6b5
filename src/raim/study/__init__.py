"""The blinded study: who sees what in which order, ballots, points, and what they are worth; no web, no database."""
