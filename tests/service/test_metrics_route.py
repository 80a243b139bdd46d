"""What Prometheus is told: how requests fare and how the store stands, by names of which there are few."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sample_run import MODEL, ask, visit

from churnml.database import Catalogue, open_engine
from churnml.errors import ConfigError
from churnml.service.collector import VARIABLE, check_token

_ORDER = ("route", "status", "method", "code", "verdict", "run_id", "model_version", "le")


def read(client, **given):
    told = client.get("/metrics", **given)
    assert told.status_code == 200, told.text
    return {
        (sample.name, *(sample.labels[one] for one in _ORDER if one in sample.labels)): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }


@pytest.fixture
def client(own_workspace):
    with ask(own_workspace) as opened:
        opened.app.state.now = lambda: 62_000_000
        yield opened


def test_requests_are_counted_by_route_method_and_status_whoever_is_asked_for(client):
    for one in ("1296", "1333", "nobody"):
        client.get(f"/v1/customers/{one}")
    told = read(client)
    route = "/v1/customers/{customer_id:path}"
    assert told["churnml_request_seconds_count", route, "200", "GET"] == 2
    assert told["churnml_request_seconds_count", route, "404", "GET"] == 1
    assert told["churnml_problems_total", "not_found"] == 1


def test_addresses_and_methods_that_do_not_exist_make_no_new_names(client):
    client.get("/metrics")
    before = None
    for number in range(30):
        client.request(f"METHOD{number}", f"/v1/nothing/{number}")
        before = before or len(read(client))
    assert abs(len(read(client)) - before) <= 1  # /metrics itself


def test_the_store_is_told_age_of_scores_run_model_verdict_and_what_waits(client, own_workspace):
    engine = open_engine(own_workspace.database)
    catalogue = Catalogue(engine)
    catalogue.finish(catalogue.start("monitor", "inputs", 1), 32_000_000, {"verdict": "look"}, bundle=MODEL)
    engine.dispose()
    told = read(client)
    assert told["churnml_scores_age_seconds",] == pytest.approx(62.0)
    assert told["churnml_monitor_verdict", "look"] == 1
    assert told["churnml_monitor_age_seconds",] == pytest.approx(30.0)
    assert told["churnml_arrivals_waiting",] == 0
    assert [key for key in told if key[0] == "churnml_run_info" and MODEL in key]


def test_without_a_database_it_says_so_and_tells_the_rest(client, monkeypatch):
    from churnml.errors import DependencyError

    def gone(*_):
        raise DependencyError("gone")

    monkeypatch.setattr("churnml.database.arrivals.Arrivals.count_waiting", gone)
    told = read(client)
    assert told["churnml_database_up",] == 0
    assert ("churnml_requests_in_flight",) in told


TOKEN = "a-token-for-prometheus"  # noqa: S105


@pytest.mark.parametrize(("token", "given", "status"), [(TOKEN, TOKEN, 200), (TOKEN, "wrong", 401), ("", "", 401)])
def test_a_token_of_its_own_opens_the_metrics(own_workspace, monkeypatch, token, given, status):
    monkeypatch.setenv(VARIABLE, token)
    with visit(own_workspace, headers={"authorization": f"Bearer {given}"}) as client:
        assert client.get("/metrics").status_code == status
        assert client.get("/v1/at-risk").status_code == 401


def test_a_token_that_could_be_guessed_is_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(ConfigError, match="must have at least 16 characters, got 5"):
        check_token()
