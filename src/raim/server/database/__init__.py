"""The server's tables, opening a database and bringing it to the newest schema."""

from raim.server.database.challenge import (
    Announcement,
    Challenge,
    ChecklistTick,
    DataSet,
    Extension,
    Finalist,
    Image,
    Phase,
    PublishedRanking,
)
from raim.server.database.columns import Base
from raim.server.database.engine import Database, announce_change, open_database
from raim.server.database.entries import Comment, EntryResult, LogLine, Result, Submission, Upload
from raim.server.database.mail import Mail, MailRefusal, MailService
from raim.server.database.migration import migrate
from raim.server.database.operation import AuditEvent, WorkerHeartbeat
from raim.server.database.people import (
    ApiToken,
    Appointment,
    FactSheet,
    Invitation,
    LoginAttempt,
    LoginSession,
    Member,
    OneUseLink,
    Team,
    User,
)
from raim.server.database.study import (
    Judge,
    JudgeLink,
    ScreenCheck,
    Study,
    StudyEntry,
    StudyImage,
    Tie,
    Trial,
    Vote,
)

__all__ = [
    "Announcement",
    "ApiToken",
    "Appointment",
    "AuditEvent",
    "Base",
    "Challenge",
    "ChecklistTick",
    "Comment",
    "DataSet",
    "Database",
    "EntryResult",
    "Extension",
    "FactSheet",
    "Finalist",
    "Image",
    "Invitation",
    "Judge",
    "JudgeLink",
    "LogLine",
    "LoginAttempt",
    "LoginSession",
    "Mail",
    "MailRefusal",
    "MailService",
    "Member",
    "OneUseLink",
    "Phase",
    "PublishedRanking",
    "Result",
    "ScreenCheck",
    "Study",
    "StudyEntry",
    "StudyImage",
    "Submission",
    "Team",
    "Tie",
    "Trial",
    "Upload",
    "User",
    "Vote",
    "WorkerHeartbeat",
    "announce_change",
    "migrate",
    "open_database",
]
