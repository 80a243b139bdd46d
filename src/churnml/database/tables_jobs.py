"""The SQL table of jobs: commands that were asked for through the service, and how far each is."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text

from churnml.database.tables import metadata

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("verb", String(32), nullable=False),
    Column("options", JSON, nullable=False, comment="as they were asked for"),
    Column("arguments", JSON, nullable=False, comment="the same as words of the command line, checked at the door"),
    Column("same", String(64), nullable=False, comment="SHA-256 of verb and options"),
    Column("state", String(16), nullable=False, comment="queued, running, done, failed, cancelled or lost"),
    Column("asked_by", String(300), nullable=False, comment="who asked, as the audit log calls them"),
    Column("asked_at", BigInteger, nullable=False, comment="microseconds UTC, as all instants here"),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("cancel_asked_at", BigInteger, comment="empty unless somebody wants it to stop"),
    Column("step", String(200), comment="what it does, in words; the latest it told"),
    Column("share", Float, comment="of that step, 0 to 1; empty where it does not tell"),
    Column("run_id", String(32), comment="its latest run"),
    Column("exit_code", Integer),
    Column("error_code", String(64)),
    Column("error", Text, comment="what the command said of its failure"),
    # what waits is taken in order, and a list is walked from the latest
    Index("jobs_by_state", "state", "asked_at"),
    Index("jobs_by_time", "asked_at", "job_id"),
)
# the same thing is never done twice at once, whoever asks for it
_UNFINISHED = jobs.c.state.in_(["queued", "running"])
Index("jobs_unfinished", jobs.c.same, unique=True, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED)
