"""What every page of a judge needs: the study, the judge, and where they are to go next."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from raim.server.database import Judge, Study
from raim.server.study.screens import newest_screen
from raim.server.study.trials import count_trials
from raim.server.study.voting import open_positions
from raim.server.web.context import Context
from raim.study import StudyDesign


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSession:
    """A judge at work.

    Attributes:
        study: The study.
        judge: The judge.
        design: Of the study.
    """

    study: Study
    judge: Judge
    design: StudyDesign

    @property
    def takes_votes(self) -> bool:
        """Whether votes are taken now."""
        is_on = self.study.state == "open" or (self.judge.is_preview and self.study.state == "draft")
        return is_on and self.judge.finished_at is None


def open_judge_session(context: Context, session: Session) -> JudgeSession:
    """Give who judges in what.

    Raises:
        JudgeNeededError: Nobody judges here.
    """
    judge = context.judge(session)
    study = session.get_one(Study, judge.study_id)
    return JudgeSession(study=study, judge=judge, design=StudyDesign.from_plain(study.design))


def next_step(context: Context, session: Session, judging: JudgeSession) -> str:
    """Give the path of what is to be done next."""
    judge = judging.judge
    if not judging.takes_votes:
        return f"{context.here}/judging/done"
    if not _sees_well(session, judging):
        return f"{context.here}/judging/screen"
    if judge.instructed_at is None:
        return f"{context.here}/judging/instructions"
    if (
        count_trials(session, judge, "training")
        and open_positions(session, judge, "training")
        and not _has_voted(session, judging)
    ):
        return f"{context.here}/judging/vote?part=training"
    return (
        f"{context.here}/judging/vote" if open_positions(session, judge) else f"{context.here}/judging/done"
    )


def is_ready(session: Session, judging: JudgeSession) -> bool:
    """Say whether the judge may see trials: the screen is fine and the instructions were read."""
    return judging.takes_votes and _sees_well(session, judging) and judging.judge.instructed_at is not None


def _sees_well(session: Session, judging: JudgeSession) -> bool:
    screen = newest_screen(session, judging.judge)
    return screen is not None and screen.is_fine


def _has_voted(session: Session, judging: JudgeSession) -> bool:
    return len(open_positions(session, judging.judge)) < count_trials(session, judging.judge, "voting")
