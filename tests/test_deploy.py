"""What deploy/ holds: units that systemd takes, and an image whose commands are run one by one, without an engine."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import venv
from pathlib import Path

import httpx
import pytest
import typer

from churnml.cli import app

ROOT = Path(__file__).parent.parent
UNITS = sorted((ROOT / "deploy").glob("churnml*"))
ANN = {"CHURNML_PASSWORD": "correct horse battery"}
PROGRAM = "/srv/churnml/.venv/bin/churnml"


def instructions():
    """Return what the file of the image says, as (word, rest)."""
    lines = (ROOT / "deploy/Containerfile").read_text().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


def said(word):
    return [rest for one, rest in instructions() if one == word]


def called():
    """Return the words after the program of every line of the units that starts it."""
    lines = [line for unit in UNITS for line in unit.read_text().splitlines() if line.startswith("Exec")]
    words = [line.split(PROGRAM, 1)[1].rstrip("'") for line in lines if PROGRAM in line]
    return [re.sub(r"\$\(.*?\)", "now", one).split() for one in words]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    there = shutil.which("true")  # any program, at a path without a blank
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, there))
    units = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_are_those_that_the_docs_name():
    told = (ROOT / "docs/operations.md").read_text()
    assert [unit.name for unit in UNITS if f"../deploy/{unit.name}" not in told] == []


@pytest.mark.parametrize("words", [*called(), json.loads(said("CMD")[0])], ids=" ".join)
def test_what_units_and_image_call_is_what_the_command_line_takes(words):
    verb, *options = words
    assert typer.main.get_command(app).commands[verb].make_context(verb, options).info_name == verb


def test_the_image_copies_what_there_is_and_installs_what_it_copies():
    copied = [source for rest in said("COPY") for source in rest.split()[:-1]]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert {word for rest in said("RUN") for word in rest.split() if word.startswith("requirements/")} <= set(copied)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder into which the image's files are copied, and the environment of what is installed there.

    An engine would install the system's packages and make the user; that is left out, and so is being that user.
    """
    place = tmp_path_factory.mktemp("image")
    home, programs = place / "srv", place / "venv"
    home.mkdir()
    venv.create(programs, with_pip=True)
    around = {"PATH": f"{programs / 'bin'}:{os.environ['PATH']}", "HOME": str(place), "PYTHONNOUSERSITE": "1"}
    around |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP"))}
    for word, rest in instructions():
        if word == "COPY":
            *sources, to = rest.split()
            for source in sources:
                copied(ROOT / source, home / to, whole=len(sources) == 1)
        if word == "RUN" and rest.startswith("pip "):
            subprocess.run(shlex.split(rest), cwd=home, env=around, check=True)
    (home / "workspace").mkdir()
    return home, around


def copied(source, to, *, whole):
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target = to if whole and to.suffix else to / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def starts(image, *words, **more):
    home, around = image
    command = [*json.loads(said("ENTRYPOINT")[0]), *words]
    return subprocess.Popen(command, cwd=home, env=around | more, stderr=subprocess.PIPE, text=True)


def ends(image, *words, **more):
    process = starts(image, *words, **more)
    told = process.communicate(timeout=300)[1]
    return process.returncode, told


@pytest.mark.long
def test_the_image_serves_others_once_there_are_an_account_and_a_name(image):
    served = json.loads(said("CMD")[0])
    assert ends(image, "init")[0] == 0
    refused = ends(image, *served)
    assert (refused[0], "needs the names it is reached under" in refused[1]) == (2, True)
    named = "public_hosts: [churn.example.com]\ntrusted_proxy: 127.0.0.1\nport: 0\n"
    (image[0] / "configs/serve.yaml").write_text(named)
    refused = ends(image, *served)
    assert (refused[0], "`churnml people add NAME --role admin` makes one" in refused[1]) == (2, True)
    assert ends(image, "people", "add", "ann", "--role", "admin", **ANN)[0] == 0
    with starts(image, *served) as process:
        try:
            address = next(line for line in process.stderr if "Serving on " in line).split()[2]
            port = address.rstrip("/").rsplit(":", 1)[1]
            through = {"Host": "churn.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", headers=through, timeout=30).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0


@pytest.mark.long
def test_the_image_can_reach_postgresql_and_fit_trees(image):
    _, around = image
    done = subprocess.run(["python", "-c", "import psycopg, lightgbm"], env=around, check=False)
    assert done.returncode == 0
