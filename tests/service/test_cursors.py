"""Lists walked page by page: everyone once and in order, whatever happens in between, and no cursor but its own."""

import string
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_run import ask, bodies, fill, record
from sqlalchemy.event import listen

from callers import TESTER
from churnml.config import ServeConfig
from churnml.database import Catalogue, Workspace, endpoints, open_engine, outbox
from churnml.database import jobs as store
from churnml.database.fresh import refresh
from churnml.database.lists import SORTS
from churnml.database.secret import VARIABLE
from churnml.errors import UsageError
from churnml.service.cursors import Cursor, read, write

STILL = ServeConfig(land_every_seconds=3600)
OWNERS = ("li", "mo")
WORDS = {
    "at-risk": st.fixed_dictionaries({}, optional={
        "sort": st.sampled_from(SORTS), "order": st.sampled_from(["asc", "desc"]),
        "band": st.lists(st.sampled_from(["high", "medium", "low"]), min_size=1, max_size=2),
        "action": st.just("call"), "arm": st.sampled_from(["treated", "control"]), "stage": st.just("new"),
        "segment": st.just("high_value_high_risk"), "reason": st.just("rhythm"), "owner": st.sampled_from(OWNERS),
        "status": st.sampled_from(["open", "claimed"]), "unowned": st.booleans(), "contactable": st.booleans(),
        "min_value_at_risk": st.sampled_from([0, 9.5, 100]), "max_churn_probability": st.sampled_from([0.3, 0.9]),
    }),
    "prospects": st.just({}),
    "cases": st.fixed_dictionaries({}, optional={
        "owner": st.sampled_from(OWNERS), "status": st.sampled_from(["claimed", "waiting"]), "unowned": st.booleans(),
        "due_before": st.just("2199-01-01"),
    }),
    "runs": st.fixed_dictionaries({}, optional={"verb": st.just("kpis"), "state": st.sampled_from(["done", "failed"])}),
    "jobs": st.fixed_dictionaries({}, optional={"verb": st.just("score"), "state": st.just("queued")}),
}  # fmt: skip
"""What each list may be asked for by; those that go by number know no filters."""
BY_NUMBER = {"audit": "after", "case-notes?customer_id=1296": "before", "webhooks/{endpoint}/deliveries": "before"}
LISTS = [*WORDS, *BY_NUMBER]
WIDEST = {"audit": 100, "webhooks/{endpoint}/deliveries": 100}
INSTANTS = (1, 1, 1, 2, 2, 3, 4)


class Walked:
    """A service on whose lists something stands, and somebody who reads them."""

    def __init__(self, workspace):
        fill(workspace, bodies())
        self.engine = open_engine(workspace.database)
        self.client = ask(workspace, settings=STILL)
        self.run_id = Catalogue(self.engine).last_run("assign").run_id
        with self.engine.begin() as connection:
            made = endpoints.create(
                connection, TESTER, url="https://x.example", events=["band.changed"], description="", at=1
            )
        self.endpoint = made.endpoint_id
        for place, instant in enumerate(INSTANTS):
            self.add(place, instant)

    def add(self, place, instant):
        """Have one more of everything: a run, a job, a case, a note, a message."""
        catalogue = Catalogue(self.engine)
        run_id = catalogue.start(("kpis", "monitor")[place % 2], "inputs", instant)
        catalogue.finish(run_id, instant + 1, {}, ok=place % 3 > 0)
        with self.engine.begin() as connection:
            store.ask(connection, ("score", "train")[place % 2], {"n": place}, ["score"], "crm", instant)
            outbox.post_bands(connection, {}, [(f"{place}", "high", "low")], at=instant)
        who = f"{1000 + (8 + place % 50) * 37}"
        told = {"owner": OWNERS[place % 2], "expected_owner": None} if place % 3 else {"status": "waiting"}
        self.client.patch(f"/v1/cases/{who}", json=told | ({"follow_up_on": "2190-01-02"} if place % 4 else {}))
        self.client.post("/v1/case-notes", json={"customer_id": "1296", "text": f"note {place}"})

    def page(self, name, wanted, limit, since=None):
        """Return a page of a list, each of it by what it is called, and what the next page begins with."""
        word = BY_NUMBER.get(name, "cursor")
        asked = dict(wanted) | {"limit": limit} | ({} if since is None else {word: since})
        address, _, own = name.format(endpoint=self.endpoint).partition("?")
        asked |= dict([own.split("=")]) if own else {}
        answer = self.client.get(f"/v1/{address}", params=asked)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        rows = told["entries" if name == "audit" else "items"]
        names = ("number", "note_id", "delivery_id", "job_id", "run_id") if name not in PEOPLE else ("customer_id",)
        following = told[f"next_{word}"]
        return [next(row[one] for one in names if one in row) for row in rows], following

    def walk(self, name, wanted, sizes, between=lambda: None):
        """Return whom pages of these sizes meet, over and over until the end, with something done between two."""
        seen, since, turn = [], None, 0
        while turn == 0 or since is not None:
            met, since = self.page(name, wanted, sizes[turn % len(sizes)], since)
            assert len(met) <= sizes[turn % len(sizes)]
            seen += met
            turn += 1
            between()
        return seen


SIZES = st.tuples(st.integers(1, 4), st.integers(5, 40), st.integers(9, 60))
PEOPLE = {"at-risk", "prospects", "cases"}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, "what nobody would ever guess of a test")
        made = Walked(Workspace.open(tmp_path_factory.mktemp("walked"), create=True))
        yield made
    made.engine.dispose()
    made.client.app.state.engine.dispose()


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_any_size_hold_everyone_of_a_list_once_and_in_its_order(walked, name):
    @settings(max_examples=8 if name == "at-risk" else 3, deadline=None, database=None)
    @given(wanted=WORDS.get(name, st.just({})), sizes=SIZES)
    def hold(wanted, sizes):
        whole, more = walked.page(name, wanted, WIDEST.get(name, 500))
        assert more is None
        assert walked.walk(name, wanted, sizes) == whole
        assert len(set(whole)) == len(whole)

    hold()
    assert walked.page(name, {}, 2)[1], "there was one page only"


@pytest.mark.parametrize("name", ["runs", "jobs", *BY_NUMBER])
def test_what_is_added_meanwhile_moves_nothing_of_a_list_that_goes_by_time_or_number(walked, name):
    before, _ = walked.page(name, {}, WIDEST.get(name, 500))
    added = iter(range(100, 103))

    def add():
        for place in added:
            walked.add(place, 9)
            return

    seen = walked.walk(name, {}, [5], add)
    assert seen[: len(before)] == before
    assert name == "audit" or seen == before


@pytest.mark.parametrize("sort", ["value_at_risk", "clv"])
def test_who_stays_as_they_are_is_met_once_though_records_of_others_are_made_anew(walked, sort):
    moving = {one["customer_id"] for one in bodies()[10:40]}
    everyone = walked.walk("at-risk", {"sort": sort}, [500])
    turns = iter(range(1, 9))

    def move():
        turn = next(turns)
        body = [record(one, (turn * 7) % 60, cutoff=f"2018-02-0{turn}T00:00:00+00:00") for one in sorted(moving)]
        with walked.engine.begin() as connection:
            refresh(connection, walked.run_id, body, (), f"2018-02-0{turn}T00:00:00+00:00")

    seen = walked.walk("at-risk", {"sort": sort}, [9, 20], move)
    assert [one for one in seen if one not in moving] == [one for one in everyone if one not in moving]


def refused(walked, name, wanted, cursor):
    answer = walked.client.get(f"/v1/{name}", params=dict(wanted) | {"cursor": cursor})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"], answer.json()["detail"].split(";")[0]


OTHER = "`cursor` was given out for other filters or another sort"
EARLIER = "`cursor` belongs to an earlier run"


@pytest.mark.parametrize(
    "name, wanted, why",
    [
        ("at-risk", {"sort": "clv"}, OTHER),
        ("at-risk", {"owner": "li"}, OTHER),
        ("cases", {"owner": "li"}, OTHER),
        ("cases", {"unowned": True}, OTHER),
        ("runs", {"state": "done"}, OTHER),
        ("jobs", {"verb": "score"}, OTHER),
    ],
)
def test_a_cursor_holds_for_the_filters_and_the_sort_it_was_given_out_for(walked, name, wanted, why):
    _, cursor = walked.page(name, {}, 2)
    assert refused(walked, name, wanted, cursor) == (400, "usage", why)


@pytest.mark.parametrize("name", WORDS)
def test_a_cursor_of_one_list_holds_for_no_other(walked, name):
    _, cursor = walked.page(name, {}, 2)
    answers = {other: refused(walked, other, {}, cursor)[:2] for other in WORDS if other != name}
    assert set(answers.values()) == {(400, "usage")}


@pytest.mark.parametrize("name", ["at-risk", "prospects"])
def test_a_cursor_of_an_earlier_run_is_refused(own_workspace, name):
    with ask(own_workspace, settings=STILL) as client:
        cursor = client.get(f"/v1/{name}?limit=2").json()["next_cursor"]
        fill(own_workspace, bodies(), now=3)
        assert refused(SimpleNamespace(client=client), name, {}, cursor) == (400, "usage", EARLIER)


PLACES = st.tuples(
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**62), 2**62)),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
)
LETTERS = string.ascii_letters + string.digits + "-_.~ é\0"


@settings(max_examples=60, deadline=None, database=None)
@given(PLACES, st.integers(0, 2**50), st.integers(0, 2**50), st.data())
def test_a_cursor_is_read_as_it_was_written_and_refused_once_a_letter_of_it_is_another(place, before, total, data):
    text = write("run", "asked", Cursor(place, before, total))
    assert read(text, "run", "asked") == Cursor(place, before, total)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.text(LETTERS, max_size=2).filter(lambda one: one != text[at]))
    with pytest.raises(UsageError, match="`cursor`"):
        read(text[:at] + put + text[at + 1 :], "run", "asked")


def test_a_total_is_counted_anew_once_somebody_refuses_and_not_while_nothing_changed(own_workspace):
    with ask(own_workspace, settings=STILL) as client:
        engine, asked = client.app.state.engine, []
        listen(engine, "before_cursor_execute", lambda *words: asked.append(words[2]))
        totals = [client.get(f"/v1/at-risk?limit={limit}").json()["total"] for limit in (1, 2)]
        assert len([one for one in asked if "count(" in one and "FROM records" in one]) == 1
        Catalogue(engine).land(1, 99, [], {}, [], {"1296": True})
        assert totals == [client.get("/v1/at-risk").json()["total"] + 1] * 2
