"""Readers of the leaderboard, for locust: each asks for the page every two seconds."""

from locust import HttpUser, constant_pacing, task


class Reader(HttpUser):
    """Somebody who keeps the leaderboard open."""

    wait_time = constant_pacing(2)

    @task
    def read(self) -> None:
        """Ask for the page."""
        self.client.get("/leaderboard")
