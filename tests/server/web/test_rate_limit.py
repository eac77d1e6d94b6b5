from raim.server.web.rate_limit import BURST, KEPT, Buckets


def test_a_bucket_fills_again_and_never_over_its_size():
    buckets = Buckets(per_minute=60, burst=3)
    assert [buckets.wait("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert buckets.wait("a", 0.5) == 0.5
    assert [buckets.wait("a", 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


def test_buckets_do_not_share_and_the_oldest_is_forgotten():
    buckets = Buckets(per_minute=60, burst=1)
    for number in range(KEPT + 1):
        assert buckets.wait(f"{number}", 0.0) == 0.0
    assert len(buckets.kept) == KEPT
    assert buckets.wait("0", 0.0) == 0.0
    assert buckets.wait("5", 0.0) > 0


def test_who_asks_too_often_learns_how_long_to_wait_and_others_are_not(site):
    ada, bob = site.member("ada"), site.member("bob")
    site.app.state.buckets = Buckets(per_minute=1)  # filled so slowly that a slow machine changes nothing
    answers = [ada.api("GET", "/challenge") for _ in range(int(BURST) + 20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].json()["error"]["code"] == "too_many_requests"
    assert bob.api("GET", "/challenge").status_code == 200
    assert ada.get("/").status_code == 200
