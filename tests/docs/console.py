"""The commands of a page, as it shows them, and a shell to run them in."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.behaviour.process import environment

PROGRAMS = {"gateway": "-m gateway", "pytest": "-m pytest", "python": "", "uvicorn": "-m uvicorn"}


@dataclass(slots=True)
class Step:
    """One command, and the lines that are shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)

    def is_shown_by(self, printed: str) -> bool:
        """Whether the shown lines are printed, in this order; others may stand between them."""
        lines = iter([plain(line, self.command) for line in printed.splitlines()])
        return all(any(plain(shown, self.command) == line for line in lines) for shown in self.shown)


def section(page: str, beginning: str) -> str:
    """The section of a page whose heading begins so."""
    (found,) = [part for part in re.split(r"^##+ ", page, flags=re.MULTILINE) if part.startswith(beginning)]
    return found


def steps(block: str) -> Iterator[Step]:
    """The commands of one block."""
    step: Step | None = None
    for line in block.splitlines():
        if line.startswith("$ "):
            if step is not None:
                yield step
            step = Step(line[2:].partition("  #")[0].strip())
        else:
            assert step is not None, line
            step.shown.append(line)
    if step is not None:
        yield step


def console(page: str, beginning: str) -> Iterator[Step]:
    """The commands of a section, by the beginning of its heading."""
    for block in re.findall(r"```console\n(.*?)```", section(page, beginning), re.DOTALL):
        yield from steps(block)


class Shell:
    """A folder with the programs, and a shell in it that remembers what was exported.

    ``replacements`` are what the test has instead of what a page names, such as a port; they may change on the way.
    """

    def __init__(self, folder: Path, replacements: Mapping[str, str], env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._replacements = replacements
        self._env = environment(env)
        self._programs = folder / ".venv" / "bin"
        self._programs.mkdir(parents=True)
        for name, arguments in PROGRAMS.items():
            program = self._programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
            program.chmod(0o755)

    def replaced(self, text: str) -> str:
        """A line of the page as it is here."""
        for what, replacement in self._replacements.items():
            text = text.replace(what, replacement)
        return text

    def run(self, command: str) -> str:
        """What it prints. AssertionError unless it exits with 0."""
        command = self.replaced(command)
        exported = shlex.quote(str(self._programs / "exported"))
        done = subprocess.run(
            [
                "bash",
                "-c",
                f"[ ! -e {exported} ] || . {exported}\n{command}\ncode=$?; export -p > {exported}; exit $code",
            ],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout


def plain(line: str, command: str) -> str:
    """``line`` without what differs from run to run: times, users, columns' widths; of live figures all numbers."""
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|^\d\d:\d\d:\d\d\.\d+ ", "", line)
    line = re.sub(r"in \d+ ms", "in N ms", line)
    line = re.sub(r"\S+, command", "USER, command", line)
    if command == "gateway status":
        line = re.sub(r"\d+(\.\d+)?", "N", line)
    return " ".join(line.split())
