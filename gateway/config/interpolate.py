"""``${VAR}`` and ``${VAR:-default}`` in backend addresses and the override secret; nowhere else.

Elsewhere the file must say what it says: a route whose path or weight depends on the environment would be a different
route in every worker that was started differently, and in none of the versions that history keeps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.config.finding import Finding
from gateway.config.position import Path
from gateway.config.words import did_you_mean, shorten

_MARK: Final = "${"
# `$${` comes first: it is the way to write a literal `${`. The last branch is a `${` that is none of the two forms.
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|\$\{")
_MOST_DEPTH: Final = 16


def interpolate(data: object, env: Mapping[str, str], *, kept: set[Path] | None = None) -> tuple[object, list[Finding]]:
    """``data`` with its references replaced from ``env``, and what is wrong with them. ``data`` is not changed.

    A variable that is unset or empty takes its default, as in a shell. A reference that cannot be replaced stays as
    it is, so that what is read after it does not complain of an empty value. With ``kept`` that is no mistake, and
    ``kept`` is told where.
    """
    replacing = _Replacing(env, kept)
    return replacing.walk(data, (), 0), replacing.findings


def allowed_at(path: Path) -> bool:
    match path:
        case ("backends", _, "app" | "url") | ("backends", _, "urls", _) | ("override", "secret"):
            return True
        case _:
            return False


class _Replacing:
    def __init__(self, env: Mapping[str, str], kept: set[Path] | None) -> None:
        self.findings: list[Finding] = []
        self._env = env
        self._kept = kept

    def walk(self, value: object, path: Path, depth: int) -> object:
        if isinstance(value, str):
            return self._text(value, path) if _MARK in value else value
        # A dict from Python may contain itself; nothing of ours is as deep as this.
        if depth > _MOST_DEPTH:
            return value
        if isinstance(value, Mapping):
            for key in value:
                if isinstance(key, str) and _MARK in key:
                    self._refuse((*path, key), at_key=True)
            return {key: self.walk(item, (*path, str(key)), depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.walk(item, (*path, index), depth + 1) for index, item in enumerate(value)]
        return value

    def _text(self, text: str, path: Path) -> str:
        allowed = allowed_at(path)

        def replace(found: re.Match[str]) -> str:
            whole, name = found.group(), found.group("name")
            if whole == "$${":
                return _MARK
            if not allowed:
                self._refuse(path)
            elif name is None:
                self.findings.append(Finding(path, "'${' begins no ${VAR} or ${VAR:-default}; write '$${' for itself"))
            else:
                return self._value(name, found.group("default"), whole, path)
            return whole

        return _REFERENCE.sub(replace, text)

    def _value(self, name: str, default: str | None, whole: str, path: Path) -> str:
        # Never a value in a message: what stands in the environment may be secret.
        value = self._env.get(name)
        if value:
            return value
        if default is not None:
            return default
        if self._kept is not None:
            self._kept.add(path)
            # Longer than any secret has to be.
            return f"{whole}, which is not set here"
        state = "is empty" if value is not None else "is not set"
        near = did_you_mean(name, self._env, otherwise=f"; set it, or write ${{{shorten(name)}:-default}}")
        self.findings.append(Finding(path, f"the environment variable '{shorten(name)}' {state}{near}"))
        return whole

    def _refuse(self, path: Path, *, at_key: bool = False) -> None:
        finding = Finding(
            path,
            "'${' is replaced only in backend addresses (app, url, urls) and in override.secret; "
            "write '$${' for itself",
            at_key,
        )
        if finding not in self.findings[-1:]:
            self.findings.append(finding)
