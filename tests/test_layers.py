"""Imports run one way: cli → control → dataplane → backends → upstream → config → routing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "gateway"

# What each package may import of ours. The loader checks path templates with the code that compiles them, and
# routing is standard library only, so routing is the lowest.
ALLOWED: dict[str, set[str]] = {
    "routing": set(),
    "resilience": set(),
    "telemetry": set(),
    "compat": set(),
    "websocket": set(),
    "http1": set(),
    "server": {"http1", "websocket"},
    "migrate": {"config", "routing"},
    "config": {"routing"},
    "history": {"config"},
    "change": {"history", "config", "routing"},
    "upstream": {"config", "routing", "http1", "websocket", "resilience"},
    "backends": {"upstream", "config", "routing", "http1", "resilience"},
    "health": {"backends", "config", "telemetry", "resilience"},
    "dataplane": {"health", "backends", "upstream", "config", "routing", "telemetry", "http1", "compat", "resilience"},
    "control": {
        "migrate",
        "change",
        "history",
        "dataplane",
        "health",
        "backends",
        "config",
        "routing",
        "telemetry",
        "server",
    },
    "cli": {"migrate", "change", "history", "control", "dataplane", "backends", "config", "routing", "telemetry"},
}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level == 1:
                continue  # within the package
            assert node.level == 0, f"{path}: an import that climbs"
            module = node.module or ""
            names |= {f"gateway.{alias.name}" for alias in node.names} if module == "gateway" else {module}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("gateway.")} - {"version"}
    assert ours - {package} <= ALLOWED[package]


SHARED_SESSION = (
    *("flask_session", "session", "session_cookie", "shared_session", "flask_settings", "tagged_json"),
    *("flask_login", "flask_csrf", "server_session", "session_store"),
)


@pytest.mark.parametrize("name", SHARED_SESSION)
def test_the_shared_session_needs_nothing_else_of_the_gateway(name: str) -> None:
    # An app imports it on servers where there is no gateway.
    ours = {each for each in imported(ROOT / "migrate" / f"{name}.py") if each.startswith("gateway")}
    assert ours <= {"gateway.migrate", *(f"gateway.migrate.{each}" for each in SHARED_SESSION)}


@pytest.mark.parametrize("path", sorted((ROOT / "routing").rglob("*.py")), ids=lambda path: path.name)
def test_routing_is_standard_library_only(path: Path) -> None:
    outside = {name.partition(".")[0] for name in imported(path)} - {"gateway", "__future__"}
    assert outside <= set(sys.stdlib_module_names)


def test_every_package_has_its_place() -> None:
    packages = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == set(ALLOWED)
