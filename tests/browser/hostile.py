"""A workspace in which every text that comes from outside tries to get out of its element."""

import sample_campaigns as campaigns
import sample_measures as measures
from sample_ingest import landed
from sample_run import ask, bodies, fill, record

from churnml.config import ServeConfig
from churnml.database import Catalogue, open_engine
from churnml.wording import Text
from new_database import new_workspace

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea></title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "\u202egnp.exe",
    "{{ 7 * 7 }}",
)
WHOSE = TEXTS[1]
"""The customer who has all of it."""
CAMPAIGN = TEXTS[1]
"""The campaign that was carried out, measured, and is planned anew."""
LANDED_AT, NOW = 1_514_880_843_000_000, 1_514_764_800_000_000 + 10 * 86_400_000_000
ROWS = {
    "customers": [{"occurred_at": "2017-01-01", "display_name": TEXTS[0], "phone": TEXTS[3], "email": TEXTS[1]}],
    "orders": [
        {"occurred_at": f"2017-12-0{n + 1}", "order_id": one, "amount": 10.5, "channel": one}
        for n, one in enumerate(TEXTS)
    ],
    "interactions": [{"occurred_at": "2017-12-10", "kind": one, "channel": one} for one in TEXTS],
    "tickets": [{"occurred_at": "2017-12-11", "ticket_id": one, "kind": one, "channel": one} for one in TEXTS],
    "contacts": [
        {"occurred_at": "2018-01-02", "contact_id": one, "action": one, "channel": one} for one in TEXTS
    ],
    "consents": [{"occurred_at": "2017-12-12", "purpose": "marketing", "channel": TEXTS[0], "granted": True}],
}  # fmt: skip


def plant(folder):
    """Return the workspace."""
    workspace = new_workspace(folder)
    _campaign(workspace)
    fill(workspace, bodies(), now=campaigns.OPENED + campaigns.DAY)
    fill(workspace, [*_hostile(), *bodies()], now=campaigns.OPENED + 2 * campaigns.DAY)
    for name, told in _measured().items():
        measures.keep(workspace, measures.body(name, *told))
    _land(workspace)
    engine = open_engine(workspace.database)
    Catalogue(engine).land(99, LANDED_AT, [], landed(time_zone="Asia/Shanghai"), [])
    engine.dispose()
    return workspace


def _hostile():
    """Return records whose words are hostile: labels, scripts and sentences come from configuration and from data."""
    said = {"en": TEXTS[2], "zh": TEXTS[2]}
    reason = {
        "feature": TEXTS[0],
        "value": TEXTS[1],
        "weight": 0.4,
        "direction": "raises",
        "group": "recency",
        "sentence": said,
    }
    words = {"reasons": [reason], "action_label": said, "action_script": said, "funnel_stage_label": said}
    return [record(f"h{n} {one}", n, arm="treated", action=one, **words) for n, one in enumerate(TEXTS)]


def _measured():
    remark = Text(TEXTS[0], TEXTS[1])
    return {
        "lifecycle": (measures.stages((remark,)), measures.transitions()),
        "segments": (measures.segments(),),
        "kpis": (measures.kpis(TEXTS[:2]),),
        "drivers": (measures.drivers(),),
    }


def _campaign(workspace):
    """Choose in a campaign, measure what it did, and plan it anew, all of it told in hostile words."""
    said = {"en": TEXTS[0], "zh": TEXTS[0]}
    campaigns.assign(workspace, CAMPAIGN)
    did = {TEXTS[0]: campaigns.action(said, campaigns.told("helps", 6.0, 2.0, 10.0), TEXTS[2])}
    ahead = campaigns.point(0, 0, 0), campaigns.point(40, 20, 60), campaigns.point(80, 30, 80)
    campaigns.keep(
        workspace,
        ("measure", campaigns.measured(CAMPAIGN, actions=did)),
        ("assign", campaigns.plan(campaign=CAMPAIGN, points=list(ahead))),
    )


def _land(workspace):
    with ask(workspace, settings=ServeConfig(land_every_seconds=3600)) as client:
        client.app.state.now = lambda: NOW
        for table, rows in ROWS.items():
            told = client.post(
                "/v1/events", json={"table": table, "rows": [{"customer_id": WHOSE} | one for one in rows]}
            )
            assert {one["status"] for one in told.json()["results"]} == {"kept"}, told.text
        client.app.state.worker._lander.land()
