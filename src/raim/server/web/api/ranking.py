"""The final ranking of the HTTP API: for everybody once it is published, for organisers as soon as it is there."""

from fastapi import APIRouter

from raim.errors import StateError
from raim.records.ranking import RankingRecord
from raim.server.queries.ranking import ranking_record
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.context import Admitted
from raim.server.web.pages.results import read_outcome

router = APIRouter(prefix=PREFIX, tags=["challenge"], responses=FAILURES, dependencies=LIMITED)


@router.get("/ranking", name="api.ranking")
def give_ranking(context: Admitted) -> RankingRecord:
    """Give the final ranking, once it is published."""
    with context.server.database.reading() as session:
        outcome, _ = read_outcome(context, session)
        if outcome is None:
            raise StateError("there is no final ranking yet")
    return ranking_record(outcome.ranking, outcome, title=outcome.title, is_simulated=outcome.is_simulated)
