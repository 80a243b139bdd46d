"""Which encoding the letters of a text speak for, where its bytes alone do not say: Chinese, Western European, or open.

Most single bytes are a letter in every one of a dozen encodings, and most pairs a Chinese character, so that nothing
fails; what gives a wrong reading away are letters in places where no word has them: ``Paw³owski``, ``Dvoøák``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LEAST_SURE = 0.95  # of the letters must stand as words have them; one odd name among many does no harm
_VOWELS = "aeiouáéíóú"
_HARMLESS = "äöüáéíóúëïçàâîôå"  # letters that may stand anywhere in a word
_IN_PLACE = (  # others, only where Western words have them: elsewhere they are letters of cp1250, cp1254, …
    f"ñ(?=[{_VOWELS}])",
    "œ(?=[uitds])",
    r"(?<!i)æ(?=[a-vx-y])",
    r"ø(?![aáíou])",
    rf"è(?![{_VOWELS}])",
    r"[ìòù](?!\w)",
    "õ(?=e)",
    "ã(?=[oe])",
    "û(?=[trlmp])",
    r"ê(?=[tmnvpslrqi]|ch|\W|$)",
    r"(?<=\w)ß",
)
_SIGNS = (
    r"[€£¥¢](?![^\W\d])|(?<=[\s\d])[½¼¾]|(?<=m)[²³](?!\w)|(?<!\w)[¿¡](?=\w)|[ªº](?![^\W\d])",
    "[\u00a0§°µ©®™«»“”‘’„‚…•·±×´]|(?<![^\x00-\x7f])[–—](?![^\x00-\x7f])",
)
_WESTERN = re.compile("|".join((f"[{_HARMLESS}]", *_IN_PLACE, *_SIGNS)), re.IGNORECASE)
_DOUBLED = {"éé", "ää", "öö", "äö", "öä", "üß", "äß", "öß", "çã", "çõ", "çé", "çá", "çó", "íã", "óã"}
_RUN = re.compile(r"[^\W\d_a-zA-Z]{2,}")
_ALONE = re.compile(r"(?<![\w\x80-\U0010ffff])[^\W\d_a-zA-Z](?![\w\x80-\U0010ffff])")
_ALONE_TOO = frozenset("àéèóôåøö")

_HALF_KANA = range(0xA1, 0xE0)  # one byte each in Shift JIS
_ALPHABETS = ("cp1251", "koi8_r", "cp1253")
_CASED = re.compile("[^\\W\\d_]?[^\\W\\d_A-ZА-ЯЁΑ-ΩΆ-Ώ]*|[A-ZА-ЯЁΑ-ΩΆ-Ώ]+")
_ALPHABET = frozenset(range(0xC0, 0x100)) | {0xA8, 0xB8}  # where cp1251, KOI8-R and cp1253 have their letters
_CHINESE_ONLY = 0xD0  # leads from here on are rare in EUC-KR and EUC-JP, and every fourth character of Chinese
_CLOSED = "　、。・「」『』【】《》“”‘’—…·×，：；！？（）％＋－．￥"


def is_western(sample: bytes) -> bool:
    """Tell whether bytes are cp1252: letters such as é, ü and ß in places where words have them, and common signs."""
    text = _decoded(sample, "cp1252")
    foreign = sum(not letter.isascii() for letter in text)
    runs = [run for run in _RUN.findall(text) if run.casefold().replace("ss", "ß") not in _DOUBLED]
    lonely = [letter for letter in _ALONE.findall(text) if letter.lower() not in _ALONE_TOO]
    odd = sum(map(len, runs)) + len(lonely)
    return foreign > 0 and len(_WESTERN.findall(text)) - odd >= _LEAST_SURE * foreign


def is_chinese(sample: bytes) -> bool:
    """Tell whether bytes are gb18030: ideographs of everyday use, which no other encoding would give these bytes for.

    The characters of GB 2312 are two bytes above A0 each; a Latin letter between others would make a pair with an ASCII
    letter, a rare character. Cyrillic words, half-width kana, Korean and Japanese (EUC) keep to a part of the range.
    """
    foreign = [letter for letter in _decoded(sample, "gb18030") if not letter.isascii()]
    words = [letter for letter in foreign if letter != "¥" and letter not in _CLOSED]
    if not words:
        return "¥" in foreign  # four bytes of gb18030, which are nothing else
    pairs = [pair for pair in map(_gb2312, words) if pair and 0xB0 <= pair[0] <= 0xF7]
    level_1 = sum(lead <= 0xD7 for lead, _ in pairs)
    spread = {byte for pair in pairs for byte in pair}
    return (
        len(pairs) >= 0.8 * len(words)
        and level_1 >= 0.4 * len(words)
        and any(lead >= _CHINESE_ONLY for lead, _ in pairs)
        and not (spread <= _ALPHABET and any(_is_cased(_decoded(sample, alphabet)) for alphabet in _ALPHABETS))
        and not spread <= set(_HALF_KANA)
    )


def candidates(sample: bytes) -> list[tuple[str, str]]:
    """Return the encodings that bytes may be in, the likeliest first, each with a word as it would read."""
    found = []
    for encoding, likely in _LIKELY.items():
        text = _decoded(sample, encoding)
        foreign = [letter for letter in text if not letter.isascii()]
        share = sum(map(likely, foreign)) / len(foreign) if foreign and not _TWO_ALPHABETS.search(text) else 0.0
        found.append((share, encoding))
    fitting = sorted((one for one in found if one[0] >= 0.5), key=lambda one: -one[0])
    return [(encoding, _first_word(_decoded(sample, encoding))) for _, encoding in fitting[:4]]


def _decoded(sample: bytes, encoding: str) -> str:
    try:
        return sample.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _is_cased(text: str) -> bool:
    """Tell whether capitals stand at the beginning of words only, or all through them."""
    return bool(text) and all(map(_CASED.fullmatch, re.findall(r"[^\W\d_]+", text)))


def _gb2312(letter: str) -> tuple[int, int] | None:
    pair = letter.encode("gb2312", "ignore")
    return (pair[0], pair[1]) if pair else None


def _first_word(text: str) -> str:
    return next((word[:20] for word in re.findall(r"[^\s,;|\"]+", text) if not word.isascii()), "")


def _encodes(encoding: str, leads: range) -> Callable[[str], bool]:
    """Return what tells whether a letter is among the common ones of an encoding, by the first of its two bytes."""
    return lambda letter: (letter.encode(encoding, "ignore") or b"\0")[0] in leads


_CENTRAL = re.compile("[a-záâăäąçćčďđéęëěíîĺľłńňóôőöŕřśšşťţúůűüýźžż„”–—]", re.IGNORECASE)
_LIKELY: dict[str, Callable[[str], bool]] = {
    "shift_jis": lambda letter: "｡" <= letter <= "ﾟ" or _encodes("shift_jis", range(0x81, 0x98))(letter),
    "big5": _encodes("big5", range(0xA4, 0xC7)),
    "gb18030": _encodes("gb2312", range(0xB0, 0xF8)),
    "euc_kr": lambda letter: "가" <= letter <= "힣",
    "euc_jp": _encodes("euc_jp", range(0xA4, 0xD0)),
    "cp1251": lambda letter: bool(re.match("[а-яёА-ЯЁ№–—«»]", letter)),
    "cp1253": lambda letter: bool(re.match("[α-ώΑ-ΩΆ-Ώ–—«»]", letter)),
    "cp1250": lambda letter: bool(_CENTRAL.match(letter)),
    "cp1252": lambda letter: bool(_WESTERN.match(letter)),
}
_TWO_ALPHABETS = re.compile("[a-zA-Z][а-яёА-ЯЁα-ώ]|[а-яёА-ЯЁα-ώ][a-zA-Z]")  # no word has letters of both
