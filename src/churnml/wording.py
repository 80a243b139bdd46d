"""What people read, in English and Chinese.

Features and actions carry both languages where they are declared, as a `Text`; the interface is translated by
gettext from `service/locale/zh.po`. Numbers, money and dates are written by Babel in the way of each language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from churnml.errors import UsageError

if TYPE_CHECKING:
    from babel.core import Locale

# Babel is imported inside the functions: it costs 0.1 s, and `churnml --help` prints no number

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_LOCALES: dict[Language, str] = {"en": "en_US", "zh": "zh_CN"}
_CATALOGUE = Path(__file__).parent / "service" / "locale" / "zh.po"


@dataclass(frozen=True)
class Text:
    """One thing said in both languages; braces hold the places that numbers go."""

    en: str
    zh: str

    def to(self, language: Language) -> str:
        """Return the text in one language."""
        return self.zh if language == "zh" else self.en


def language_named(name: str) -> Language:
    """Return a language by its name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    for language in LANGUAGES:
        if name == language:
            return language
    raise UsageError(f"--language must be {' or '.join(LANGUAGES)}, got {name!r}")


class Translator:
    """Translates the interface; what it does not know stays English.

    Parameters
    ----------
    messages : dict of str to str
        Translations by English text. Chinese has one plural form, so a plural is found by its singular.
    """

    def __init__(self, messages: dict[str, str]) -> None:
        self._messages = messages

    def gettext(self, message: str) -> str:
        """Return the translation of `message`."""
        return self._messages.get(message, message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the translation that fits `number` things."""
        return self._messages.get(singular, singular if number == 1 else plural)


@cache
def translator(language: Language) -> Translator:
    """Return the translator into `language`; the catalogue is read once, at first use.

    Examples
    --------
    >>> translator("zh").gettext("Churn probability")
    '流失概率'
    """
    if language == "en":
        return Translator({})
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with _CATALOGUE.open("rb") as lines:
        catalogue = read_po(lines, locale="zh_CN", abort_invalid=True)
    return Translator({_first(entry.id): _first(entry.string) for entry in catalogue if entry.id and entry.string})


def _first(forms: str | list[str] | tuple[str, ...]) -> str:
    return forms if isinstance(forms, str) else forms[0]


@cache
def _locale(language: Language) -> Locale:
    """Return Babel's locale; naming it by text instead would look through all of Babel's locales at each call."""
    from babel.core import Locale  # noqa: PLC0415

    return Locale.parse(_LOCALES[language])


def format_money(amount: float, currency: str, language: Language, *, whole: bool = False) -> str:
    """Return an amount with its currency; `whole` leaves the cents out.

    Examples
    --------
    >>> format_money(1234.5, "USD", "en"), format_money(1234.5, "CNY", "zh", whole=True)
    ('$1,234.50', '¥1,234')
    """
    before, digits, after = _money_around(currency, language, whole, amount < 0)
    # a page tells hundreds: Babel looks up plural and name of the currency at each, so it is asked once for what is
    # around a figure; both our languages write the figure itself alike
    told = f"{abs(Decimal(str(amount))):,.{digits}f}"
    return f"{before}{told}{after}"


@cache
def _money_around(currency: str, language: Language, whole: bool, negative: bool) -> tuple[str, int, str]:  # noqa: FBT001
    """Return what stands before an amount, its decimals, and what stands after it, as Babel writes them."""
    from babel.numbers import format_currency  # noqa: PLC0415

    one = -1 if negative else 1
    if whole:
        told = format_currency(one, currency, "¤#,##0", locale=_locale(language), currency_digits=False)
    else:
        told = format_currency(one, currency, locale=_locale(language))
    before, _, after = told.partition("1")
    decimals = after.lstrip(".0123456789")
    return before, max(len(after) - len(decimals) - 1, 0), decimals


def format_percent(share: float, language: Language) -> str:
    """Return a share as a whole percentage; nothing short of certain is called 0 % or 100 %.

    Examples
    --------
    >>> format_percent(0.434, "en"), format_percent(0.998, "en"), format_percent(0.001, "zh")
    ('43%', '>99%', '<1%')
    """
    from babel.numbers import format_percent as by_locale  # noqa: PLC0415

    mark, shown = "", share
    if 0 < share < 0.005:
        mark, shown = "<", 0.01
    elif 0.995 <= share < 1:
        mark, shown = ">", 0.99
    return mark + by_locale(shown, locale=_locale(language))


def format_points(difference: float) -> str:
    """Return a difference of two shares in whole percentage points, with its sign.

    Examples
    --------
    >>> format_points(0.124), format_points(-0.05), format_points(0.001)
    ('+12', '-5', '±0')
    """
    points = round(difference * 100)
    return f"{points:+d}" if points else "±0"


def format_number(number: float, language: Language, places: int | None = None) -> str:
    """Return a number with the separators of the language, with so many decimals or else two at most.

    Examples
    --------
    >>> format_number(12345.678, "en"), format_number(6, "en", places=1)
    ('12,345.68', '6.0')
    """
    from babel.numbers import format_decimal  # noqa: PLC0415

    decimals = ".##" if places is None else "." + "0" * places if places else ""
    return format_decimal(number, format=f"#,##0{decimals}", locale=_locale(language))


def exact(number: float) -> str:
    """Return a number as a field of a form or an address holds it: the shortest decimal that is read back as the same.

    Examples
    --------
    >>> exact(1234567.89), exact(2000.0), exact(1e-7)
    ('1234567.89', '2000', '0.0000001')
    """
    return format(Decimal(repr(float(number))).normalize(), "f")


def format_date(instant: datetime | str, language: Language, time_zone: str = "UTC") -> str:
    """Return the calendar day of an instant in `time_zone`; a text is read as ISO 8601, UTC unless it says other.

    Examples
    --------
    >>> format_date("2017-12-31T16:00:00+00:00", "zh", "Asia/Shanghai")
    '2018年1月1日'
    """
    from babel.dates import format_date as by_locale  # noqa: PLC0415

    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return by_locale(moment.astimezone(ZoneInfo(time_zone)).date(), format="medium", locale=_locale(language))


def format_month(day: str, language: Language) -> str:
    """Return the month of a day, ISO 8601.

    Examples
    --------
    >>> format_month("2017-12-01", "en"), format_month("2017-12-01", "zh")
    ('Dec 2017', '2017年12月')
    """
    from babel.dates import format_skeleton  # noqa: PLC0415

    return format_skeleton("yMMM", date.fromisoformat(day), locale=_locale(language))
