"""The morning of an agent, with a browser alone: whom to call, what came of it, who is next."""

import pytest


def test_two_who_claim_at_once_never_get_the_same_customer(visit, market):
    ann, li = visit(market), visit(market)
    for one, name in ((ann, "ann"), (li, "li")):
        one.sign_in(name, "/today")
    for one in (ann, li):  # both pages were opened before either claimed
        one.page.get_by_label("How many customers", exact=True).fill("1")
    for one in (ann, li):
        one.press("Claim the next ones")
        assert one.told == "1 customer is yours now."
    held = [
        set(one.page.locator(".now h2, .queue:has-text('not called yet') a").all_inner_texts()) for one in (ann, li)
    ]
    assert all(len(one) >= 1 for one in held)
    assert held[0] & held[1] == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_morning_of_an_agent(visit, market, language):
    ann = visit(market, language)
    ann.sign_in("ann")
    assert ann.heading == ann.says("Today")

    # two customers for the morning
    ann.page.get_by_label(ann.says("How many customers"), exact=True).fill("2")
    ann.press("Claim the next ones")
    assert "2" in ann.told
    first = ann.page.locator(".now h2").inner_text()

    # the first does not answer, and is to be called again
    ann.page.get_by_label(ann.says("Call again on")).fill("2018-01-15")
    ann.page.locator(".now").get_by_label(ann.says("Note")).fill("Rang for a minute.")
    ann.press("No answer")
    assert ann.says("No answer") in ann.told
    second = ann.page.locator(".now h2").inner_text()
    assert second != first

    # the second is reached
    ann.press("Reached")
    told = ann.told
    assert second in told
    assert ann.says("Reached") in told

    # the list of those who get a note and are nobody's yet, by keyboard: down, take, open
    ann.page.locator(".rooms a[href='/at-risk']").click()
    ann.page.locator(".filters select[name=action]").select_option("thank_you_email")
    ann.page.wait_for_url("**action=thank_you_email*")
    ann.page.locator(".filters select[name=owner]").select_option("nobody")
    ann.page.wait_for_url("**action=thank_you_email*owner=nobody*")
    chosen = ann.page.locator("tbody tr th a").nth(1).inner_text()
    ann.page.locator("h1").click()
    ann.keys("j", "j", "a")
    assert "ann" in ann.told
    assert chosen not in ann.page.locator("tbody tr th a").all_inner_texts()
    ann.keys("k", "Enter")
    ann.page.wait_for_url("**/customers/*")

    # a customer by id: told of the call, a note, put off
    ann.keys("/")
    ann.page.keyboard.type(chosen)
    ann.keys("Enter")
    ann.page.wait_for_url(f"**/customers/{chosen}")
    assert ann.heading == ann.says("Customer %(customer)s", customer=chosen)
    ann.page.locator("section:has(#notes)").get_by_label(ann.says("Note")).fill("Prefers the morning.")
    ann.press("Keep the note")
    assert ann.told == ann.says("The note is kept.")
    assert "Prefers the morning." in ann.page.locator(".noted").inner_text()
    ann.page.get_by_label(ann.says("Put off until")).fill("2018-02-01")
    ann.press("Put off")
    assert "2018" in ann.told

    # what was noted of the first call stands there, and the day is done
    ann.go(f"/customers/{first}")
    assert "Rang for a minute." in ann.page.locator("main").inner_text()
    ann.press("Sign out", "header")
    assert ann.heading == ann.says("Sign in")
    assert ann.go("/today") == 200
    assert ann.heading == ann.says("Sign in")


def test_who_is_slower_is_told_who_holds_the_customer(visit, market):
    ann, li = visit(market), visit(market)
    for one, name in ((ann, "ann"), (li, "li")):
        one.sign_in(name, "/at-risk?owner=nobody")
    free = ann.page.locator("tbody tr th a").first.get_attribute("href")
    for one in (ann, li):
        one.go(free)
    li.keys("a")
    assert li.told == "This customer is yours now."
    ann.keys("a")
    assert ann.told.startswith("Somebody was quicker: li looks after customer")
