from __future__ import annotations

from pathlib import Path

import pytest

from gateway.version import __version__
from tests.cli.conftest import Invoke
from tests.cli.project import gateway, make

COMMANDS = ["run", "check", "routes", "explain", "schema"]


def test_the_version(invoke: Invoke) -> None:
    assert invoke("--version").out == f"gateway {__version__}\n"


def test_without_a_command_there_is_help(invoke: Invoke) -> None:
    for command in COMMANDS:
        assert f"\n  {command} " in invoke().out + invoke("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(invoke: Invoke, command: str) -> None:
    done = invoke(command, "--help")
    assert done.code == 0
    assert f"Example: gateway {command}" in done.out
    assert "--json" in done.out


def test_a_mistyped_command_is_a_usage_error(invoke: Invoke) -> None:
    done = invoke("chekc")
    assert done.code == 2
    assert "No such command 'chekc'" in done.err


@pytest.mark.parametrize("command", [("check",), ("routes",), ("explain", "GET", "/x")])
def test_a_missing_file_is_one_line(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    done = invoke(*command, "nowhere.yaml")
    assert (done.code, done.out, done.err) == (2, "", "nowhere.yaml: no such file\n")


@pytest.mark.parametrize("command", [("check",), ("routes",), ("explain", "GET", "/x")])
def test_the_environment_names_the_file(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    assert invoke(*command, GATEWAY_ROUTES="other.yaml").err == "other.yaml: no such file\n"
    assert invoke(*command, "mine.yaml", GATEWAY_ROUTES="other.yaml").err == "mine.yaml: no such file\n"


def test_as_a_process(tmp_path: Path) -> None:
    make(tmp_path)
    done = gateway("check", cwd=tmp_path)
    assert (done.code, done.err) == (0, "the old shop is loaded\n")
    assert done.out.startswith("routes.yaml is good: ")


def test_output_that_the_system_cannot_encode_does_not_end_the_command(tmp_path: Path) -> None:
    make(tmp_path, "version: 1\nbackends: {a: {app: 'a:b'}}\ndefault: a\nroutes: [{path: /книги, to: a}]\n")
    done = gateway("routes", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0
    assert "/?????" in done.out
