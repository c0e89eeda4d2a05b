"""What must hold of the sections about failing backends, beyond the shape of each value."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.backend_rules import unknown_backend
from gateway.config.draft import Draft, Part
from gateway.config.finding import Finding
from gateway.config.model import Defaults, RouteConfig
from gateway.config.position import Path
from gateway.config.survival import NO_FALLBACK, Fallback


def fallbacks_are_backends(draft: Draft) -> Iterator[Finding]:
    """A route may have itself for a fallback: that is how it looks after it was rolled back."""
    if draft.names is None:
        return
    for path, setting in _fallbacks(draft):
        if isinstance(setting, Fallback):
            if setting.to not in draft.names:
                yield Finding((*path, "to"), unknown_backend(setting.to, draft.names))
        elif setting != NO_FALLBACK and setting not in draft.names:
            yield Finding(path, unknown_backend(setting, draft.names))


def occasions_are_named_once(draft: Draft) -> Iterator[Finding]:
    for path, setting in _fallbacks(draft):
        if isinstance(setting, Fallback):
            for index, occasion in enumerate(setting.on):
                if occasion in setting.on[:index]:
                    yield Finding((*path, "on", index), f"{occasion} is given twice")


def _fallbacks(draft: Draft) -> Iterator[tuple[Path, str | Fallback]]:
    parts: list[Part[Defaults] | Part[RouteConfig]] = [draft.defaults, *draft.routes]
    for part in parts:
        if part.has("fallback") and part.model.fallback is not None:
            yield (*part.path, "fallback"), part.model.fallback
