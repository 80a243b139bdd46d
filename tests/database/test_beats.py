"""A beat is another one once anybody has committed, and the same as long as nobody has."""

from multiprocessing import get_context

from churnml.database import Catalogue, open_engine
from churnml.database.pulse import Pulse


def land(database):
    engine = open_engine(database)
    Catalogue(engine).start("score", "", 1)
    engine.dispose()


def test_it_stays_as_long_as_nobody_commits(tiny):
    pulse = Pulse(tiny.catalogue.engine)
    first = pulse.beat()
    tiny.catalogue.parts()
    assert pulse.beat() == first
    pulse.close()


def test_it_is_another_after_every_commit_of_this_process(tiny):
    pulse = Pulse(tiny.catalogue.engine)
    beats = [pulse.beat()]
    for _ in range(5):
        tiny.catalogue.start("score", "", 1)
        beats.append(pulse.beat())
    assert len(set(beats)) == 6
    pulse.close()


def test_it_is_another_after_a_commit_of_another_process(tiny):
    pulse = Pulse(tiny.catalogue.engine)
    first = pulse.beat()
    other = get_context("spawn").Process(target=land, args=(tiny.workspace.database,))
    other.start()
    other.join()
    assert (other.exitcode, pulse.beat() == first) == (0, False)
    pulse.close()


def test_what_was_taken_back_need_not_be_read_again_but_may(tiny):
    pulse = Pulse(tiny.catalogue.engine)
    with tiny.catalogue.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE audit_head SET number = number")
        before = pulse.beat()
        connection.rollback()
    tiny.catalogue.start("score", "", 1)
    assert pulse.beat() != before
    pulse.close()
