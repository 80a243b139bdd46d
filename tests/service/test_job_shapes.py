"""What a job can be asked to do, as words of the command line that it knows."""

from datetime import date
from typing import get_args

import pytest
import typer
from pydantic import TypeAdapter

from churnml.cli import app
from churnml.service.api.job_shapes import JobVerb, JobWanted, arguments, options

WANTED = TypeAdapter(JobWanted)
COMMANDS = typer.main.get_command(app).commands


def words(verb, **said):
    return arguments(WANTED.validate_python({"verb": verb, "options": said}))


@pytest.mark.parametrize(
    "verb, said, expected",
    [
        ("train", {}, ["train"]),
        ("train", {"cutoff": "2018-01-01", "horizon_days": 60}, ["train", "--cutoff=2018-01-01", "--horizon-days=60"]),
        ("assign", {"campaign": "--anew", "budget": 5}, ["assign", "--budget=5.0", "--campaign=--anew"]),
        ("assign", {"anew": True}, ["assign", "--anew"]),
        ("measure", {"what": "effect", "by": "region"}, ["measure", "effect", "--by=region", "--outcome=orders"]),
        ("backtest", {"within": [14, 30]}, ["backtest", "--within=14", "--within=30"]),
        ("promote", {"model": "9b1d"}, ["promote", "9b1d"]),
        ("rollback", {}, ["rollback"]),
    ],
)
def test_options_become_words(verb, said, expected):
    assert words(verb, **said) == expected


def test_days_are_told_as_the_command_line_reads_them():
    assert words("report", **{"from": "2017-01-01"}) == [
        "report", "--from=2017-01-01", "--every=month", "--language=en",
    ]  # fmt: skip


def test_options_are_told_again_as_they_were_asked():
    asked = {"what": "kpis", "from": "2017-01-01", "every": "week", "language": "zh"}
    assert options(WANTED.validate_python({"verb": "measure", "options": asked})) == asked


FULL = {
    "train": {"cutoff": date(2018, 1, 1), "horizon_days": 1, "population_days": 1},
    "score": {"cutoff": date(2018, 1, 1)},
    "assign": {"budget": 1, "campaign": "c", "anew": True},
    "measure": {"what": "kpis", "from": date(2018, 1, 1), "to": date(2018, 1, 1), "by": "region"},
    "measure effect": {"what": "effect", "campaign": "c", "by": "region"},
    "measure uplift": {"what": "uplift", "cutoff": date(2018, 1, 1)},
    "report": {"from": date(2018, 1, 1), "to": date(2018, 1, 1), "by": "region"},
    "monitor": {"cutoff": date(2018, 1, 1)},
    "backtest": {"protocol": ["p"]},
    "promote": {"model": "9b1d"},
    "rollback": {},
    "vacuum": {},
}


@pytest.mark.parametrize("name", FULL)
def test_the_command_line_knows_every_word(name):
    verb, *said = words(name.partition(" ")[0], **FULL[name])
    command = COMMANDS[verb]
    if verb == "measure":
        command, said = command.commands[said[0]], said[1:]
    assert command.make_context(verb, list(said)).params


def test_every_verb_of_a_job_is_tried():
    assert {name.partition(" ")[0] for name in FULL} == set(get_args(JobVerb))
