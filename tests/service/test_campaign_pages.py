"""The pages of campaigns and their JSON twins: money, who is in them, what they brought, and the plan of the next."""

import re
from html import unescape

import pytest
from sample_campaigns import DAY, OPENED, assign, keep, measured, plan, point
from sample_run import ask, visit

from callers import signed_in
from churnml.database import Ledger, jobs, open_engine
from churnml.errors import UsageError
from churnml.service.api.campaign_shapes import Campaigns, CampaignWhole, PlanShape
from churnml.service.campaigns import at_budget
from churnml.service.campaigns.counting import Kept
from new_database import new_workspace

NOW = OPENED + 11 * DAY
POINTS = [point(0, 0, 0), point(40, 20, 60), point(80, 30, 80)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A workspace with a campaign that was measured, and a plan of the next."""
    workspace = new_workspace(tmp_path_factory.mktemp("campaigns"))
    assign(workspace)
    keep(workspace, ("measure", measured()), ("plan", plan()))
    return workspace


@pytest.fixture(scope="module")
def api(watched):
    with ask(watched) as client:
        yield client


@pytest.fixture(scope="module")
def admin(watched):
    return person(watched, "ann", "admin")


def person(workspace, name, role, language="en"):
    headers = signed_in(workspace, name, role, NOW) | {"accept": "text/html", "accept-language": language}
    headers.pop("x-csrf-token")  # forms carry it in a field
    opened = visit(workspace, headers=headers)
    opened.app.state.now = lambda: NOW
    return opened


def words(page):
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub("<[^>]+>", " ", main)).split())


def post(client, page, action, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text).group(1)
    return client.post(action, data={"csrf_token": token} | fields, follow_redirects=False)


def asked_for(workspace):
    engine = open_engine(workspace.database)
    with engine.connect() as connection:
        found, _ = jobs.page(connection, 10, None, (), ())
    engine.dispose()
    return [(job.verb, job.options) for job in found]


def test_a_campaign_tells_its_window_and_what_it_brought(api):
    (one,) = Campaigns.model_validate(api.get("/v1/campaigns").json()).items
    assert (str(one.window.closes_on), one.window.closed) == ("2018-03-02", False)
    assert {found.action: (found.verdict, found.net) for found in one.effect.actions} == {
        "call": ("helps", 360.0),
        "mail": ("too_few", None),
        "all_actions": ("not_yet", 240.0),
    }


def test_a_campaign_alone_tells_what_was_chosen_and_how_far_that_is(api):
    one = CampaignWhole.model_validate(api.get("/v1/campaigns/spring").json())
    assert (one.assignment.expected_net_value, one.assignment.actions[0].name) == (55.0, "call")
    assert {(each.arm, each.state, each.customers, each.cost) for each in one.progress} == {
        ("treated", "carried_out", 1, 1.5),
        ("treated", "open", 2, 0.0),
        ("control", "withheld", 1, 0.0),
    }


def test_a_campaign_that_there_is_not_is_not_found(api):
    told = api.get("/v1/campaigns/a%2Fb")
    assert (told.status_code, told.json()["detail"]) == (404, "no campaign `a/b`; /v1/campaigns lists them")


def test_a_plan_says_what_a_budget_would_do(api):
    told = PlanShape.model_validate(api.get("/v1/plan?budget=60").json())
    assert (told.at.treated, told.at.expected_net_value, told.at.computed) == (25, 70.0, False)
    assert PlanShape.model_validate(api.get("/v1/plan").json()).at.budget == 40.0


@pytest.mark.parametrize("budget, treated", [(0, 0), (20, 10), (40, 20), (80, 30), (500, 30)])
def test_between_computed_budgets_figures_lie_on_the_line_and_beyond_them_at_its_end(budget, treated):
    found = at_budget(POINTS, budget)
    assert (found["treated"], found["actions"]["call"]["treated"]) == (treated, treated)


def test_before_a_plan_is_kept_the_api_says_how_to_have_one(newcomer):
    told = newcomer.get("/v1/plan")
    assert (told.status_code, "churnml assign --dry-run --keep" in told.json()["detail"]) == (503, True)


def test_the_page_of_all_campaigns_tells_money_state_and_effect(admin):
    told = words(admin.get("/campaigns").text)
    assert "spring Opened Jan 1, 2018 3 to approach, 1 withheld as controls" in told
    assert "Running: outcomes count until Mar 2, 2018." in told
    assert "Budget $50 spent $2 set aside $8 not touched $40" in told
    assert "Personal call helps $360 ($120 to $600) · return on cost 1.5" in told
    assert "Of 1 action too few customers are in it to say anything." in told


def test_the_page_of_a_campaign_tells_the_effect_with_its_intervals_and_what_became_of_it(admin):
    page = admin.get("/campaigns/spring").text
    told = words(page)
    assert "Campaign spring" in told
    assert "Personal call 1 2 1 $1.50" not in told  # the order of states is that of the ledger
    assert "Personal call 2 1 1 $1.50" in told
    assert "Not yet conclusive." in told
    assert page.count('class="span"') == 4  # two actions, each with the pale and the dark interval
    assert "Held out 2" in told


def test_the_plan_marks_the_budget_and_says_what_one_more_unit_brings(admin):
    page = admin.get("/campaigns/plan?budget=40").text
    told = words(page)
    assert '<input id="drawn" name="budget" type="range" min="0" max="80" step="40" value="40">' in page
    assert "$1 more of budget $1.32 is what it would bring" in told
    assert "Customers 20 would be approached, of 40 scored" in told
    assert "Personal call by telephone 40 20 2 $36.00 $60.00 22 of 8" in told
    assert "never conclusive at this size" in told


def test_at_the_end_of_the_curve_more_budget_brings_nothing(admin):
    assert "more budget would bring nothing: all that pays is bought" in words(
        admin.get("/campaigns/plan?budget=80").text
    )


@pytest.mark.parametrize("budget", ["x", "-1", "nan", "inf", "1e99"])
def test_a_budget_that_is_none_is_refused_in_words(admin, budget):
    page = admin.get(f"/campaigns/plan?budget={budget}")
    assert page.status_code == 400
    assert "`budget` must be an amount of at least 0" in unescape(page.text)


@pytest.mark.parametrize("address", ["/campaigns", "/campaigns/spring", "/campaigns/plan"])
def test_the_pages_speak_chinese(watched, address):
    client = person(watched, "li", "admin", "zh-CN")
    told = words(client.get(address).text)
    assert "预算" in told
    assert not re.search(r"\b(the|budget|customers)\b", told)


def test_before_any_campaign_the_page_says_what_to_do(own_workspace):
    client = person(own_workspace, "ann", "admin")
    assert "Plan the first campaign" in words(client.get("/campaigns").text)
    assert "No plan yet" in words(client.get("/campaigns/plan").text)


def test_an_agent_sees_campaigns_and_runs_none(watched):
    client = person(watched, "bo", "agent")
    page = client.get("/campaigns").text
    assert "spring" in page
    assert "/campaigns/plan" not in page
    assert client.get("/campaigns/plan").status_code == 403


@pytest.mark.parametrize(
    "action, fields, verb, options",
    [
        ("measure", {"campaign": "spring", "by": "segment"}, "measure",
         {"what": "effect", "campaign": "spring", "by": "segment", "outcome": "orders"}),
        ("plan", {"campaign": "", "budget": "60"}, "plan", {"budget": 60.0}),
        ("run", {"campaign": "summer", "budget": "40"}, "assign",
         {"budget": 40.0, "campaign": "summer", "anew": False}),
    ],
)  # fmt: skip
def test_a_form_asks_for_a_job_and_leads_to_its_page(own_workspace, action, fields, verb, options):
    assign(own_workspace)
    keep(own_workspace, ("plan", plan()))
    client = person(own_workspace, "ann", "admin")
    answer = post(client, "/campaigns", f"/campaigns/{action}", **fields)
    assert (answer.status_code, answer.headers["location"][:6]) == (303, "/jobs/")
    assert (verb, options) in asked_for(own_workspace)


@pytest.mark.parametrize(
    "fields", [{"campaign": "", "budget": "4"}, {"campaign": "x" * 65, "budget": "4"}, {"campaign": "x"}]
)
def test_a_form_that_is_wrong_has_nothing_done(own_workspace, fields):
    client = person(own_workspace, "ann", "admin")
    assert post(client, "/campaigns/plan", "/campaigns/run", **fields).status_code == 400
    assert asked_for(own_workspace) == []


def test_a_plan_that_is_older_than_the_scores_says_so(own_workspace):
    keep(own_workspace, ("plan", plan(scored_by="older")), ("score", {}))
    client = person(own_workspace, "ann", "admin")
    assert "This plan is out of date" in words(client.get("/campaigns/plan").text)


def test_a_name_that_would_run_something_runs_nothing(own_workspace):
    name = "<script>alert(1)</script>/a"
    assign(own_workspace, name)
    keep(own_workspace, ("measure", measured(name)))
    client = person(own_workspace, "ann", "admin")
    path = re.search(r'href="(/campaigns/%3C[^"]+)"', client.get("/campaigns").text).group(1)
    page = client.get(path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_no_campaign_is_called_as_the_page_of_the_plan(own_workspace):
    engine = open_engine(own_workspace.database)
    with pytest.raises(UsageError, match="a campaign cannot be called `plan`"):
        Ledger(engine).open("plan", 1, 1)
    engine.dispose()


@pytest.mark.parametrize("seconds, counted", [(0.1, 2), (1.0, 1)])
def test_a_count_that_takes_long_is_kept_for_a_while(seconds, counted):
    times, now = [], [0.0]

    def count():
        now[0] += seconds
        return times.append(now[0])

    kept = Kept(count, lambda: now[0])
    kept()
    kept()
    assert len(times) == counted
    now[0] += 21 * seconds
    kept()
    assert len(times) == counted + 1
