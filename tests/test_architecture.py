"""The house stands as DESIGN 2 draws it; these tests read the source, they do not run it."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import churnml
from churnml.events import TABLES

HOUSE = Path(churnml.__file__).parent
FOLDERS = sorted(path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists())
GROUND = {"charts", "config", "drawing", "errors", "flows", "refusals", "wording"}
FILES = sorted(path for path in HOUSE.rglob("*.py"))
HEAVY = {"mlflow", "lightgbm", "sklearn", "fastapi", "numba", "pandas"}
# Those who check and land rows must name the second clock and the later facts; of what has landed they compare what
# comes again, and no cutoff is known to them. Only the wall reads it back.
WRITERS = {
    f"events/{name}.py"
    for name in ("schema", "rules", "checking", "versions", "landing", "ingest", "reporting", "redating", "preflight")
}
WRITERS |= {"events/row_check.py", "events/held_rows.py"}  # which check rows, and hold them, that land nowhere
WRITERS |= {"events/merging.py", "service/landing.py"}  # which lands what comes in by API, and joins small files
WRITERS |= {"service/api/events.py", "service/api/from_history.py"}  # which tell callers what to send
WRITERS |= {"database/tables.py", "database/catalogue.py"}
WRITERS |= {"events/simulation/recording.py"}  # which makes rows as another company's system would
WRITERS |= {
    name for name in (path.relative_to(HOUSE).as_posix() for path in FILES) if name.startswith("events/sources/")
}
WRITERS |= {"events/cutting.py"}  # which cuts landed rows off at a cutoff by another way, to be held against the wall
WALL = {"events/point_in_time.py", "events/books.py"}
DETAILS = {"events/contact_details.py"}  # tells the version learned last, and no feature
TOLD = {"events/timeline.py"}  # tells a person what is known of a customer by now; nothing that learns asks for it
LATER = [
    (table.name, fact)
    for table in TABLES.values()
    for facts in (*table.later.values(), table.from_landing)
    for fact in facts
]


def name_of(path):
    return path.relative_to(HOUSE).as_posix()


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path):
    """Return the dotted names a module imports, those inside functions too; a relative one starts with a dot."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {"." * node.level + f"{node.module or ''}.{alias.name}" for alias in node.names}
    return names


def rooms(path):
    """Return the folders and modules directly under churnml that a module imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("churnml.")}


@cache
def calls(path):
    """Return every called name as it is written, such as `joblib.load`."""
    return {ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)}


def in_folder(folder):
    return [path for path in FILES if name_of(path).startswith(f"{folder}/")]


@cache
def words(path):
    """Return every text and name of a module's code, docstrings left out."""
    tree = parsed(path)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return texts | names | {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_from_folders_before_it_in_the_alphabet(folder):
    later = {other for other in FOLDERS if other > folder} | {"cli"}
    found = {name_of(path): rooms(path) & later for path in in_folder(folder)}
    assert not {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.parametrize("ground", sorted(GROUND))
def test_the_ground_rests_on_nothing_but_ground(ground):
    assert rooms(HOUSE / f"{ground}.py") <= GROUND


def test_imports_inside_the_house_are_absolute():
    assert not [name_of(path) for path in FILES if any(name.startswith(".") for name in imports(path))]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_comes_in_what_goes_out_and_what_to_read_first(folder):
    words = ast.get_docstring(parsed(HOUSE / folder / "__init__.py")) or ""
    assert "read `" in words.lower()


def test_every_module_says_what_it_is():
    silent = [name_of(path) for path in FILES if not ast.get_docstring(parsed(path))]
    assert not silent


def test_only_the_wall_reads_the_second_clock():
    naming = {name_of(path) for path in FILES if any("ingested_at" in word for word in words(path))}
    assert naming - WRITERS == WALL | DETAILS | TOLD


def test_only_the_wall_reads_a_later_fact_others_ask_it_for_one_by_its_full_name():
    asked = {f"{table}.{fact}" for table, fact in LATER}
    hidden = {fact for _, fact in LATER} - {"score", "comment"}  # which are words of other things as well
    naming = {name_of(path) for path in FILES if any(fact in word for word in words(path) - asked for fact in hidden)}
    assert naming - WRITERS - of_the_books() == WALL | TOLD


def test_what_happened_with_a_customer_is_told_to_people_only():
    asking = {
        name_of(path) for path in FILES if any(one.startswith("churnml.events.timeline.") for one in imports(path))
    }
    assert {name.partition("/")[0] for name in asking} == {"service"}


def of_the_books():
    """Return the measures: they name later facts in SQL over the books, in which none stands before its time has come.

    None of them may open a file, or have the rows from anywhere else.
    """
    measures = {path: words(path) | imports(path) for path in FILES if name_of(path).startswith("measures/")}
    aside = ("read_parquet", "pyarrow", "duckdb", "churnml.events.point_in_time")
    return {name_of(path) for path, said in measures.items() if not any(one in word for word in said for one in aside)}


def test_only_the_market_and_who_makes_it_know_that_it_is_simulated():
    """What it is made from, its constants and its truth are for tests and for `check truth`; nothing that learns or
    decides may look."""
    inside = {name_of(path) for path in FILES if name_of(path).startswith("events/simulation/")}
    asking = {name_of(path) for path in FILES if any("churnml.events.simulation" in name for name in imports(path))}
    assert asking - inside == {"verbs/simulate.py", "verbs/demo.py", "verbs/check_truth.py", "verbs/commands/data.py"}
    said = {name_of(path): words(path) for path in FILES}
    assert {name for name in said if {"saved_state", "TruthWriter", "each_action"} & said[name]} <= inside
    assert {name for name in said if {"usual_futures", "market_in"} & said[name]} - inside == {"verbs/check_truth.py"}


def test_labels_never_see_features():
    assert not [name_of(path) for path in in_folder("labels") if "features" in rooms(path)]


def test_nothing_is_unpickled():
    wrong = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    assert not [name_of(path) for path in FILES if {name.split(".")[0] for name in imports(path)} & wrong]


def test_no_model_is_loaded_but_from_a_bundle():
    loaders = {
        (name_of(path), call) for path in FILES for call in calls(path) if call.endswith(("load_model", ".load"))
    }
    assert not {
        (name, call) for name, call in loaders if call.endswith("load_model") or call in {"joblib.load", "np.load"}
    }
    assert not [name_of(path) for path in FILES if "joblib.load" in imports(path)]


def test_lightgbm_is_taught_and_asked_through_one_door():
    """It counts threads for the whole process: one call that leaves the number open crashes the fits beside it."""
    doors = {"lightgbm.train", "lightgbm.Dataset", "pred_contrib", "raw_score"}
    naming = {name_of(path) for path in FILES if doors & (calls(path) | words(path))}
    asking = {"modeling/churn.py", "modeling/tabular.py", "modeling/uplift/predictions.py"}
    assert naming - asking == {"modeling/learners.py"}
    asked = [node for node in ast.walk(parsed(HOUSE / "modeling/learners.py")) if isinstance(node, ast.Call)]
    asked = [node for node in asked if ast.unparse(node.func) == "trees.predict"]
    assert asked
    assert all(any(word.arg == "num_threads" for word in node.keywords) for node in asked)


def test_nothing_prints():
    assert not [name_of(path) for path in FILES if "print" in calls(path)]


def test_the_command_line_starts_without_the_heavy_libraries():
    program = f"import sys, churnml.cli; sys.exit(', '.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
