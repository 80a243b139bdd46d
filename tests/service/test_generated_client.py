"""A client generated from the description of the API, used by a program of its own against a service that listens."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sample_run import fill, record

from callers import a_key
from churnml.database import open_engine
from ledgers import A_CALL, CUTOFF, begun, some

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "ask_by_client.py"
GENERATOR = Path(sys.executable).with_name("openapi-python-client")


@pytest.fixture
def told(own_workspace, address):
    """The address of a service with three customers who were assigned a call, and a key to it."""
    engine = open_engine(own_workspace.database)
    ledger, run = begun(engine, 100_000_000)
    ledger.reserve("spring", run, CUTOFF, some(3, like=A_CALL), CUTOFF + 1)
    ids = {one.customer_id: one.assignment_id for one in ledger.assigned("spring")}
    records = [record(one, rank, arm="treated", assignment_id=ids[one]) for rank, one in enumerate(ids)]
    fill(own_workspace, records, now=9)
    engine.dispose()
    return address, a_key(own_workspace)


def test_a_generated_client_reads_writes_and_understands_problems(told, tmp_path):
    address, key = told
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{address}/v1/openapi.json").content)
    made = ["generate", "--path", "openapi.json", "--output-path", "churnml_client", "--meta", "none"]
    tools = os.environ | {"PATH": f"{GENERATOR.parent}{os.pathsep}{os.environ['PATH']}"}  # it tidies by ruff
    subprocess.run(
        [GENERATOR, *made, "--fail-on-warning"], cwd=tmp_path, env=tools, check=True, stdout=subprocess.DEVNULL
    )
    said = subprocess.run(
        [sys.executable, EXAMPLE, address],
        env={"KEY": key, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert said.stdout.splitlines() == [
        "at risk: c0 c1 c2",
        "the first: c0 0.93 576.6 No order for 12 days; usually every 12",
        "in bulk: 3 unknown: nobody",
        "outcome: kept None",
        "outcome: kept true",
        "problem: 404 not_found",
    ]
