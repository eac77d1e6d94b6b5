"""A challenge: its file, its records, and the rules of its phases, leaderboard and finalists; pure, without web or database."""
