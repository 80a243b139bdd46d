"""Runs and champions change while requests come: none fails, and each answer is of one run and one model."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from processes import serving
from sample_run import ask, bodies, converting, record, summary

from churnml.config import ServeConfig
from churnml.database import Catalogue, Records, open_engine
from churnml.modeling.bundle import load_bundle, save_bundle
from journeys import copied

MODELS = [f"{number}" * 64 for number in range(1, 6)]
SELDOM = ServeConfig(land_every_seconds=3600)


def run_of(workspace, model, now):
    """Write a run whose every record names its model, and finish it."""
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("assign", "inputs", now)
    made = [record(f"{number}", number) for number in range(30)] + [
        converting("lead-1", 0.6),
        converting("lead-2", 0.3),
    ]
    Records(engine).write(run_id, [one | {"run_id": run_id, "model_version": model} for one in made])
    catalogue.finish(run_id, now, summary(bodies()), bundle=model)
    engine.dispose()
    return run_id


@contextmanager
def asking(*questions):
    """Ask each of these again and again, each in a thread of its own; give what was answered, and what went wrong."""
    told, wrong, over = [], [], threading.Event()

    def ask_on(question):
        while not over.is_set():
            try:
                told.append(question())
            except Exception as error:  # noqa: BLE001  # the test tells it
                wrong.append(repr(error))
                return

    threads = [threading.Thread(target=ask_on, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    try:
        yield told, wrong
    finally:
        over.set()
        for thread in threads:
            thread.join()


def of_one(runs, named, found):
    """Hold that records are of one run, that their model is the one of that run, and that the answer says so too."""
    (said,) = {(one["run_id"], one["model_version"]) for one in found}
    assert named in {None, said}
    assert runs[said[0]] == said[1]
    return said[0]


def test_while_runs_follow_each_other_every_answer_is_whole_and_of_one_run(own_workspace):
    runs = {run_of(own_workspace, MODELS[0], 3): MODELS[0]}
    with ask(own_workspace, settings=SELDOM) as client:

        def get(path):
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        def listed(path):
            told = get(path)
            return path, (told["run_id"], told["model_version"]), told["items"]

        def several():
            answer = client.post("/v1/scores", json={"customer_ids": ["1", "2", "lead-1"]})
            assert answer.status_code == 200, answer.text
            return "scores", None, answer.json()["records"]

        questions = [
            lambda: listed("/v1/at-risk?limit=7"),
            lambda: listed("/v1/prospects"),
            several,
            lambda: ("customer", None, [get("/v1/customers/7")]),
        ]
        with asking(*questions) as (told, wrong):
            for now, model in enumerate(MODELS[1:], start=4):
                runs[run_of(own_workspace, model, now)] = model
                answered = len(told)
                while len(told) < answered + 12 and not wrong:
                    time.sleep(0.01)
        assert wrong == []
        assert {of_one(runs, *one[1:]) for one in told} >= {*list(runs)[1:]}
        last = [question() for question in questions]
        assert {of_one(runs, *one[1:]) for one in last} == {list(runs)[-1]}


HISTORY = {
    "cutoff": "2018-01-01T00:00:00Z",
    "tables": {
        "customers": [{"customer_id": one, "occurred_at": "2017-01-20"} for one in "abc"],
        "orders": [
            {"customer_id": one, "order_id": f"{one}{day}", "occurred_at": f"2017-11-{day}", "amount": 31.5}
            for one in "abc"
            for day in (10, 17, 24)
        ],
    },
}
EVERY_SECONDS = 0.5


def two_champions(journey, folder):
    """Return a copy of the trained journey, and its model by two versions."""
    own = copied(journey, folder)
    first = journey.said["train"].body["model_version"]
    model, _ = load_bundle(own.workspace.models / first)
    return own, [first, save_bundle(model, {"cutoff": "of another day"}, own.workspace.models)]


@pytest.mark.long
def test_while_champions_and_runs_change_every_process_goes_on_answering_and_takes_the_new_one(journey, tmp_path):
    own, versions = two_champions(journey, tmp_path)
    engine = open_engine(own.workspace.database)
    catalogue = Catalogue(engine)
    settings = f"workers: 2\nland_every_seconds: {EVERY_SECONDS}\nlimits: {{request_seconds: 300, wait_seconds: 60}}\n"
    with serving(own.workspace, own.configs, settings) as (_, client):

        def anew(method, path, body=None):
            """Ask over a connection of its own, so that either process may take it."""
            with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=300) as own_line:
                answer = own_line.request(method, path, json=body)
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        def scored():
            told = anew("POST", "/v1/scores/from-history", HISTORY)
            assert [one["customer_id"] for one in told["records"]] == ["a", "b", "c"]
            assert {one["model_version"] for one in told["records"]} == {told["model_version"]}
            return told["model_version"]

        def listed():
            told = anew("GET", "/v1/at-risk?limit=20")
            assert {(one["run_id"], one["model_version"]) for one in told["items"]} == {
                (told["run_id"], told["model_version"])
            }

        for _ in range(8):  # either process has its model by now
            scored()
        with asking(scored, scored, listed, lambda: anew("GET", "/v1/customers/1")) as (told, wrong):
            for turn in range(6):
                catalogue.move_alias("champion", versions[(turn + 1) % 2], 5 + turn, "it is its turn")
                if turn == 2:
                    assert own.churnml("score").code == 0
                if turn == 4:
                    assert own.churnml("assign", "--anew").code == 0
                time.sleep(4)
        assert wrong == []
        assert {one for one in told if isinstance(one, str)} == set(versions)
        catalogue.move_alias("champion", versions[1], 99, "for good")
        moved = time.monotonic()
        while {scored() for _ in range(12)} != {versions[1]}:
            assert time.monotonic() < moved + 120
    engine.dispose()
