"""Write what docs/ says of tables, features, KPIs and routes from the declarations; `--check` only compares."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from churnml.database import Workspace
from churnml.events import TABLES, Column, Table
from churnml.events.schema import FROM_LANDING, ONE_OF, REQUIRED
from churnml.features import catalogue
from churnml.features.rows import ROW_SETS, columns_of
from churnml.measures.kpi_list import FAMILIES, KPIS, Kpi, Windows
from churnml.service import create_app
from churnml.service.routes import Told, told

HERE = Path(__file__).resolve().parent

_DATA = """# The data contract

Written by `make docs` from `src/churnml/events/schema.py`, which ingest checks by. How to bring your files is in
[sources.md](sources.md); `churnml init` writes an empty CSV for each table.

Bring `customers`, and `orders` or `subscriptions`: nothing goes without. Either teaches
who leaves ([contracts.md](contracts.md)). What the other tables are good for today:

| table | what it does |
|---|---|
| `order_lines` | features of purchases: categories, lines at a discount |
| `interactions` | features of behaviour (visits, searches, carts, payments that failed) and of engagement (mails opened, coupons redeemed) |
| `contacts` | features of engagement: how often someone was contacted, and how they responded |
| `surveys`, `tickets` | features of satisfaction: scores, complaints, waiting, what is open |
| `returns` | features of satisfaction; and they come off what their orders are worth, for which labels wait |
| `subscriptions` | features of contracts; and who holds one that is paid for is a customer, without an order as well |
| `profile_changes` | features of the profile: that something changed, and when |
| `consents` | who may be profiled, and contacted |

Columns that are not required may be absent. What happens to what does not fit:

| what | when | what becomes of it |
|---|---|---|
| **refusal** | the file cannot be read, misses a column, or more than `max_bad_share` of its rows break a rule (up to five never do, unless they are most of a file; consents are never refused for it) | nothing lands, of any file of that landing, but sound consents |
| **quarantine** | a row breaks a rule | the row is set aside, whole, with file, row, column, value, rule and remedy, for 30 days; the rest lands, and the file is read again when it comes again |
| **warning** | something should be known: a fraction rounded, a local time that was there twice, an order that has not landed | it lands |

- **Ids** are text: `00123` stays `00123`. A customer's id has no blank at its ends and no control character.
- **Times** are `2017-03-31 14:05:00` or ISO 8601; without an offset they are read in the source's `time_zone`, else
  the workspace's. A local time that clocks skipped is read an hour later, one that was there twice as the second; both
  are warned of, and so are days that stand for a missing one: 1900-01-01, 1904-01-01, 1970-01-01.
- **Money** is in the workspace's one currency and is kept to 1/10,000 unit; finer fractions are rounded, with a warning.
  A column `currency` beside amounts is compared with the workspace's and not kept; a row in another is quarantined.
- **Empty** values in CSV are missing values; the text `NA` is a text.
- **Two clocks.** `occurred_at` is when it happened, `ingested_at` when *you* learned of it. Without the second, the
  first landing of a table is taken as backfill (known when it happened, and the report says so); rows of later landings
  are known from their landing on, unless `--backfill` says that they are history too. The same goes for the rows that
  leave it empty. Nothing may have happened more than a day after its landing; an `ingested_at` or a later fact that
  lies more than a day ahead is warned of.
- **Later facts**, marked so below, are learned after the row began: no cutoff at or before their own time sees them. One
  *known from its landing* has no such time, because it is what the export says on the day it is written: it is seen
  from the row's `ingested_at` on, and where a row has none, or the same as `occurred_at`, from the landing of its file.

## What comes again

A *key* names a row. Tomorrow's export holds most of today's rows; each does what it should:

| the row | becomes |
|---|---|
| equal to the one that stands | skipped |
| a ticket now resolved, a survey now answered: an empty later fact is filled | kept, and known from its own `ingested_at` |
| an older export of the same ticket, without the fact | skipped: what is missing says nothing |
| a customer who moved, a contract renewed: `customers` and `subscriptions` have versions | kept as a newer version, known from its own `ingested_at` |
| a corrected amount, another customer under the same order id, a later fact that changed | a conflict: quarantined, and the row that stands remains |

## Consent

A row of `consents` with purpose `profiling` and `granted` false takes effect when it lands: whoever refuses is in no
training set, score, segment or list, at no cutoff, and what was scored of them before is blanked in the same
transaction; what a run that was under way scores of them is blank when it is seen. The latest word counts, by
`occurred_at`. Purpose `marketing` decides who may be contacted; with the table, no row means no.

No refusal is lost for its form. Ids are read without blanks at their ends, purposes and channels in small letters as
well; what is refused at a date that cannot be read, or has not come, holds from its landing; each with a warning. And
where another file of the landing is refused, the consents land all the same, in a landing of their own.
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

_OWN = """# A feature of your own

Ten lines in a file of their own; nothing in the package changes. This is [`tea.py`](examples/tea.py):

```python
{example}
```

Put it beside your settings and name it in `configs/features.yaml`:

```yaml
files: [tea.py]
```

`churnml features list --workspace W` shows it, `features export` writes it, and from the next `churnml train` on it is a
column of the model and may be a reason on a page, in both languages. A changed file is another feature: the champion
refuses to score with it until you train again.

## What a feature says

- **`needs`**: aggregates, one number per customer and cutoff each, computed by the kernel exactly and only from what was
  known at the cutoff. `Aggregate(rows, how, column, days, lag, where)`:
  - `rows`: which rows, see below;
  - `how`: `count`, `sum`, `min`, `max`, `last`, `first`, `distinct`;
  - `days`: the window before the cutoff, everything if left out; `lag`: how many days before the cutoff it ends;
  - `where`: only rows whose text column holds a word, `{{"category": "tea"}}`, or one of several.
- **`derive`**: plain arithmetic on those arrays, of shape (cutoffs, customers). Money is in 1/10,000 unit (`as_money`),
  an absent row is a sentinel (`present` makes it missing), `share` divides with care, `days_since` takes `CUTOFF_DAY`
  and a last day.
- **`missing`**: what it means where there is no value; **`meaning`** and **`sentence`**: what it is, and what it says of
  one customer, in both languages. `{{value}}` is the feature, any other name in braces another one.

A row depends on that customer's own facts; nothing can be fitted here, and no column tells of the time after the cutoff.

## Which rows there are

| rows | table | columns | texts to filter by |
|---|---|---|---|
{rows}

Every set has `day` (a local day, counted from 1970) and `gap` (local days since the customer's row before). `points` are
thousandths of the way from the worst answer to the best; `hours` those from opening to answer. Beside them stand
`cutoff` (`day`), `customers` (`day` of first contact, `acquisition_cost`) and `contracts` (`held`, `lapsed`, `amount`,
`first_amount`, `plan_changes`, `price_rises`, `begun_day`, `renews_in`), which need no window.
"""

_KPIS = """# KPIs

Written by `make docs` from the declarations in `src/churnml/measures/kpi_list.py`.

    churnml measure kpis                        # the last twelve whole months
    churnml measure kpis --by region --every quarter --from 2023-01-01 --to 2024-01-01 --report kpis.html

It tells four tables: the figures of the last period beside the one before (`kpis_now`), those that miss their target
beyond noise (`kpis_alerts`), all periods (`kpis`), and how each is counted (`kpis_defined`). In a notebook
`churnml.measures.kpis.kpis(books, asked)` returns the same.

## What holds for all

- **A period is told when it is over.** Periods are whole weeks, months, quarters or years; the running one is left out.
  What needs days to come true, a second order or a silence, is counted in the period in which these days *end*, so no
  figure changes for what comes later ([why](adr/0034-figures-that-stand.md)). Contacts, tickets and surveys that were
  opened in a period are told by what is known at the end of the report.
- **Estimates have 95% intervals**, with customers as the unit: Wilson's for shares, the delta method for ratios of sums,
  that of Brookmeyer and Crowley for medians. Where a customer has several orders or answers, the interval knows that
  they resemble each other. Counts and sums of everybody are no estimates and have none.
- **Nothing is guessed.** A figure whose table has not landed, that looks back beyond the history, that has nothing to
  count or rests on fewer than `smallest_group` customers ([configs/measure.yaml](../configs/measure.yaml)) is missing,
  and a remark says so.
- **Parts** (`--by`) are those customers are in at the end of the report. Counts of the parts add up to those of all.
- **Churn is what the model forecasts**, told where its horizon ends. Where both orders and contracts have landed, growth
  counts who has either, and each of the two churn rates its own; the model's churn by orders counts as well who holds a
  contract and has not ordered lately.

## Targets and alerts

`targets` in [configs/kpis.yaml](../configs/kpis.yaml) say what a figure should be, `at_most` or `at_least`, for all and,
under `parts`, for a part. A target is *met*, *missed within noise* (the interval reaches it) or *missed*: the whole
interval lies on the wrong side, and it is listed as an alert. One side of a 95% interval errs in one of forty
cases, so with twenty targets that are all just met two of five reports have such an alert by chance: an alert is a reason
to look, not a proof. A target of a count is not held against
parts that have none of their own. The exit code stays 0.

A change against the period before is called better or worse only where its interval (Newcombe's, taking the periods as
independent) leaves zero out. Figures that move by themselves as the history grows (historic CLV and its ratio to CAC,
which accumulate; cross-selling, for the more somebody has bought the less is new to them) are shown with their change and
not judged. A target of a share is written as one: `0.05` is 5 %.

## The figures

The days are the defaults; those you set are told beside the figures.
"""


def main() -> int:
    """Write the pages, or compare them and return 1 where one is stale."""
    pages = {
        HERE / "data.md": data_page(),
        HERE / "features.md": features_page(),
        HERE / "own-features.md": own_features_page(),
        HERE / "kpis.md": kpis_page(),
        HERE / "api.md": api_page((HERE / "api.md").read_text(encoding="utf-8")),
    }
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
    need = (
        ", required"
        if table.name in REQUIRED
        else ", required unless the other is there"
        if table.name in ONE_OF
        else ""
    )
    versions = " It has versions." if table.versioned else ""
    lines = [f"## {table.name}\n", f"A row is {table.row}{need}. Its key: {_code(table.key)}.{versions}\n"]
    lines += ["| column | type | unit | required | meaning |", "|---|---|---|---|---|"]
    lines += [_column(column) for column in table.columns]
    return "\n".join([*lines, ""])


def _column(column: Column) -> str:
    more = [f"at least {column.at_least}"] if column.at_least is not None else []
    more += [f"at most {column.at_most}"] if column.at_most is not None else []
    more += [f"one of {_code(column.among)}"] if column.among else []
    more += [f"must be known to `{column.reference}`"] if column.reference == "customers" else []
    more += [f"warned of if not in `{column.reference}`"] if column.reference not in {"", "customers"} else []
    more += ["personal"] if column.personal else []
    more += [f"*later fact, known from {_source(column.known_from)}*"] if column.known_from else []
    required = "yes" if column.required else ""
    return f"| `{column.name}` | {column.kind} | {column.unit} | {required} | {'; '.join([column.meaning, *more])} |"


def _source(known_from: str) -> str:
    return known_from if known_from == FROM_LANDING else f"`{known_from}`"


def features_page() -> str:
    """Return the page about features."""
    found = catalogue(TABLES)
    lines = [_FEATURES, "| feature | family | unit | meaning | 含义 | missing |", "|---|---|---|---|---|---|"]
    for feature in found.features:
        words = (feature.family, feature.unit, feature.meaning.en, feature.meaning.zh, feature.missing)
        lines.append(f"| `{feature.name}` | {' | '.join(words)} |")
    return "\n".join([*lines, ""])


def own_features_page() -> str:
    """Return the page about a user's own features, with the example that the tests run."""
    rows = [
        f"| `{name}` | {rows.table} | {', '.join(columns_of(name))} | {', '.join(rows.text_columns)} |"
        for name, rows in ROW_SETS.items()
    ]
    example = (HERE / "examples" / "tea.py").read_text(encoding="utf-8").strip()
    return _OWN.format(example=example, rows="\n".join(rows))


def kpis_page() -> str:
    """Return the page about the figures of the business."""
    lines = [_KPIS]
    for family, title in FAMILIES.items():
        lines += [f"### {title.en} · {title.zh}\n", "| figure | definition | 口径 | unit, interval | needs |"]
        lines += ["|---|---|---|---|---|", *(_kpi(kpi) for kpi in KPIS if kpi.family == family), ""]
    return "\n".join(lines)


_INTERVALS = {"share": "Wilson", "ratio": "delta method", "median": "Brookmeyer–Crowley"}


def _kpi(kpi: Kpi) -> str:
    told = kpi.defined(Windows())
    needs = ", ".join("`" + source.replace("|", "` or `") + "`" for source in kpi.sources)
    unit = ", ".join(filter(None, (kpi.unit, _INTERVALS.get(kpi.how, "no interval"))))
    return f"| `{kpi.name}`<br>{kpi.title.en}<br>{kpi.title.zh} | {told.en} | {told.zh} | {unit} | {needs} |"


_ROUTES = re.compile(r"(<!-- routes: begin -->\n).*?(<!-- routes: end -->)", re.DOTALL)


def api_page(page: str) -> str:
    """Return the page about the API with its table of routes as the application has them; the rest is by hand."""
    with tempfile.TemporaryDirectory() as folder:
        routes = told(create_app(Workspace.open(Path(folder), create=True)).routes)
    table = "\n".join(["| route | needs | answers with |", "|---|---|---|", *map(_route, routes)])
    return _ROUTES.sub(lambda found: f"{found[1]}{table}\n{found[2]}", page)


def _route(one: Told) -> str:
    needs = f"`{one.scope}`" if one.scope else "nothing"
    return f"| `{one.method} {one.path.replace(':path', '')}` | {needs} | {one.summary} |"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main())
