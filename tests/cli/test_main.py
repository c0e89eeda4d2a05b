from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from gateway.cli.main import app
from gateway.version import __version__
from tests.behaviour.process import environment, eventually
from tests.cli.conftest import Invoke
from tests.cli.project import gateway, make

COMMANDS: list[str] = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
# Those that only look at the file, and take it as an argument, too.
LOOKING = [("check",), ("routes",), ("explain", "GET", "/x")]


def test_the_version(invoke: Invoke) -> None:
    assert invoke("--version").out == f"gateway {__version__}\n"


def test_without_a_command_there_is_help(invoke: Invoke) -> None:
    for command in COMMANDS:
        assert f"\n  {command} " in invoke().out + invoke("--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(invoke: Invoke, command: str) -> None:
    done = invoke(command, "--help")
    assert done.code == 0
    assert re.search(rf"\n  Examples?: gateway {command}\b", done.out)
    assert "--json" in done.out


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"schema", "init"}))
def test_every_command_is_told_its_file_in_the_same_ways(invoke: Invoke, command: str) -> None:
    help_text = invoke(command, "--help").out
    assert "--routes" in help_text
    assert "GATEWAY_ROUTES" in help_text


def test_one_command_does_not_wait_for_what_others_need() -> None:
    asked = "import sys; from gateway.cli.main import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], env=environment(), capture_output=True, text=True).stdout
    assert "gateway.cli.main" in loaded.split()
    assert not {f"gateway.cli.{command}" for command in COMMANDS} & set(loaded.split())
    assert not {"pydantic", "fastapi", "uvicorn", "httpx", "rich.console"} & set(loaded.split())


def test_a_mistyped_command_is_a_usage_error(invoke: Invoke) -> None:
    done = invoke("chekc")
    assert done.code == 2
    assert "No such command 'chekc'" in done.err


@pytest.mark.parametrize("command", LOOKING)
def test_a_missing_file_is_one_line(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    done = invoke(*command, "nowhere.yaml")
    assert (done.code, done.out, done.err) == (2, "", "nowhere.yaml: no such file\n")


@pytest.mark.parametrize("command", [*LOOKING, ("move", "/books", "new")])
def test_without_a_file_it_is_said_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke(*command)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "routes.yaml: no such file\nname another with --routes or GATEWAY_ROUTES; `gateway init` writes a first one\n"
    )


def test_the_list_of_commands_is_not_cut_off(invoke: Invoke) -> None:
    assert "..." not in invoke("--help", COLUMNS="80").out.partition("Commands:")[2]


@pytest.mark.parametrize("command", LOOKING)
def test_the_file_is_named_in_three_ways(tmp_path: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    path = make(tmp_path)
    plain = invoke(*command, path)
    assert plain.code == 0
    for named in (invoke(*command, "--routes", path), invoke(*command, GATEWAY_ROUTES=str(path))):
        assert (named.code, named.out) == (0, plain.out)


def test_a_file_that_is_named_twice_is_a_usage_error(tmp_path: Path, invoke: Invoke) -> None:
    path = make(tmp_path)
    done = invoke("check", path, "--routes", path)
    assert done.code == 2
    assert "the file is named twice, here and by --routes" in done.err


@pytest.mark.parametrize("command", LOOKING)
def test_the_environment_names_the_file(folder: Path, invoke: Invoke, command: tuple[str, ...]) -> None:
    assert invoke(*command, GATEWAY_ROUTES="other.yaml").err == "other.yaml: no such file\n"
    assert invoke(*command, "mine.yaml", GATEWAY_ROUTES="other.yaml").err == "mine.yaml: no such file\n"
    assert invoke(*command, "--routes", "mine.yaml", GATEWAY_ROUTES="other.yaml").err == "mine.yaml: no such file\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chekc"], "gateway: No such command 'chekc'"),
        (["routes", "--jsonn"], "gateway routes: No such option: --jsonn"),
        (["explain", "GET"], "gateway explain: Missing argument 'URL'"),
        (["run", "--port", "http"], "gateway run: Invalid value for '--port'"),
        (["check", "a.yaml", "--routes", "b.yaml"], "gateway check: Invalid value for 'ROUTES': the file is named"),
    ],
)
def test_a_usage_error_is_one_line_with_the_way_to_the_help(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = gateway(*arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(told)
    assert done.err.count("\n") == 1
    command = " ".join(["gateway", *arguments[:1]]) if arguments != ["chekc"] else "gateway"
    assert done.err.endswith(f"; see {command} --help\n")


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


def test_ctrl_c_ends_a_command_as_shells_expect(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "newshop.py").write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(30)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "check"], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    )
    eventually((tmp_path / "begun").exists)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in told
