"""The examples of docs/api.md about writing, run as they stand against a service that listens."""

import re
import subprocess
from pathlib import Path

import httpx
import pytest
from sample_run import fill, record

from callers import a_key
from churnml.database import open_engine
from ledgers import A_CALL, CUTOFF, begun, some

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8").partition("\n## Writing\n")[2]


def examples(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture
def told(own_workspace, address):
    """The address of a service with three customers who were assigned a call, and a key to it."""
    engine = open_engine(own_workspace.database)
    ledger, run = begun(engine, 100_000_000)
    ledger.reserve("spring", run, CUTOFF, some(3, like=A_CALL), CUTOFF + 1)
    ids = {one.customer_id: one.assignment_id for one in ledger.assigned("spring")}
    fill(own_workspace, [record(one, 3, arm="treated", assignment_id=ids[one]) for one in ids], now=9)
    engine.dispose()
    return address, a_key(own_workspace)


def test_the_examples_in_python_run_and_say_what_they_show(told, capsys):
    address, key = told
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}) as client:
        for example in examples("python"):
            exec(example, {"client": client})  # noqa: S102
    assert capsys.readouterr().out == "0 kept [] None\nno_consent\n['c1']\n"


def test_the_example_with_curl_is_answered_row_by_row(told):
    address, key = told
    (example,) = examples("sh")
    command = example.replace("localhost:8000", address).replace("http://http", "http")
    said = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"KEY": key, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert re.findall(r'"status":"(\w+)"', said.stdout) == ["kept", "refused"]
    assert '"code":"unknown_assignment"' in said.stdout
