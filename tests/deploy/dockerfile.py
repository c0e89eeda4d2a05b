"""deploy/Dockerfile as a machine sees it: instructions, stages, and the files of the build context that it may have."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """``value`` is one line: continuations are joined."""

    name: str
    value: str

    def exec_form(self) -> list[str]:
        """Of CMD, ENTRYPOINT and the like. Raises ValueError for the shell form."""
        words: list[str] = json.loads(self.value)
        return words

    def copies(self) -> tuple[str | None, list[str], str]:
        """Of COPY: the stage it is from, or None for the build context; the sources; the destination."""
        words = shlex.split(self.value)
        flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
        *sources, destination = [word for word in words if not word.startswith("--")]
        return flags.get("from"), sources, destination


@dataclass(slots=True)
class Stage:
    """``base`` is another stage or an image."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)


def instructions() -> list[Instruction]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def stages() -> dict[str, Stage]:
    """By name, in order."""
    found: dict[str, Stage] = {}
    for instruction in instructions():
        if instruction.name == "FROM":
            base, _, name = instruction.value.split()
            stage = found[name] = Stage(name, base)
        else:
            stage.instructions.append(instruction)
    return found


def line_of(target: str) -> list[Instruction]:
    """All instructions that make ``target``, its bases' first."""
    known = stages()
    stage: Stage | None = known[target]
    found: list[Instruction] = []
    while stage is not None:
        found = stage.instructions + found
        stage = known.get(stage.base)
    return found


def context() -> Iterator[Path]:
    """The files that the builder is sent, relative to the root of the repository, by .dockerignore."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    # What is allowed again by name; everything else at the top is never looked into.
    tops = {rule[1:].split("/")[0] for rule in rules if rule.startswith("!")}
    for top in sorted(tops):
        path = ROOT / top
        for file in [path] if path.is_file() else path.rglob("*"):
            relative = file.relative_to(ROOT)
            if file.is_file() and not _ignored(relative, rules):
                yield relative


def _ignored(path: Path, rules: list[str]) -> bool:
    """The last rule that matches decides."""
    verdict = False
    for rule in rules:
        pattern = rule.removeprefix("!")
        places = [path, *path.parents]
        if any(_matches(place, pattern) for place in places):
            verdict = not rule.startswith("!")
    return verdict


def _matches(path: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.name, pattern[3:])
    return len(path.parts) == len(Path(pattern).parts) and fnmatch(str(path), pattern)
