import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import churnml
from churnml.wording import (
    Text,
    format_date,
    format_money,
    format_number,
    format_percent,
    translator,
)

PACKAGE = Path(churnml.__file__).parent
TEMPLATES = "service/templates/**.html"


def in_the_source():
    found = extract_from_dir(
        PACKAGE,
        method_map=[("**.py", "python"), (TEMPLATES, "jinja2")],
        options_map={TEMPLATES: {"newstyle_gettext": "true", "silent": "false"}},
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def catalogue():
    with (PACKAGE / "service/locale/zh.po").open("rb") as lines:
        entries = read_po(lines, locale="zh_CN", abort_invalid=True)
    return {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in entries if entry.id}


def test_everything_the_pages_say_is_translated(catalogue):
    assert in_the_source() - set(catalogue) == set()


def test_nothing_is_translated_that_no_page_says(catalogue):
    assert set(catalogue) - in_the_source() == set()


def test_no_translation_is_empty_or_unsure(catalogue):
    assert [name for name, entry in catalogue.items() if not entry.string or entry.fuzzy] == []


def test_translations_keep_the_places_of_the_numbers(catalogue):
    assert [name for name, entry in catalogue.items() if list(entry.check())] == []


def test_plurals_follow_the_number_and_chinese_has_one():
    forms = ("%(days)s day with an order", "%(days)s days with an order")
    assert [translator("en").ngettext(*forms, number) for number in (1, 2)] == list(forms)
    assert {translator("zh").ngettext(*forms, number) for number in (1, 2)} == {"下单 %(days)s 天"}


def test_what_is_not_known_stays_english():
    assert translator("zh").gettext("no such words") == "no such words"


def test_a_text_speaks_the_language_asked_for():
    assert [Text("call", "致电").to(language) for language in ("en", "zh")] == ["call", "致电"]


@pytest.mark.parametrize(
    "language, currency, expected",
    [("en", "USD", "$1,234.50"), ("zh", "USD", "US$1,234.50"), ("zh", "CNY", "¥1,234.50"), ("en", "JPY", "¥1,234")],
)
def test_money_is_written_as_the_language_does(language, currency, expected):
    assert format_money(1234.5, currency, language) == expected


def test_money_may_leave_the_cents_out():
    assert format_money(1234.56, "USD", "en", whole=True) == "$1,235"


@pytest.mark.parametrize(
    "share, expected", [(0.0, "0%"), (0.001, "<1%"), (0.434, "43%"), (0.994, "99%"), (0.998, ">99%"), (1.0, "100%")]
)
def test_nothing_short_of_certain_is_called_certain(share, expected):
    assert format_percent(share, "en") == expected


def test_a_day_is_that_of_the_time_zone():
    assert format_date("2017-12-31T16:00:00+00:00", "en", "Asia/Shanghai") == "Jan 1, 2018"
    assert format_date("2017-12-31T16:00:00", "zh") == "2017年12月31日"


def test_numbers_have_separators_and_two_decimals():
    assert format_number(-12345.678, "en") == "-12,345.68"


def test_importing_the_words_costs_no_babel():
    code = "import sys, churnml.wording; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_segment_of_customers_has_one_name_in_chinese():
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.po"), *(PACKAGE.parents[1] / "docs").rglob("*.md")]
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert len(texts) > 100
    assert [name for name, text in texts.items() if "客群" in text or "客户群" in text] == []
