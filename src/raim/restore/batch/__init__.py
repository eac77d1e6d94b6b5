"""Many photographs: a file, a folder or a zip goes in, a file or a folder comes out; a stopped run goes on."""

from raim.restore.batch.plan import Job, Plan, plan_jobs
from raim.restore.batch.run import RECORD, Made, Options, Outcome, describe_work, restore_batch

__all__ = [
    "RECORD",
    "Job",
    "Made",
    "Options",
    "Outcome",
    "Plan",
    "describe_work",
    "plan_jobs",
    "restore_batch",
]
