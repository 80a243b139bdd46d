"""What our script makes quicker, that it can be turned off, and that what it cannot do the browser does."""

import pytest
from playwright.sync_api import expect

BAND = ".filters select[name=band]"
FOREIGN = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"


def on_the_list(visit, planted, **how):
    visitor = visit(planted, **how)
    visitor.go("/at-risk")
    visitor.page.evaluate("window.stays = true")
    return visitor


def stays(visitor):
    """Tell whether the page is still the one that was loaded."""
    return visitor.page.evaluate("window.stays === true")


def focused(visitor, what="name"):
    return visitor.page.evaluate(f"document.activeElement.{what}")


def current(visitor):
    return visitor.page.locator("tr[aria-current=true] th a").all_inner_texts()


def test_a_filter_shows_its_list_at_once_and_keeps_the_focus(visit, planted):
    visitor = on_the_list(visit, planted)
    band = visitor.page.locator(BAND)
    band.focus()
    band.select_option("low")
    visitor.page.wait_for_url("**band=low*")
    assert (stays(visitor), focused(visitor)) == (True, "band")
    assert visitor.page.locator("tbody .tag").all_inner_texts() == ["Low"] * visitor.page.locator("tbody tr").count()
    assert "band=low" in visitor.page.locator(".languages a").first.get_attribute("href")
    visitor.page.go_back()
    expect(visitor.page.locator(BAND)).to_have_value("")


def test_j_and_k_go_along_the_rows_and_enter_opens_one(visit, planted):
    visitor = on_the_list(visit, planted)
    whom = visitor.page.locator("tbody th a").all_inner_texts()
    visitor.keys("j", "j", "j", "k")
    assert current(visitor) == [whom[1]] == [focused(visitor, "textContent")]
    assert visitor.page.evaluate("document.activeElement.matches(':focus-visible')")
    visitor.keys("Enter")
    visitor.page.wait_for_url("**/customers/**")


def test_a_takes_the_customer_of_the_row_alone_and_says_so_in_place(visit, planted):
    visitor = on_the_list(visit, planted)
    visitor.page.locator("tbody input[type=checkbox]").nth(4).check()  # another is ticked, and is not taken
    visitor.keys("j", "j", "a")
    assert visitor.told == "1 customer is looked after by mei now."
    assert stays(visitor)
    assert visitor.page.locator("tr[aria-current=true] .whose").inner_text().startswith("mei")
    assert visitor.page.locator("#said").inner_text() == "1 customer is looked after by mei now."


@pytest.mark.parametrize("field", ["#find", BAND])
def test_keys_rest_while_somebody_types_or_chooses(visit, planted, field):
    visitor = on_the_list(visit, planted)
    visitor.page.locator(field).focus()
    visitor.keys("j", "k", "a")
    assert current(visitor) == []


@pytest.mark.parametrize("key", ["Control+j", "Alt+j", "Meta+j"])
def test_keys_rest_beside_modifiers(visit, planted, key):
    visitor = on_the_list(visit, planted)
    visitor.keys(key)
    assert current(visitor) == []


@pytest.mark.parametrize("language, title", [("en", "Keyboard"), ("zh", "快捷键")])
def test_the_keys_are_told_in_the_language_of_the_page_and_can_be_turned_off(visit, planted, language, title):
    visitor = on_the_list(visit, planted, language=language)
    visitor.keys("?")
    told = visitor.page.get_by_role("dialog", name=title)
    told.get_by_role("checkbox").uncheck()
    visitor.keys("Escape", "j")
    assert current(visitor) == []
    visitor.go("/at-risk")
    visitor.keys("j")
    assert current(visitor) == []
    visitor.page.get_by_role("button", name=title).click()  # the way back on needs no key
    told.get_by_role("checkbox").check()
    visitor.keys("Escape", "j")
    assert len(current(visitor)) == 1


def test_a_form_of_which_no_answer_came_is_not_sent_again_and_stays_as_it_is(visit, planted):
    visitor = on_the_list(visit, planted)
    visitor.page.route(
        "**/cases", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_()
    )
    visitor.page.locator("tbody input[type=checkbox]").nth(7).check()
    visitor.press("Give")
    visitor.page.get_by_role("alert").filter(has_text="No answer came").wait_for()
    assert visitor.page.locator("tbody input[type=checkbox]").nth(7).is_checked()
    assert stays(visitor)
    visitor.faults.clear()  # the browser tells of the request that was cut


def test_a_form_that_was_done_is_not_done_again_where_the_page_after_it_fails(visit, planted):
    visitor, sent = on_the_list(visit, planted), []
    visitor.page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    visitor.page.route(
        "**/at-risk?*", lambda route: route.fulfill(status=500) if route.request.redirected_from else route.continue_()
    )
    visitor.page.locator("tbody input[type=checkbox]").nth(8).check()
    visitor.press("Give")
    visitor.page.wait_for_timeout(500)
    assert len(sent) == 1
    visitor.faults.clear()


def test_a_way_within_the_page_keeps_what_was_entered(visit, planted):
    visitor = on_the_list(visit, planted)
    visitor.page.locator("tbody input[type=checkbox]").nth(5).check()
    visitor.page.locator("a.skip").focus()
    visitor.keys("Enter")
    visitor.page.wait_for_timeout(300)
    assert visitor.page.locator("tbody input[type=checkbox]").nth(5).is_checked()


def test_a_filter_whose_answer_does_not_come_is_opened_by_the_browser(visit, planted):
    visitor = on_the_list(visit, planted)
    visitor.page.route(
        "**/at-risk?*", lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_()
    )
    visitor.page.locator(BAND).select_option("high")
    visitor.page.wait_for_url("**band=high*")
    assert not stays(visitor)
    visitor.faults.clear()


def test_a_page_runs_no_script_but_our_file(visit, planted):
    visitor = on_the_list(visit, planted)
    visitor.page.evaluate(f"document.body.append(document.createRange().createContextualFragment({FOREIGN!r}))")
    visitor.page.wait_for_timeout(100)
    assert visitor.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in one for one in visitor.faults)
    visitor.faults.clear()


def test_the_form_of_a_call_is_filled_and_sent_by_keyboard_alone(visit, planted):
    visitor = visit(planted)
    visitor.go("/today")
    if not visitor.page.locator(".now").count():
        visitor.press("Claim the next ones")
        assert visitor.told
    visitor.page.get_by_label("Call again on").focus()
    seen = []
    for _ in range(12):
        visitor.keys("Tab")
        seen.append(visitor.page.evaluate("document.activeElement.value || document.activeElement.name"))
        if seen[-1] == "no_answer":
            break
    visitor.keys("Enter")
    assert "Kept: No answer." in visitor.told
