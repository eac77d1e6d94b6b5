"""Jobs: submissions are checked and scored by worker processes, in an order that is fair to all teams.

The submission's row is the truth; a job carries only ids. Nothing that this package exports loads the engine of
jobs or anything that scores: the web process imports it.
"""

from raim.server.jobs.forecast import Forecast, ForecastCache, read_queue
from raim.server.jobs.versions import scorer_version
from raim.server.jobs.worker_child import WorkerChild

__all__ = [
    "Forecast",
    "ForecastCache",
    "WorkerChild",
    "read_queue",
    "scorer_version",
]
