"""Every notebook runs from its first cell to its last, defines nothing, and stores no output."""

import ast
import os
import warnings
from pathlib import Path

import pytest

from journeys import copied

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Jupyter warns of its own platform folders
    import nbformat
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def opened(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code(name):
    return [cell for cell in opened(name).cells if cell.cell_type == "code"]


def test_there_is_a_first_look():
    assert "01_first_look.ipynb" in NOTEBOOKS


@pytest.fixture(scope="module")
def kernel(journey, tmp_path_factory):
    """A kernel on a copy of the trained journey, for they train and score; one for all, as imports take longest."""
    own = copied(journey, tmp_path_factory.mktemp("notebooks"))
    where = {"CHURNML_WORKSPACE": str(own.workspace.root), "CHURNML_CONFIGS": str(own.configs)}
    started = KernelManager()
    started.start_kernel(cwd=str(FOLDER), env=os.environ | where)
    yield started
    started.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(kernel, name):
    notebook = opened(name)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))  # nothing that another has made
    client = NotebookClient(notebook, timeout=120, km=kernel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            done = client.execute()
        finally:
            client.kc.stop_channels()  # the kernel goes on, so its client does not close them
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_stores_no_output(name):
    assert not [cell for cell in code(name) if cell.outputs or cell.execution_count]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_defines_nothing(name):
    nodes = [node for cell in code(name) for node in ast.walk(ast.parse(cell.source))]
    assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
