"""Jobs in the database, a file or a server: nothing twice at once, no state that somebody else has changed already."""

import pytest

from churnml.database import jobs as store
from churnml.database import open_engine
from churnml.database.jobs import End
from new_database import new_workspace


@pytest.fixture
def connection(either, tmp_path):
    engine = open_engine(new_workspace(tmp_path / "workspace").database)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def ask(connection, verb="score", now=1, **options):
    return store.ask(connection, verb, options, [verb], "crm", now)


def test_what_has_not_ended_is_given_again_and_what_has_is_asked_for_anew(connection):
    first, new = ask(connection)
    assert (new, ask(connection)) == (True, (first, False))
    store.end(connection, first.job_id, End("done", 0), 2)
    again, new = ask(connection)
    assert new
    assert again.job_id != first.job_id


def test_a_job_that_was_cancelled_while_it_waited_is_not_started(connection):
    job, _ = ask(connection)
    assert store.cancel(connection, job.job_id, 2)
    assert not store.start(connection, job.job_id, 3)
    assert store.find(connection, job.job_id).state == "cancelled"


def test_how_a_job_ended_is_never_told_twice(connection):
    job, _ = ask(connection)
    store.start(connection, job.job_id, 2)
    assert store.end(connection, job.job_id, End("lost"), 3)
    assert not store.end(connection, job.job_id, End("done", 0), 4)
    store.tell(connection, job.job_id, "Scoring", 0.5, None)
    assert (store.find(connection, job.job_id).state, store.find(connection, job.job_id).step) == ("lost", None)


def test_who_waited_longest_comes_first(connection):
    later, sooner = ask(connection, "score", 2)[0], ask(connection, "train", 1)[0]
    assert store.next_queued(connection) == sooner
    assert store.page(connection, 1) == ([later], (2, later.job_id))
    assert store.page(connection, 1, (2, later.job_id)) == ([sooner], None)
