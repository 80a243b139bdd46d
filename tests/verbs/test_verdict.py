"""The verdict gives its reasons in words that name the thing, what it was, and what is an alarm."""

import pytest

from churnml.modeling.closed import Kept
from churnml.modeling.drift import Drift, Drifts
from churnml.modeling.shares import Turned
from churnml.modeling.unrest import Mood, Moved, Unrest
from churnml.modeling.watch import Watched
from churnml.verbs.verdict import told, verdict_of

FRESH = {"scores_old": False, "data_stale": False}
CALM = Drift(0.1, (0.1, 0.1, 0.1, 0.1), 0.15)
HELP = Moved("help", "visits to pages of help", 56, 0.0129, 0.0142, 2.9, 0.03, 1)


def reasons(*, drifts=None, pulse=None):
    seen = Watched(0, 1, drifts, Kept((), None, None, None), 2, None, pulse)
    return verdict_of(seen, FRESH, lambda instant: ("May", "June")[instant])


def of_pulse(deviations=0.0, mood=0.0):
    return Unrest(
        13, (Moved("help", "help per visit", 28, 0.01, 0.02, deviations, 0.1, 1), HELP), (Mood(56, mood),), 2.7, 4.1
    )


def test_a_calm_pulse_and_calm_shares_are_fine():
    assert reasons(drifts=Drifts(CALM, CALM, (), CALM), pulse=of_pulse()) == ("fine", [])


def test_discontent_names_the_sign_that_tells_most_of_it():
    verdict, (said,) = reasons(pulse=of_pulse(mood=3.2))
    assert verdict == "look"
    assert "in the last 56 days, taken together, lie 3.2 deviations above those of the 13 months before" in said
    assert "and 2.7 is an alarm; most of all help (visits to pages of help) 0.0142 in the last 56 days" in said


def test_a_jump_is_told_with_what_it_was():
    _, (said,) = reasons(pulse=of_pulse(deviations=-5.0))
    assert said.startswith("help (help per visit) 0.02 in the last 28 days and 0.01 before, -5.0 deviations")


def test_attributes_that_moved_are_told_with_their_distance():
    _, (said,) = reasons(drifts=Drifts(CALM, CALM, (), Drift(0.3, CALM.usual, 0.15)))
    assert (
        said == "attributes lie further from those of May than time alone explains: distance 0.300, usually up to 0.100"
    )


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (True, "region `west` is borne by 12.0% of customers now and was by nobody at May"),
        (False, "region `west` was borne by 12.0% of customers at May and is by nobody at June"),
    ],
)
def test_a_value_that_came_or_went_is_named(came, words):
    _, said = reasons(drifts=Drifts(CALM, CALM, (), CALM, (Turned("region", "west", 0.12, came),)))
    assert said == [words]


def test_of_many_values_five_are_named_and_the_others_counted():
    many = tuple(Turned("region", str(place), 0.1, came=True) for place in range(8))
    _, said = reasons(drifts=Drifts(CALM, CALM, (), CALM, many))
    assert len(said) == 6
    assert said[-1] == "3 more values of attributes came or went: `--json` names them"


def test_people_read_the_pulse_in_deviations_with_its_limits():
    (line,) = [one for one in lines_of(of_pulse(deviations=1.5, mood=0.4).to_json()) if one.startswith("pulse")]
    assert line == (
        "pulse, in deviations from 13 months before: discontent +0.4 over 56 days (unusual above 2.7); over 28 days "
        "help +1.5 (unusual beyond 4.1)"
    )


def test_where_the_pulse_says_nothing_yet_people_read_what_it_takes():
    assert (
        "pulse: it takes four weeks since the model was made, and six months and a quarter before, to say"
        in lines_of(None)
    )


def lines_of(pulse):
    """Return what people read of a verdict of which nothing else is known."""
    closed = {"cutoffs": [], "next_closes": "June", "auroc": None}
    body = {"verdict": "fine", "says": "nothing", "reasons": [], "model_version": "m", "made_for": "May", "now": "June"}
    return told(body | {"drift": None, "pulse": pulse, "closed_labels": closed, "challenger": None}).splitlines()
