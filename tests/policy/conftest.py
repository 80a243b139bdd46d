"""A small catalogue with round numbers, so that expectations can be worked out by hand."""

import pytest
from people import action

from churnml.policy import Catalogue, Cost, Prior


@pytest.fixture
def catalogue() -> Catalogue:
    coupon = Prior(churn_odds_ratio=0.5, orders_ratio=1.1, uncertainty=0.2)
    call = Prior(churn_odds_ratio=0.25, uncertainty=0.1)
    redeemed = Cost(on_redemption=5, redemption=0.4)
    return Catalogue(
        actions=(
            action("do_nothing"),
            action("coupon", "email", redeemed, prior=coupon, bands=("medium", "high")),
            action("call", "phone", 6, prior=call, bands=("high",), reasons=("satisfaction",), capacity=1),
        )
    )
