"""`gateway explain`: what would happen to one request, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from gateway.cli.completion import offered_methods, offered_paths
from gateway.cli.limits_view import limit_lines
from gateway.cli.listener_option import ListenerUrl
from gateway.cli.now import now
from gateway.cli.now_view import now_data, now_lines
from gateway.cli.request import Request, RequestError
from gateway.cli.routes_file import DEFAULT_FILE, AsJson, RoutesFile, RoutesOption, load_or_exit, print_json
from gateway.cli.state import StateFolder
from gateway.cli.survival_view import health_lines, survival_lines
from gateway.cli.verdict import Draw, Verdict, as_data, judge
from gateway.config.shares import percent, shares_text


def explain(
    method: Annotated[
        str,
        typer.Argument(metavar="METHOD", help="Such as GET.", show_default=False, autocompletion=offered_methods),
    ],
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="/path?query, or a whole URL.", show_default=False, autocompletion=offered_paths
        ),
    ],
    routes: RoutesFile = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'K: V'", help="A request header; may be repeated.")
    ] = None,
    client_ip: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The client's address, for `sticky: ip` and `override.allow`.")
    ] = "",
    routes_option: RoutesOption = DEFAULT_FILE,
    state: StateFolder = None,
    admin: ListenerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say where a request goes, and why.

    Shows every route whose path matches, in order of precedence, what decides between the backends, what limits it, and
    what is done when one fails. If a gateway runs, also how they are right now.
    """
    try:
        request = Request.parse(method, url, header or (), client_ip)
    except RequestError as error:
        raise typer.BadParameter(str(error)) from None
    file = routes or routes_option
    loaded = load_or_exit(file, as_json)
    verdict = judge(request, loaded)
    told = now(file, state, admin) if verdict.because != "refused" else None
    if as_json:
        live = now_data(told, verdict, loaded.digest) if told is not None else None
        print_json({**as_data(request, verdict), "now": live})
        return
    for line in _lines(request, verdict):
        typer.echo(line)
    if told is not None:
        for line in now_lines(told, verdict, loaded.digest):
            typer.echo(line)


def _lines(request: Request, verdict: Verdict) -> Iterator[str]:
    if verdict.because == "refused":
        yield f"refused with 400: {verdict.refused}"
        return
    yield f"{request.method} {verdict.path}"
    for number, candidate in enumerate(verdict.candidates, 1):
        if candidate is verdict.taken:
            fate = "takes it"
        elif candidate.passed_over is not None:
            fate = f"passed over: {candidate.passed_over}"
        else:
            fate = "would take it, but is less specific"
        yield f"  {number}. {candidate.route.label} (line {candidate.line}) {fate}"
    if verdict.taken is None:
        yield "  no route's path matches" if not verdict.candidates else "  none of them takes it"
    if verdict.draw is not None:
        yield "  " + _split(verdict.draw)
        yield "  " + _key(verdict.draw)
    yield f"→ {_outcome(verdict)}"
    yield from limit_lines(verdict.bounds)
    yield from survival_lines(verdict.safeguards)
    yield from health_lines(verdict.backends)


def _split(draw: Draw) -> str:
    intervals = ", ".join(f"{backend} {percent(start)}–{percent(end)}" for backend, start, end in draw.split.intervals)
    return f"split: {intervals}"


def _key(draw: Draw) -> str:
    if draw.point is not None:
        return f"key: {draw.key} falls on {percent(draw.point)}"
    match draw.sticky.kind:
        case "none":
            return "key: none, each request is drawn on its own"
        case "cookie" if draw.sticky.name is None:
            return f"key: no {draw.key}, so this is a new client: it is drawn, and stays on its side"
        case "ip":
            return "key: the client's address; give it with --client-ip"
        case _:
            return f"key: no {draw.key}, so each request is drawn on its own"


def _outcome(verdict: Verdict) -> str:
    match verdict.because:
        case "override":
            return f"{verdict.backend}, by override"
        case "default":
            return f"{verdict.backend}, the default"
        case "draw":
            assert verdict.draw is not None
            return shares_text((backend, end - start) for backend, start, end in verdict.draw.split.intervals)
        case _:
            return str(verdict.backend)
