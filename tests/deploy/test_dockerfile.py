"""deploy/Dockerfile, as far as it can be tried without Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.dockerfile import DOCKERFILE, ROOT, Instruction, context, instructions, line_of, stages

HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
SERVED = ("gateway", "bookshop", "bookshop-gateway")


def last(target: str, name: str) -> Instruction:
    return next(each for each in reversed(line_of(target)) if each.name == name)


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is missing: pip install '.[deploy]'")
def test_hadolint_finds_nothing() -> None:
    assert HADOLINT is not None
    done = subprocess.run([HADOLINT, str(DOCKERFILE)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("target", SERVED)
def test_what_serves_is_not_root(target: str) -> None:
    user = last(target, "USER").value
    # As a number: Kubernetes' runAsNonRoot does not look names up.
    assert user == "10001:10001"
    after = line_of(target)[line_of(target).index(last(target, "USER")) :]
    assert all(each.name != "RUN" for each in after)


def test_the_base_is_pinned_to_a_version() -> None:
    known = stages()
    assert {stage.base for stage in known.values()} - set(known) == {"python:3.11.14-slim-bookworm"}


def test_commands_are_in_the_exec_form() -> None:
    """Of a shell's child, Docker would stop the shell, and no request would be finished."""
    for instruction in instructions():
        if instruction.name in ("CMD", "ENTRYPOINT", "VOLUME"):
            assert instruction.exec_form()
        elif instruction.name == "HEALTHCHECK":
            assert json.loads(instruction.value.partition(" CMD ")[2])[0] == "python"
    assert last("gateway", "STOPSIGNAL").value == "SIGTERM"


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    wanted = [
        source
        for instruction in instructions()
        if instruction.name == "COPY" and (copies := instruction.copies())[0] is None
        for source in copies[1]
    ]
    sent = {str(path) for path in context()}
    for source in wanted:
        assert any(path == source or path.startswith(f"{source}/") for path in sent), source
    for path in sent:
        assert any(path == source or path.startswith(f"{source}/") for source in wanted), path
        assert ".env" not in Path(path).name
        assert "__pycache__" not in path


def test_the_wheel_has_all_that_is_not_python() -> None:
    """Templates, style sheets and the schema: what the image has of the code is what setuptools was told to take."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["gateway"]
    for path in context():
        if path.parts[0] == "gateway" and path.suffix != ".py":
            inside = str(path.relative_to("gateway"))
            assert any(fnmatch(inside, pattern) for pattern in patterns), path
