"""JSON as nobody should send it: any at all, and such as is right in part."""

import json

from hypothesis import strategies as st

JSON = {"content-type": "application/json"}
WORDS = ("", " ", "c0", "c2", "\x00", "\ud800", "客户", "=1+1", "1e999", "NaN", "true", "call", "redeemed", "profiling",
         "1972-09-28T00:00:00+14:00", "0000-00-00", "9999-12-31T23:59:59Z", "-1", "x" * 300)  # fmt: skip
NUMBERS = (0, -1, 2**31, 2**63, 2**64, 10**400, -0.0, 1e-320, 1e300, float("nan"), float("inf"))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
                  st.sampled_from(WORDS), st.sampled_from(NUMBERS))  # fmt: skip
ANY = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3))
)
DEEP = st.integers(1, 60).map(lambda levels: json.loads("[" * levels + "]" * levels))


def odd(right):
    """Give things like this one, right in part: with other values, without fields, with fields that there are not."""
    fields = st.dictionaries(st.sampled_from([*right, "colour", "\udfff", ""]), st.one_of(ANY, DEEP), max_size=3)
    gone = st.sets(st.sampled_from([*right]), max_size=1)
    return st.tuples(fields, gone).map(
        lambda both: {name: one for name, one in (right | both[0]).items() if name not in both[1]}
    )
