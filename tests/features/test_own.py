"""A feature of one's own: ten lines in a file, and clear words where it cannot be."""

import shutil
from pathlib import Path

import pytest

import worlds
from churnml.errors import ConfigError
from churnml.events import TABLES
from churnml.features import build, catalogue, own_features
from command import churnml

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "tea.py"
HEAD = "from churnml.features import Aggregate, Feature, Text, share\n"
FEATURE = 'FEATURES = [Feature(name="{name}", family="own", group="own", unit="count", table="orders", needs=({needs},), meaning=Text("m", "义"), sentence=Text("{{value}}", "{{value}}"))]\n'  # noqa: E501


def refusal(folder, text):
    file = folder / "mine.py"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        catalogue(TABLES, own=own_features([file]))
    return str(caught.value)


def test_the_example_of_the_documents_computes_what_it_says(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01\nb 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-01-10 o1 40\nb 2020-01-11 o2 5",
        order_lines="""customer_id occurred_at order_id line category amount
                       a 2020-01-10 o1 1 tea 10
                       a 2020-01-10 o1 2 mugs 30""",
    )
    features = catalogue(tiny.store.tables, own=own_features([EXAMPLE]))
    table = build(tiny.store, features, [worlds.instant(30)], 90)
    shares = dict(zip(table.customer_ids, table.column("tea_share_180d").tolist(), strict=True))
    assert shares["a"] == 0.25
    assert shares["b"] != shares["b"]


def test_a_workspace_lists_and_exports_it_and_says_when_its_file_is_gone(tiny, tmp_path):
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "features.yaml").write_text("files: [tea.py]\n")
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-01-10 o1 40",
        order_lines="customer_id occurred_at order_id line amount\na 2020-01-10 o1 1 10",
    )
    listed = ("features", "list", "--workspace", tiny.workspace.root, "--configs", configs, "--json")
    missing = churnml(*listed)
    assert missing.code == 2
    assert "which is no file; correct `files`" in missing.err
    shutil.copy(EXAMPLE, configs)
    assert "tea_share_180d" in {one["name"] for one in churnml(*listed).body}


@pytest.mark.parametrize(
    "needs, words",
    [
        ('Aggregate("basket", "sum", "amount")', "`rows` must be one of orders, purchase_days"),
        ('Aggregate("orders", "count", lag=-7)', "a window ends at the cutoff or before it"),
        ('Aggregate("orders", "count", days=0)', "between one and 36,500 days, got days=0"),
        ('Aggregate("contracts", "last", "plan")', "the columns of `contracts` are held, lapsed"),
        ('Aggregate("orders", "sum", "channel")', "`channel` holds words, of which the different ones can be counted"),
        ('Aggregate("orders", "mean", "amount")', "`how` must be one of count, sum, min"),
        ('Aggregate("orders", "sum", "amout")', "did you mean `amount`?"),
        ('Aggregate("orders", "sum")', "the columns of `orders` are amount, channel"),
        ('Aggregate("orders", "count", where={"amount": "5"})', "`where` filters by texts, of `orders` by channel"),
    ],
)
def test_what_the_kernel_cannot_compute_is_told_with_what_there_is(tmp_path, needs, words):
    said = refusal(tmp_path, HEAD + FEATURE.format(name="mine", needs=needs))
    assert said.startswith("mine.py: feature `mine`")
    assert words in said


def test_a_name_that_is_taken_is_refused(tmp_path):
    text = HEAD + FEATURE.format(name="recency_days", needs='Aggregate("orders", "count")')
    assert refusal(tmp_path, text) == "own feature `recency_days` bears the name of a feature; rename it in its file"


@pytest.mark.parametrize(
    "text, words",
    [
        ("FEATURES = [1]\n", "mine.py must define FEATURES, a list of churnml.features.Feature"),
        ("x = 1\n", "mine.py must define FEATURES"),
        ("x = 1\ny = x / 0\n", "mine.py, line 2: ZeroDivisionError"),
        ("x = (\n", "mine.py, line 1: SyntaxError"),
        ("import sys\nsys.exit(3)\n", "mine.py, line 2: SystemExit"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_line(tmp_path, text, words):
    assert words in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "found, wanted, words",
    [
        ('unit="count"', 'unit="percent"', "`unit` must be one of orders"),
        ('table="orders"', 'table="ordres"', "`table` must be one of customers"),
        ("needs=", "derive=lambda one: one.sum(), needs=", "`derive` must give numbers of the shape"),
        ("needs=", "derive=lambda one: 1 // 0, needs=", "`derive` ended with ZeroDivisionError"),
        ('Text("{value}", "{value}")', 'Text("{nothing}", "{nothing}")', "its sentence names nothing in braces"),
    ],
)
def test_what_a_feature_says_of_itself_is_checked(tmp_path, found, wanted, words):
    text = HEAD + FEATURE.format(name="mine", needs='Aggregate("orders", "count")')
    assert words in refusal(tmp_path, text.replace(found, wanted, 1))
