"""Currency signs as they stand beside amounts: ``€``, ``US$``, ``EUR``, and which currencies each may mean."""

from __future__ import annotations

import re

_CODES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  # as a list it would be a page
)
_DOLLARS = "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD MXN ARS CLP COP"
_MEANT = {
    **{code: code for code in _CODES},
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NT$": "TWD", "NZ$": "NZD",
    "S$": "SGD", "R$": "BRL", "MX$": "MXN", "CN¥": "CNY", "RMB": "CNY", "CN￥": "CNY", "JP¥": "JPY",
    "€": "EUR", "$": _DOLLARS, "＄": _DOLLARS, "£": "GBP EGP GIP FKP SHP LBP SSP", "¥": "CNY JPY", "￥": "CNY JPY",
    "元": "CNY TWD HKD", "圓": "CNY TWD HKD", "円": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW KPW", "₺": "TRY",
    "₴": "UAH", "₫": "VND", "₪": "ILS", "฿": "THB", "₱": "PHP", "₦": "NGN", "₸": "KZT", "₾": "GEL", "₼": "AZN",
    "zł": "PLN", "Kč": "CZK", "kr": "SEK NOK DKK ISK", "kr.": "DKK", "Fr.": "CHF", "SFr.": "CHF", "Ft": "HUF",
    "lei": "RON MDL", "лв.": "BGN", "руб.": "RUB", "грн": "UAH", "R": "ZAR", "Rs": "INR PKR LKR NPR MUR", "Rp": "IDR",
}  # fmt: skip

SIGN = "|".join(re.escape(sign) for sign in sorted(_MEANT, key=len, reverse=True))
"""A pattern of every sign, for Python and for DuckDB."""
ANY_SIGN = f"[{re.escape(''.join(sorted(set(''.join(_MEANT)))))}]{{1,{max(map(len, _MEANT))}}}"
"""A pattern of what is written with the letters of signs: of every sign, and of more."""


def meant(sign: str) -> frozenset[str]:
    """Return the ISO 4217 codes of the currencies that a sign may mean.

    Examples
    --------
    >>> sorted(meant("¥"))
    ['CNY', 'JPY']
    """
    return frozenset(_MEANT[sign].split())
