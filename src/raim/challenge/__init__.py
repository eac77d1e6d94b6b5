"""A challenge: its file, its records, the rules of its phases, leaderboard and finalists; no web, no database."""
