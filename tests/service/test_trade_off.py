"""Whom contacting a share of the customers would have found: read off what a model keeps of its test."""

import pytest
from sample_model import CHAMPION, OLD, judged, plant, summary
from sample_run import ask

from churnml.errors import NotFoundError
from churnml.service.api.models import TradeOff
from churnml.service.trade_off import Stakes, trade_off
from new_database import new_workspace

STAKES = Stakes(clv=200.0, incentive=10.0, contact=1.0, accepts=0.3)
MODEL = {"model_version": CHAMPION, **summary()}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    workspace = new_workspace(tmp_path_factory.mktemp("trade"))
    plant(workspace)
    with ask(workspace, "read") as opened:
        yield opened


def test_who_is_contacted_left_or_stayed():
    at = trade_off(MODEL, 0.2, STAKES)["at"]
    assert at["customers"] == 60
    assert at["caught"][0] + at["wrongly"][0] == pytest.approx(60)
    assert at["caught"][1] + at["wrongly"][2] == pytest.approx(60)


def test_between_two_kept_shares_lies_a_straight_line():
    low, between, high = (trade_off(MODEL, share, STAKES)["at"]["caught"][0] for share in (0.25, 0.275, 0.3))
    assert between == pytest.approx((low + high) / 2)


def test_contacting_all_finds_all_who_left():
    found = trade_off(MODEL, 1.0, STAKES)["at"]
    assert found["caught"][0] == pytest.approx(judged().contests["churn"].truth.sum(), rel=1e-4)


def test_a_dearer_contact_earns_less_by_what_it_costs_more():
    cheap, dear = (trade_off(MODEL, 0.5, Stakes(200.0, 10.0, cost, 0.3))["at"]["profit"][0] for cost in (1.0, 3.0))
    assert cheap - dear == pytest.approx(0.5 * 2.0)


def test_a_model_without_curves_says_what_to_do():
    with pytest.raises(NotFoundError, match="train again"):
        trade_off({"model_version": OLD, "curves": None}, 0.1, STAKES)


def test_the_route_tells_it_of_the_money_that_is_asked_about(client):
    told = TradeOff.model_validate(client.get(f"/v1/models/{CHAMPION}/trade-off?share=0.3&clv=500").json())
    assert (told.stakes.clv, told.stakes.contact, told.at.share) == (500.0, 1.0, 0.3)


@pytest.mark.parametrize(
    "address, status", [(f"{OLD}/trade-off", 404), (f"{CHAMPION}/trade-off?incentive=300", 400),
                        (f"{CHAMPION}/trade-off?share=0", 422)],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(client, address, status):
    assert client.get(f"/v1/models/{address}").status_code == status


def test_a_model_tells_what_became_of_what_it_said_with_an_interval(client):
    first = client.get(f"/v1/models/{CHAMPION}").json()["watched"]["closed_labels"]["cutoffs"][0]
    low, high = first["observed_interval"]
    assert low < first["observed"] < high
