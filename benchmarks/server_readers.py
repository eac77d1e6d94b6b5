"""Readers of the leaderboard, for locust: each asks for the page every two seconds or so, none in step with another.

locust's constant pacing lets all readers ask in the same instant, a hundred at once: that is another load than people.
"""

from locust import FastHttpUser, between, task


class Reader(FastHttpUser):
    """Somebody who keeps the leaderboard open."""

    wait_time = between(1, 3)

    @task
    def read(self) -> None:
        """Ask for the page."""
        self.client.get("/c/my-challenge/leaderboard")
