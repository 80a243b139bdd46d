"""A small catalogue with round numbers, so that expectations can be worked out by hand."""

import pytest

from churnml.policy import Action, Catalogue, Prior, Wording

TEXT = Wording(en="text", zh="文字")


def action(name: str, channel: str, cost: float = 0, max_cost: float = 0, **others) -> Action:
    source = "definition" if name == "do_nothing" else "prior"
    words = {"label": TEXT, "script": TEXT, "basis": "Assumed."}
    return Action(name=name, channel=channel, cost=cost, max_cost=max_cost, effect_source=source, **words, **others)


@pytest.fixture
def catalogue() -> Catalogue:
    coupon = Prior(churn_odds_ratio=0.5, orders_ratio=1.1, uncertainty=0.2)
    call = Prior(churn_odds_ratio=0.25, uncertainty=0.1)
    return Catalogue(
        actions=(
            action("do_nothing", "none"),
            action("coupon", "email", 2, 5, prior=coupon, bands=("medium", "high")),
            action("call", "phone", 6, 6, prior=call, bands=("high",), reasons=("satisfaction",), capacity=1),
        )
    )
