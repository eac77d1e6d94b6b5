"""What everybody sees of a challenge, and who asks."""

from functools import partial

from raim.records import challenge as records
from raim.server.queries import challenge as queries
from raim.server.web.context import RequestContext
from raim.server.web.routes.data import verdict
from raim.server.web.routing import Area

area = Area("challenge")


@area.get("/challenge", who="anyone")
@area.get("/", who="anyone", template="home", is_api=False)
def show_challenge(context: RequestContext) -> records.Challenge:
    """Return what the challenge is, where it stands, and what is new."""
    return queries.read_challenge(
        context.session,
        context.challenge,
        context.now,
        profile=context.challenge.profile,
        verdict=partial(verdict, context),
    )


@area.get("/announcements", who="anyone", template="announcements")
def list_announcements(context: RequestContext) -> list[records.Announcement]:
    """Return the announcements, newest first."""
    return queries.read_announcements(context.session, context.challenge)


@area.get("/rules", who="anyone", template="rules")
def show_rules(context: RequestContext) -> records.ScoringRules:
    """Return the rules, and what SCORE is made of."""
    return queries.read_rules(context.challenge, context.challenge.profile)


@area.get("/data", who="anyone", template="data")
def list_data_sets(context: RequestContext) -> list[records.DataSet]:
    """Return every data set, with what may be downloaded of it."""
    return queries.list_data_sets(context.challenge, partial(verdict, context))


@area.get("/me", who="user")
def show_me(context: RequestContext) -> records.Me:
    """Return who asks, with the tries that their team has left."""
    viewer = context.viewer
    own = viewer.team_id
    return records.Me(
        login=viewer.login,
        role=viewer.role,
        team=viewer.team or None,
        team_id=own,
        team_state=viewer.team_state or None,
        is_finalist=viewer.is_finalist,
        intakes={}
        if own is None
        else queries.read_intakes(context.session, context.challenge, context.now, own),
    )
