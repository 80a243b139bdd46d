"""The locks hold names, versions and hashes, and every package the project asks for."""

import re
import subprocess
import tomllib
from pathlib import Path
from shutil import which

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("run.txt", "build.txt", "dev.txt", "uv.txt", "spark.txt", "econml.txt")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, BUILD = SETTINGS["project"], SETTINGS["build-system"]


def lock(name):
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def pins(name):
    """Return what a lock pins, package by package, each with the lines of its hashes."""
    return re.split(r"\n(?=\S)", lock(name).strip())


def locked(name):
    return {canonicalize_name(re.split(r"[=\[ ]", pin, maxsplit=1)[0]) for pin in pins(name)}


def asked(*requirements):
    return {canonicalize_name(Requirement(one).name) for one in requirements} - {"churnml"}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_versions_with_hashes(name):
    for pin in pins(name):
        assert re.match(r"[a-z0-9._-]+(\[[a-z,-]+\])?==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", pin), pin[:80]


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("word", ["://", "index-url", "find-links", " @ ", "file:"])
def test_a_lock_holds_no_address(name, word):
    assert word not in lock(name)


def test_everything_the_package_needs_is_locked_for_a_deployment():
    assert asked(*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]) <= locked("run.txt")


def test_what_builds_the_package_is_locked_for_a_deployment():
    assert asked(*BUILD["requires"]) <= locked("build.txt")


def test_everything_a_developer_needs_is_locked():
    extras = PROJECT["optional-dependencies"]
    assert asked(*PROJECT["dependencies"], *extras["dev"], *extras["demo"]) <= locked("dev.txt")


def test_a_deployment_gets_the_versions_that_were_tested():
    deployed, built, tested = ({pin.split()[0] for pin in pins(name)} for name in ("run.txt", "build.txt", "dev.txt"))
    assert (deployed | built) - tested == set()


def test_spark_is_locked_apart_and_its_lock_holds_only_what_it_adds():
    assert asked(*PROJECT["optional-dependencies"]["spark"]) <= locked("spark.txt")
    assert locked("spark.txt") & locked("dev.txt") == set()


def test_econml_is_locked_apart_and_its_lock_holds_only_what_it_adds():
    assert "econml" in locked("econml.txt")
    assert locked("econml.txt") & locked("dev.txt") == set()


def test_ci_runs_what_everyone_runs():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in script
    assert "set -euo pipefail" in script
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


# the package can be tested from an unpacked source without make; a clone is always tested with it
@pytest.mark.skipif(which("make") is None, reason="make is not installed here")
def test_make_alone_lists_its_targets():
    told = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    for target in ("setup", "setup-spark", "check", "test", "demo", "bench", "backtest", "docs", "clean"):
        assert re.search(rf"make {target} +\S", told)
