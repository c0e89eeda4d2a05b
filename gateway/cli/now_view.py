"""How those who would get a request are right now, as `gateway explain` shows it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.cli.now import Now
from gateway.cli.verdict import Verdict
from gateway.control.dashboard import words


def now_lines(now: Now, verdict: Verdict, digest: str) -> Iterator[str]:
    """``digest`` is that of the file that the verdict is about."""
    status = now.status
    if status is None:
        yield f"now: not known, {now.why}"
        return
    yield f"now: {_serving(status, digest)}"
    route = _route(status, verdict)
    if route is not None and route["limit"] is not None:
        yield f"  this route has {_limit(route['limit'])}"
    for backend in _backends(status, verdict):
        name = backend["name"]
        if route is not None:
            figures = route["backends"].get(name)
            if figures is not None:
                yield f"  {name} answers {_figures(figures)}"
            breaker = route["breakers"].get(name)
            # A tester sees a backend as it is.
            if breaker is not None and breaker["trouble"] and verdict.because != "override":
                yield f"  {name} {breaker['trouble']}"
        for address in backend["addresses"]:
            if address["trouble"]:
                yield f"  {name}: {address['address']} {address['trouble']}"
        if backend["limit"] is not None:
            yield f"  {name} has {_limit(backend['limit'])}"


def now_data(now: Now, verdict: Verdict, digest: str) -> Mapping[str, object]:
    """What of the status is about this request, under the names that it has there."""
    status = now.status
    if status is None:
        return {"not_told": now.why}
    route = _route(status, verdict) or {}
    return {
        "config": status["config"],
        "serves_this_file": status["config"]["digest"] == digest,
        "route": {key: route.get(key) for key in ("limit", "breakers", "backends", "observed")} if route else None,
        "backends": {
            each["name"]: {"limit": each["limit"], "addresses": each["addresses"]}
            for each in _backends(status, verdict)
        },
    }


def _serving(status: Mapping[str, Any], digest: str) -> str:
    config, workers = status["config"], status["workers"]
    serving = sum(worker["state"] == "ready" and worker["digest"] == config["digest"] for worker in workers)
    planned = f"{status['planned']} {'worker' if status['planned'] == 1 else 'workers'}"
    said = f"version {config['version']} serves, on {serving} of {planned}"
    if config["digest"] == digest:
        return said
    wrong = {"rejected": ", and the gateway refuses its file", "missing": ", and the gateway's file is missing"}
    return f"{said}; this file is not that version{wrong.get(config['state'], '')}"


def _route(status: Mapping[str, Any], verdict: Verdict) -> Mapping[str, Any] | None:
    """None if the route is not in the version that serves."""
    label = verdict.taken.route.label if verdict.taken is not None else "default"
    return next((route for route in status["routes"] if route["label"] == label), None)


def _backends(status: Mapping[str, Any], verdict: Verdict) -> list[Mapping[str, Any]]:
    """In the order of the verdict."""
    known = {backend["name"]: backend for backend in status["backends"]}
    return [known[name] for name in verdict.backends if name in known]


def _limit(limit: Mapping[str, Any]) -> str:
    return words.limit(limit["in_flight"], limit["allowed"], limit["waiting"], limit["refused"])


def _figures(figures: Mapping[str, Any]) -> str:
    said = f"{words.rate(figures['rate'])} requests/s of this route, {figures['in_flight']} in flight"
    if figures["p95"] is None and not figures["error_ratio"]:
        return said
    return (
        f"{said}; in the last minute {words.ratio(figures['error_ratio'])} errors, p95 {words.seconds(figures['p95'])}"
    )
