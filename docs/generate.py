"""Write `docs/data.md` and `docs/features.md` from the declarations they describe; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from churnml.events import TABLES, Column, Table
from churnml.features import catalogue

HERE = Path(__file__).resolve().parent

_DATA = """# The data contract

Written by `make docs` from `src/churnml/events/schema.py`. Bring `customers` and `orders`; the other tables switch
features on. Columns that are not required may be absent. Rows that break a rule go to quarantine with file, row,
column, value, rule and remedy; a file with more than `max_bad_share` of them is refused whole.

- **Ids** are text: `00123` stays `00123`.
- **Times** are `2017-03-31 14:05:00` or ISO 8601; without an offset they are read in the workspace's `time_zone`.
- **Money** is in the workspace's one currency and is kept to 1/10,000 unit; finer fractions are rounded.
- **Empty** values in CSV are missing values; the text `NA` is a text.
- `ingested_at` is when *you* learned of a row. Without the column, the first landing of a table is taken as backfill
  (known when it happened, and the report says so); rows of later landings are known from their landing on,
  unless `--backfill` says that they are history too. Nothing may be dated more than a day after its landing.
- **Keys** name a row. A row that comes again equal is skipped; one that differs is quarantined, and the first stands.
"""

_ASSUMED = """## What is assumed of the Complete Journey

- Its stamps carry no offset and are read as they stand, as UTC.
- Demographics carry no date; they are declared known from a household's first contact on. They are known for 801 of
  2,469 households, and who answered may itself be telling; leave `attributes` empty in `configs/workspace.yaml` and
  drop `income_band` to see a model without them.
- A campaign's contacts happen on the day it starts. Coupons redeemed are interactions of kind `redeem`.
- The margin is a quarter of revenue: the data hold no cost.
"""

_FEATURES = """# The features

Written by `make docs` from the declarations in `src/churnml/features/`. Each is computed at a cutoff from rows that
had happened before it and were known by then. *Missing* says what an empty value means.
"""


def main() -> int:
    """Write the pages, or compare them and return 1 where one is stale."""
    pages = {HERE / "data.md": data_page(), HERE / "features.md": features_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"docs/{path.name} is not what the code declares; run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


def data_page() -> str:
    """Return the page about tables and columns."""
    return "\n".join([_DATA, *(_table(table) for table in TABLES.values()), _ASSUMED])


def _table(table: Table) -> str:
    needed = ", required" if table.required else ""
    lines = [f"## {table.name}\n", f"A row is {table.row}{needed}. Its key: {_code(table.key)}.\n"]
    lines += ["| column | type | unit | required | meaning |", "|---|---|---|---|---|"]
    lines += [_column(column) for column in table.columns]
    return "\n".join([*lines, ""])


def _column(column: Column) -> str:
    bounds = [f"at least {column.at_least}"] if column.at_least is not None else []
    bounds += [f"at most {column.at_most}"] if column.at_most is not None else []
    meaning = "; ".join([column.meaning, *bounds, *(["personal"] if column.personal else [])])
    required = "yes" if column.required else ""
    return f"| `{column.name}` | {column.kind} | {column.unit} | {required} | {meaning} |"


def features_page() -> str:
    """Return the page about features."""
    found = catalogue(TABLES)
    lines = [_FEATURES, "| feature | family | unit | meaning | 含义 | missing |", "|---|---|---|---|---|---|"]
    for feature in found.features:
        words = (feature.family, feature.unit, feature.meaning.en, feature.meaning.zh, feature.missing)
        lines.append(f"| `{feature.name}` | {' | '.join(words)} |")
    return "\n".join([*lines, ""])


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main())
