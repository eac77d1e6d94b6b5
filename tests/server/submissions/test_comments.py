from datetime import timedelta

from sqlalchemy import select

from raim.server.database import AuditEvent, Comment, Member, User
from raim.server.submissions.comments import UNREAD, add_comment, read_comments


def test_what_members_wrote_is_read_once_and_only_on_that_submission(challenge):
    later = challenge.now + timedelta(minutes=5)
    with challenge.database.writing() as session:
        first, second = challenge.submit(session), challenge.submit(session)
        author = session.get_one(User, session.get_one(Member, challenge.member).user_id)
        for submission in (first, second):
            add_comment(
                session, challenge.now, submission=submission, author=author, text="why?", is_of_team=True
            )
        for _ in range(2):
            read_comments(session, later, first, actor_id=author.id)
        assert session.scalars(select(Comment.submission_id).where(*UNREAD)).all() == [second.id]
        add_comment(session, later, submission=second, author=author, text="because")
        assert session.scalars(select(Comment).where(*UNREAD)).all() == []
        assert session.scalars(select(Comment.seen_at).order_by(Comment.id)).all() == [later, later, None]
        read = session.scalars(select(AuditEvent.subject_id).where(AuditEvent.action == "read comments"))
        assert read.all() == [first.id, second.id]
