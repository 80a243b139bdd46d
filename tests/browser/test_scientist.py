"""The hour of a data scientist, with a browser alone: whether the model can be trusted, and what it rests on."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_hour_of_a_data_scientist(visit, market, language):
    dana = visit(market, language)
    dana.sign_in("dana", "/models")
    page = dana.page

    # which model answers, and beside which baselines it was judged
    assert dana.heading == dana.says("Models")
    expect(page.locator("table.judged").first).to_contain_text("AUROC")
    dana.follow("All about this model")
    assert dana.heading.startswith(dana.says("Model %(version)s", version=""))

    # whom contacting a fifth more would find, and whom in vain; the page stays
    page.evaluate("window.stays = true")
    found = page.locator(".found .figure")
    before = found.all_inner_texts()
    page.locator("input[type=range][name=share]").focus()
    dana.keys(*["ArrowRight"] * 5)
    page.wait_for_url(re.compile(r"share=\d+"))
    expect(found.first).not_to_have_text(before[0])
    assert page.evaluate("window.stays === true")

    # calibration: a picture, and the figures behind it with their intervals
    calibration = page.locator("figure").filter(has=page.get_by_role("heading", name=dana.says("Calibration")))
    expect(calibration.locator("svg").first).to_be_visible()
    calibration.locator("summary").first.click()
    expect(calibration.locator("tbody tr").first).to_contain_text("%")

    # what was asked before it was let answer, and that it does
    expect(page.locator(".gates li").first).to_contain_text(dana.says("rule"))
    assert dana.says("This model answers already.") in page.locator("main").inner_text()

    # what becoming another champion would mean stands behind the words that say so
    dana.go("/models")
    training = page.locator("details").filter(has=page.get_by_text(dana.says("Train a model anew"), exact=True))
    button = training.get_by_role("button", name=dana.says("Train now"))
    expect(button).to_be_hidden()
    training.locator("summary").click()
    expect(button).to_be_visible()

    # the data it rests on: what landed, what was set aside
    page.locator(".rooms a[href='/data']").click()
    expect(page.locator("h1")).to_be_visible()
    assert "orders" in page.locator("main").inner_text()
