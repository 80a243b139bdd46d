"""The description of the API against what it answers: every route, asked rightly and wrongly at random.

Schemathesis makes requests from /v1/openapi.json, of which half break it, and holds each answer against what is
described: the status, the content type, the headers and the body; and that what breaks the description is refused.
"""

import os
import random
import time

import pytest
import sample_measures as measured
import sample_model
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sample_campaigns import plan
from sample_run import bearing, bodies, fill
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.python.asgi import ASGIClient
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from churnml.config import ServeConfig, WorkspaceConfig, load_config
from churnml.database import Catalogue, Ledger, open_engine
from churnml.events import quarantine
from churnml.measures.names import MEASURES
from churnml.service import api, create_app
from churnml.service.routes import told
from journeys import copied
from new_database import new_workspace

CASES = 2_000
LONG_CASES = 20_000
SEED = 9
BASE = "http://localhost"
DESCRIBED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODEL = "a" * 64
SETTINGS = ServeConfig(land_every_seconds=3600, webhook_allowed_hosts=("localhost",))
PASSWORD = "correct horse battery"  # noqa: S105  # of nobody
KNOWN = {"model_version": MODEL, "target": "hubspot", "landing": 1, "campaign": "spring"}
MEASURED = {
    "lifecycle": (measured.stages(), measured.transitions()),
    "segments": (measured.segments(),),
    "kpis": (measured.kpis(),),
    "drivers": (measured.drivers(),),
    "strategy": (measured.strategy(),),
}
HOOK = {"url": "http://localhost:9/hook", "events": ["list.ready"]}
MADE = {
    "key_id": ("/v1/keys", {"name": "other", "scopes": ["read"]}),
    "endpoint_id": ("/v1/webhooks", HOOK),
    "delivery_id": ("/v1/webhooks/{endpoint_id}/test", {}),
    "erasure_id": ("/v1/erasures", {"customer_ids": ["nobody"]}),
    "job_id": ("/v1/jobs", {"verb": "monitor"}),
}
"""What is made anew for each route whose address names one: where, and with what."""
BODIES = {
    "POST /v1/case-notes": {"customer_id": None, "text": "Asked us to call back."},
    "POST /v1/calls": {"customer_id": None, "result": "reached"},
    "POST /v1/queue": {"count": 2, "owner": "li"},
    "POST /v1/cases": {"customer_ids": ["c1", "c2"], "owner": "li"},
    "POST /v1/people": {"name": "zoe", "role": "analyst", "password": PASSWORD},
    "PUT /v1/people/{name}/password": {"password": PASSWORD},
    "POST /v1/erasures": {"customer_ids": ["nobody"]},
    "POST /v1/webhooks": HOOK,
    "PATCH /v1/webhooks/{endpoint_id}": {"state": "enabled"},
}
"""Bodies that are right by more than what a description can tell; None stands for a customer."""
ROW_BY_ROW = {"/v1/outcomes", "/v1/contacts", "/v1/consents", "/v1/events"}
"""These answer 200 and refuse a broken row in their answer, not the request."""
TOO_LONG = {413, 414, 431}
"""The door refuses what is too long before anything looks whether it is otherwise right."""
EFFECT = {
    "of": "effect", "as_of": "2018-03-01", "time_zone": "UTC", "currency": "USD", "by": None, "effect_horizon_days": 60,
    "label_lag_days": 14, "churn_by": "orders", "cases": {"closed": 2, "still_open": 0}, "plans": {},
    "planned_ends": {}, "ended": False,
    "actions": {"call": {"overall": None}}, "proposed_for_stopping": [], "remarks": [], "outcome": "orders",
}  # fmt: skip


class Asked:
    """A service in this process, and its description."""

    def __init__(self, workspace, customer_id, company=None):
        self.customer_id = customer_id
        self.latest = {}
        watched(workspace)
        self.app = create_app(workspace, SETTINGS, company)
        self.session = self.asking = ASGIClient(self.app, BASE)
        self.headers = bearing(workspace)
        self.batch = self._landed()
        self.schema = openapi.from_dict(self.app.openapi())
        self.schema.app = self.app

    def _landed(self):
        """Have something posted and landed, and a case opened; return the batch."""
        rows = [{"customer_id": one, "occurred_at": "2017-01-01"} for one in ("landed", self.customer_id)]
        told = self.post("/v1/events", {"table": "customers", "rows": rows})
        self.app.state.worker._lander.land()
        quarantine.file_of(self.app.state.workspace, 1).write_text("{}\n", encoding="utf-8")
        self.post("/v1/cases", {"customer_ids": [self.customer_id], "owner": "li"})
        return told["batch"]

    def post(self, path, body):
        answer = self.session.post(path, json=body, headers=self.headers)
        assert answer.ok, answer.text
        return answer.json()

    def known(self, name):
        """Return what an address, a query or a body may name; a key and a person are new ones."""
        if name in MADE:
            address, body = MADE[name]
            self.latest[name] = self.post(address.format(**self.latest), body)[name]
            return self.latest[name]
        match name:
            case "name":
                wanted = {"name": f"ann{time.monotonic_ns()}", "role": "agent", "password": PASSWORD}
                return self.post("/v1/people", wanted)["name"]
            case "run_id":
                return self.session.get("/v1/runs", headers=self.headers).json()["items"][0]["run_id"]
        return {"customer_id": self.customer_id, "batch": self.batch, **KNOWN}.get(name)

    def cases(self, label):
        """Return requests of a route: as described, as described and of what there is, and not as described."""
        operation = next(one.ok() for one in self.schema.get_all_operations() if one.ok().label == label)
        found = {"headers": self.headers}
        for place, declared in (("path_parameters", operation.path_parameters), ("query", operation.query)):
            named = {one.name: word for one in declared if (word := self.known(one.name)) is not None}
            found |= {place: named} if named else {}
        if label in BODIES:
            found["body"] = {name: word or self.customer_id for name, word in BODIES[label].items()}
        return st.one_of(
            operation.as_strategy(**found),
            operation.as_strategy(headers=self.headers),
            operation.as_strategy(headers=self.headers, generation_mode=GenerationMode.NEGATIVE),
        )

    def ask(self, case, allowed):
        """Send a request, hold the answer against the description, and return its status."""
        answer = case.call(session=self.asking, base_url=BASE, headers=self.headers, timeout=300)
        if answer.status_code not in allowed:
            lenient = case.operation.path in ROW_BY_ROW or answer.status_code in TOO_LONG
            case.validate_response(answer, checks=DESCRIBED if lenient else [*DESCRIBED, negative_data_rejection])
        return answer.status_code


def watched(workspace):
    """Have models trained and everything measured in a workspace."""
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    catalogue.finish(catalogue.start("train", "inputs", 3), 4, sample_model.summary(), bundle=MODEL)
    for campaign in ("spring", None):
        catalogue.finish(catalogue.start("measure", "inputs", 6), 7, EFFECT | {"campaign": campaign})
    catalogue.finish(catalogue.start("plan", "inputs", 6), 7, plan())
    Ledger(engine).open("spring", 10_000_000, 6)
    engine.dispose()
    for name in MEASURES:
        measured.keep(workspace, measured.body(name, *MEASURED.get(name, ())))


def tried(asked, label, count, seeded, allowed=frozenset()):
    """Ask a route so many times and return the statuses it answered with."""
    statuses = []

    @seed(seeded)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(asked.cases(label))
    def ask(case):
        statuses.append(asked.ask(case, allowed))

    ask()
    return statuses


def labels():
    """Return every route of the API, as Schemathesis calls it."""
    return [f"{one.method} {one.path.replace(':path', '')}" for one in told(api.router.routes)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A service that has records, and no model to score with."""
    workspace = new_workspace(tmp_path_factory.mktemp("described") / "work space")
    fill(workspace, bodies())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHURNML_SECRET", "what nobody would ever guess of a test")
        made = Asked(workspace, "1296")
        yield made
    made.app.state.engine.dispose()


NO_MODEL = {"POST /v1/scores/from-history": frozenset({503}), "PUT /v1/me/password": frozenset({403})}
"""What a workspace without a model answers, the long test has one; and what a key is told that has no password."""


@pytest.mark.parametrize("label", labels())
def test_a_route_answers_as_it_is_described(asked, label):
    statuses = tried(asked, label, CASES // len(labels()) + 1, SEED, NO_MODEL.get(label, frozenset()))
    assert label in NO_MODEL or min(statuses) < 300, "it never did what it is for"


def sloppy(asked):
    """Return a service that is described as ours and answers a route with what is planted."""
    app = FastAPI()
    worse = Asked.__new__(Asked)
    worse.__dict__ |= vars(asked) | {"asking": ASGIClient(app, BASE), "app": app}
    return worse


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"status": "alive"}, 500),
        JSONResponse({"status": "alive"}, 202),
        PlainTextResponse("alive"),
        JSONResponse({"status": 7}),
    ],
    ids=["a server error", "an undocumented status", "another content type", "a body that does not fit"],
)
def test_an_answer_that_is_not_as_described_is_found(asked, answer):
    worse = sloppy(asked)
    worse.app.add_api_route("/healthz", lambda: answer)
    with pytest.raises(FailureGroup):
        tried(worse, "GET /healthz", 1, SEED)


def test_a_request_that_is_not_as_described_and_is_answered_all_the_same_is_found(asked):
    worse = sloppy(asked)
    worse.app.add_api_route("/v1/keys", lambda: JSONResponse({}), methods=["POST"])
    with pytest.raises(FailureGroup):
        tried(worse, "POST /v1/keys", 20, SEED)


@pytest.mark.long
def test_twenty_thousand_requests_are_answered_as_described_by_a_service_with_a_model(journey, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURNML_SECRET", "what nobody would ever guess of a test")
    own = copied(journey, tmp_path)
    company = load_config(own.configs / "workspace.yaml", WorkspaceConfig)
    asked = Asked(own.workspace, "1296", company)
    seeded = int(os.environ.get("CHURNML_SEED", random.SystemRandom().randrange(2**32)))
    print(f"again with: CHURNML_SEED={seeded}")  # noqa: T201  # pytest shows it with what fails
    count = sum(len(tried(asked, label, LONG_CASES // len(labels()) + 1, seeded)) for label in labels())
    asked.app.state.engine.dispose()
    assert count >= LONG_CASES * 0.9
