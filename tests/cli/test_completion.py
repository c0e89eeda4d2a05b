"""The Tab key: what is offered, and real shells that insert it."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.change.naming import find_route
from gateway.cli.main import app
from gateway.config.loader import load_file
from tests.behaviour.process import environment
from tests.cli.project import make

ROUTES = """\
version: 1
backends:
  legacy: {url: "http://127.0.0.1:1"}
  new: {url: "http://127.0.0.1:2"}
default: legacy
routes:
  - {path: /books, methods: [GET], to: {legacy: 90, new: 10}}
  - {path: /books, methods: [POST], to: legacy}
  - {path: "/users/{id:int}", to: legacy}
  - {path: "/reports/{rest:path}", name: sales reports, to: legacy}
  - {path: "/files/{name}", name: files, to: new}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path, ROUTES)
    return tmp_path


def offered(line: str, cwd: Path, shell: str = "fish", **env: str) -> list[str]:
    """What is offered at the end of ``line``, as the shell is told it."""
    words = shlex.split(line + "x")
    told = {
        "_GATEWAY_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": line,
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [], prog_name="gateway", env={**told, **env})
    assert (done.exit_code, done.stderr) == (0, "")
    return [line for line in done.stdout.splitlines() if line]


def test_routes_are_offered_by_what_means_them_alone_with_where_they_go(folder: Path) -> None:
    lines = offered("gateway move ", folder)
    assert lines == [
        "GET /books\tlegacy 90 %, new 10 %",
        "POST /books\tlegacy",
        "/users/{id:int}\tlegacy",
        "sales reports\tlegacy",
        "files\tnew",
    ]
    config = load_file(folder / "routes.yaml").config
    meant = [find_route(config, line.split("\t")[0]) for line in lines]
    assert meant == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("gateway mo", ["move"]),
        ("gateway rollback fi", ["files"]),
        ("gateway split GE", ["GET /books"]),
        ("gateway move files ", ["legacy", "new"]),
        ("gateway move files n", ["new"]),
        ("gateway split files new=5", ["new=5", "new=50"]),
        ("gateway explain P", ["PATCH", "POST", "PUT"]),
        ("gateway explain GET /", ["/books"]),
    ],
)
def test_what_is_offered(folder: Path, line: str, wanted: list[str]) -> None:
    assert [each.split("\t")[0] for each in offered(line, folder)] == wanted


def test_the_file_is_the_one_that_the_command_would_take(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = str(folder / "routes.yaml")
    assert offered("gateway move f", elsewhere) == []
    assert offered("gateway move f", elsewhere, GATEWAY_ROUTES=path) == ["files\tnew"]
    assert offered(f"gateway move --routes {path} f", elsewhere) == ["files\tnew"]


def test_a_bad_file_offers_nothing_and_says_nothing(folder: Path) -> None:
    (folder / "routes.yaml").write_text("version: 2\n")
    assert offered("gateway move ", folder) == []


def test_bash_is_given_what_it_can_put_on_the_line(folder: Path) -> None:
    assert offered("gateway move G", folder, "bash") == ["GET\\ /books"]
    assert offered("gateway move /u", folder, "bash") == ["/users/{id\\:int}"]


# Instead of the gateway, it shows what the shell has passed to it.
PROGRAM = """\
#!/bin/sh
if [ -n "$_GATEWAY_COMPLETE" ]; then exec {python} -m gateway "$@"; fi
printf '<%s>' "$@"
echo
"""
PROMPT = "what now> "


class Shell:
    """A shell at a terminal, with the completion installed as a user would."""

    def __init__(self, name: str, folder: Path) -> None:
        self._screen = ""
        home, programs = folder / "home", folder / "programs"
        home.mkdir()
        programs.mkdir()
        program = programs / "gateway"
        program.write_text(PROGRAM.format(python=shlex.quote(sys.executable)))
        program.chmod(0o755)
        (home / ".bashrc").write_text(f"PS1='{PROMPT}'\n")
        (home / ".zshrc").write_text(f"PROMPT='{PROMPT}'\n")
        fish = home / ".config" / "fish"
        fish.mkdir(parents=True)
        # It would ask for suggestions at every key.
        quiet = "set -g fish_autosuggestion_enabled 0"
        (fish / "config.fish").write_text(f"function fish_prompt; echo -n '{PROMPT}'; end\n{quiet}\n")
        env = environment({"HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb"})
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "--install-completion", name],
            cwd=folder,
            # Else it would be for the shell that runs the tests.
            env={**env, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert f"{name} completion installed in" in done.stdout
        self.pid, self._keyboard = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(name, [name, "-i"], env)

    def says(self, keys: str, wanted: str, timeout: float = 90.0) -> None:
        """Type at the next prompt, and wait for ``wanted``."""
        until = time.monotonic() + timeout
        self._wait_for(PROMPT, until)
        os.write(self._keyboard, keys.encode())
        self._wait_for(wanted, until)

    def _wait_for(self, text: str, until: float) -> None:
        while text not in self._screen:
            assert time.monotonic() < until, self._screen
            if select.select([self._keyboard], [], [], 0.1)[0]:
                self._screen += os.read(self._keyboard, 65536).decode(errors="replace")
        self._screen = self._screen.partition(text)[2]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._keyboard)


# Fish starts the program twice for each word, which takes a busy machine seconds.
@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_routes_backends_and_shares(folder: Path, name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is missing")
    with contextlib.closing(Shell(name, folder)) as user:
        if name == "zsh":
            # Its first Tab only loads the completion.
            user.says("gateway check\t\r", "<check>")
        user.says("gateway mo\tG\tn\t\r", "<move><GET /books><new>")
        user.says("gateway spl\t/us\tne\t25\r", "<split></users/{id:int}><new=25>")
