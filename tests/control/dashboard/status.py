"""A status as the admin API answers it, to be changed where a test wants it otherwise."""

from __future__ import annotations

from typing import Any

from gateway.control.admin.status import Status

QUIET = {"requests": 0, "rate": 0.0, "errors": 0, "error_ratio": 0.0, "p50": None, "p95": None, "in_flight": 0}
BUSY = {"requests": 900, "rate": 12.0, "errors": 2, "error_ratio": 0.0, "p50": 0.008, "p95": 0.031, "in_flight": 3}


def route(label: str, to: dict[str, float], **others: Any) -> dict[str, Any]:
    """``label`` is methods and path; the backends are quiet unless ``others`` say so."""
    methods, _, path = label.rpartition(" ")
    return {
        "label": label,
        "path": path,
        "methods": methods.split(",") if methods else [],
        "host": None,
        "group": None,
        "sticky": "cookie",
        "line": 12,
        "to": to,
        "observed": {},
        "backends": dict.fromkeys(to, QUIET),
        **others,
    }


def worker(number: int, **others: Any) -> dict[str, Any]:
    return {"number": number, "pid": 1000 + number, "state": "ready", "version": 3, "digest": "abc", **others}


def status(*routes: dict[str, Any], **others: Any) -> Status:
    """Three backends, written in another order than they are shown in; two workers that serve version 3."""
    backends = [
        {"name": name, "kind": "embedded", "address": f"{name}:app", **QUIET} for name in ("new", "legacy", "third")
    ]
    config = {"state": "live", "version": 3, "digest": "abc", "since": 1_700_000_000.0, "problems": []}
    everything_else = route("default", {"legacy": 100.0}, path="", methods=[])
    return Status.model_validate(
        {
            "config": config,
            "default": "legacy",
            "planned": 2,
            "workers": [worker(1), worker(2)],
            "backends": backends,
            "routes": [*routes, everything_else],
            "migration": {"routes_moved": 0, "routes_total": len(routes), "traffic": {"legacy": 0.6, "new": 0.4}},
            **others,
        }
    )
