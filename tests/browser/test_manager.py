"""The week of a manager, with a browser alone: how it stands, what a campaign did, and what the next one may cost."""

import re

import pytest
from playwright.sync_api import expect

JOB_MS = 90_000
"""A job is a command in a process of its own; where others have the machine it takes a while."""


def until_done(visitor):
    """Wait on the page of a job, which is read again by itself, until the job has got to its end."""
    visitor.page.wait_for_url("**/jobs/**")
    expect(visitor.page.locator(".tags .job-done")).to_be_visible(timeout=JOB_MS)


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.long)])  # each makes a plan anew
def test_the_week_of_a_manager(visit, market, language):
    mei = visit(market, language)
    mei.sign_in("mei", "/overview")
    page = mei.page

    # Monday: how it stands, with a table behind every picture
    assert mei.heading == mei.says("Overview")
    expect(page.locator(".tile").filter(has_text=mei.says("Value at risk")).first).to_contain_text("$")
    pictures = page.locator("main svg.chart")
    assert page.locator("main details table").count() >= pictures.count()

    # Tuesday: the campaign that runs, what it set aside, and that nothing can be said of it yet
    page.locator(".rooms a[href='/campaigns']").click()
    assert mei.heading == mei.says("Campaigns")
    mei.follow("retention-2018-01")
    told = page.locator("main").inner_text()
    assert mei.says("Not measured yet.") in told
    assert mei.says("Held out") in told

    # Wednesday: a plan for the next, made by a job
    page.goto("/campaigns/plan")
    page.locator("input[name=campaign]").last.fill("spring")
    page.locator("input[type=number][name=budget]").last.fill("1500")
    page.locator("form[action='/campaigns/plan'][method=post] button").click()
    until_done(mei)
    page.locator("main a.button").click()
    page.wait_for_url("**/campaigns/plan**")

    # Thursday: what another budget would do, drawn by keyboard; the page stays, its figures change
    page.evaluate("window.stays = true")
    figures = page.locator(".tile .figure")
    before = figures.all_inner_texts()
    page.locator("input[type=range]").focus()
    mei.keys("ArrowLeft", "ArrowLeft")
    page.wait_for_url(re.compile(r"/campaigns/plan\?budget="))
    expect(figures.first).not_to_have_text(before[0])
    assert page.evaluate("window.stays === true && document.activeElement.type === 'range'")

    # Friday: what running it would do stands before the button that does it
    running = page.locator("section:has(#run)")
    button = running.get_by_role("button", name=mei.says("Run the campaign"))
    expect(button).to_be_hidden()
    running.locator("summary").click()
    expect(button).to_be_visible()
