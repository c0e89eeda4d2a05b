"""What could be read of a file, so that the rules see the sound parts of a broken one too: all errors at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from gateway.config.backend import BackendConfig
from gateway.config.messages import place_of, show, value_at
from gateway.config.model import Config, Defaults, Override, RouteConfig, StickyCookie
from gateway.config.position import Path, Positions
from gateway.config.values import Model

M = TypeVar("M", bound=Model)

_NOTHING: Final[frozenset[str]] = frozenset()
_EMPTY: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Part(Generic[M]):
    """One section of the file. The model holds placeholders for its ``broken`` keys: no rule may read those."""

    path: Path
    model: M
    broken: frozenset[str] = _NOTHING

    @property
    def whole(self) -> bool:
        return not self.broken

    def has(self, *keys: str) -> bool:
        """Whether all of ``keys`` can be read."""
        return self.broken.isdisjoint(keys)


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a file. What is missing or broken as a whole is None, or left out of its collection."""

    # The names, also of backends that are broken themselves; None when it cannot be known which there are.
    names: frozenset[str] | None
    backends: Mapping[str, Part[BackendConfig]]
    # Backends whose app is handed over as an object: no address is needed, and any is ignored.
    provided: frozenset[str]
    default: str | None
    defaults: Part[Defaults]
    sticky_cookie: Part[StickyCookie]
    override: Part[Override] | None
    trusted_proxies: Sequence[str]
    routes: Sequence[Part[RouteConfig]]
    positions: Positions
    # The data before the environment's values came in: messages quote this.
    written: Mapping[str, Any]

    def quoted(self, path: Path) -> str:
        """The text at ``path`` as it is in the file, in quotes: never with a value of the environment in it."""
        return show(value_at(self.written, path))


def draft_of(config: Config, written: Mapping[str, Any], positions: Positions, provided: frozenset[str]) -> Draft:
    """The draft of a file whose shape is right."""
    return Draft(
        names=frozenset(config.backends),
        backends={name: Part(("backends", name), backend) for name, backend in config.backends.items()},
        provided=provided,
        default=config.default,
        defaults=Part(("defaults",), config.defaults),
        sticky_cookie=Part(("sticky_cookie",), config.sticky_cookie),
        override=Part(("override",), config.override) if config.override is not None else None,
        trusted_proxies=config.trusted_proxies,
        routes=[Part(("routes", index), route) for index, route in enumerate(config.routes)],
        positions=positions,
        written=written,
    )


def salvage(
    data: object,
    errors: Iterable[Mapping[str, Any]],
    written: Mapping[str, Any],
    positions: Positions,
    provided: frozenset[str],
) -> Draft:
    """The draft of ``data``, in which pydantic found ``errors``."""
    data = data if isinstance(data, Mapping) else {}
    sections = _Sections(errors)
    backends = sections.mapping(data, "backends")
    routes = sections.list(data, "routes")
    parts = {name: sections.part(("backends", name), BackendConfig, backend) for name, backend in backends.items()}
    moves = [
        sections.part(("routes", index), RouteConfig, route, {"path": "/", "to": "placeholder"})
        for index, route in enumerate(routes)
    ]
    default = data.get("default")
    return Draft(
        names=frozenset(backends) or None,
        backends={name: part for name, part in parts.items() if part is not None},
        provided=provided,
        default=default if isinstance(default, str) and ("default",) not in sections.lost else None,
        defaults=sections.part(("defaults",), Defaults, data.get("defaults", {})) or Part(("defaults",), Defaults()),
        sticky_cookie=sections.part(("sticky_cookie",), StickyCookie, data.get("sticky_cookie", {}))
        or Part(("sticky_cookie",), StickyCookie()),
        override=sections.part(("override",), Override, data.get("override")),
        trusted_proxies=sections.list(data, "trusted_proxies"),
        routes=[part for part in moves if part is not None],
        positions=positions,
        written=written,
    )


class _Sections:
    """Which sections are lost, and which keys of the others are broken."""

    def __init__(self, errors: Iterable[Mapping[str, Any]]) -> None:
        self.lost: set[Path] = set()
        self._broken: dict[Path, set[str]] = defaultdict(set)
        for error in errors:
            path, _ = place_of(error)
            section = path[: 2 if path[:1] in (("backends",), ("routes",)) else 1]
            if len(path) == len(section):
                self.lost.add(path)
            else:
                self._broken[section].add(str(path[len(section)]))

    def mapping(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = data.get(key)
        if not isinstance(value, Mapping) or (key,) in self.lost:
            return {}
        return {name: item for name, item in value.items() if isinstance(name, str)}

    def list(self, data: Mapping[str, Any], key: str) -> Sequence[Any]:
        value = data.get(key)
        if isinstance(value, list | tuple) and (key,) not in self.lost and (key,) not in self._broken:
            return value
        return ()

    def part(
        self, path: Path, model: type[M], value: object, placeholders: Mapping[str, object] = _EMPTY
    ) -> Part[M] | None:
        if path in self.lost or not isinstance(value, Mapping):
            return None
        broken = frozenset(self._broken.get(path, ()))
        if not broken:
            return Part(path, model.model_validate(value))
        sound = {key: item for key, item in value.items() if isinstance(key, str) and key not in broken}
        wanted = {key: item for key, item in placeholders.items() if key in broken}
        return Part(path, model.model_validate({**wanted, **sound}), broken)
