"""The pages that change something: a route's split, any plan, and applying it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.change.change import Change, Move, RollBack
from gateway.control.admin.changing import Changing
from gateway.control.admin.problem import Refusal
from gateway.control.admin.running import Running
from gateway.control.admin.status import Status, status_of
from gateway.control.dashboard import words
from gateway.control.dashboard.fields import Asked, FieldError, change, split
from gateway.control.dashboard.looking import charts_of
from gateway.control.dashboard.overview import Row, colours
from gateway.control.dashboard.page import page
from gateway.control.dashboard.prospect import Prospect, prospect
from gateway.control.dashboard.surroundings import may_change, remember_user, surroundings, user


@dataclass(frozen=True, slots=True)
class Weight:
    """A backend's field in the form. ``percent`` is what it has now, or what was typed."""

    backend: str
    hue: int
    percent: str


def changing_routes(running: Running, changing: Changing) -> APIRouter:
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    async def planned(text: str) -> tuple[Prospect | None, str]:
        """The plan, or None and why there is none: "" where there would be nothing to do."""
        try:
            found = await changing.plan(change(text))
        except FieldError as error:
            return None, str(error)
        except Refusal as refusal:
            return None, "" if refusal.problem.kind == "nothing-changes" else _said(refusal)
        config = running.live.loaded.config
        return prospect(found.plan, found.digest, text, colours(config.backends, config.default)), ""

    @router.get("/route")
    async def route_page(request: Request, label: str, reason: str = "") -> Response:
        status = status_of(running)
        if label not in (route.label for route in status.routes if route.path):
            return _gone(label)
        around = surroundings(request, running, changing.path, status, back=label)
        row: Row = next(row for row in around["view"].rows if row.label == label)
        plan, refusal = None, ""
        fields = dict(request.query_params)
        try:
            wanted = split(label, fields)
        except FieldError as error:
            wanted, refusal = None, str(error)
        if wanted is not None:
            plan, refusal = await planned(wanted)
        around["user"] = fields.get("user") or around["user"]
        return page(
            "route.html",
            page="route",
            row=row,
            rows=[(row, False)],
            together=_together(status, label),
            weights=_weights(row, around["view"].default, fields),
            plan=plan,
            refusal=refusal,
            reason=reason,
            **charts_of(running, label),
            **around,
        )

    @router.get("/plan")
    async def plan_page(request: Request, change: str, back: str = "") -> Response:
        return _plan_page(request, *await planned(change), change, back)

    @router.post("/apply")
    async def apply(request: Request) -> Response:
        try:
            asked = Asked.parse(await request.body())
        except FieldError as error:
            return page("message.html", 422, page="", title="Nothing was changed", text=str(error))
        name = asked.user or user(request)
        try:
            applied = await changing.make(asked.change, {asked.digest}, user=name, reason=asked.reason)
        except Refusal as refusal:
            return await _refused(request, refusal, asked)
        target = "/route" if asked.back else "/"
        query = {"label": asked.back} if asked.back else {}
        query |= {"applied": str(applied.version), "ms": f"{applied.seconds * 1000:.0f}"}
        answer = RedirectResponse(f"{target}?{urlencode(query)}", 303)
        remember_user(answer, name)
        return answer

    async def _refused(request: Request, refusal: Refusal, asked: Asked) -> Response:
        """What was not done and why; where it was only made for an older text, what it would come to now."""
        if refusal.problem.status != 412:
            title = _TITLES.get(refusal.problem.kind, "Nothing was changed")
            return page("message.html", refusal.problem.status, page="", title=title, text=_said(refusal))
        plan, why = await planned(asked.text)
        warning = "Somebody has changed the routes since this page was made. Nothing was written. Look again:"
        return _plan_page(request, plan, why, asked.text, asked.back, status=412, warning=warning, reason=asked.reason)

    return router


_TITLES = {
    "not-live": "It was written, but is not live everywhere yet",
    "refused": "It was written, but the workers refuse it",
}


def _plan_page(
    request: Request, plan: Prospect | None, refusal: str, wanted: str, back: str, *, status: int = 200, **more: Any
) -> Response:
    try:
        title = _title(change(wanted))
    except FieldError:
        title = "No such change"
    context = {"warning": "", "reason": "", "user": user(request), "may_change": may_change(request)} | more
    refusal = refusal or ("" if plan else "There is nothing to do: that is how it is already.")
    return page("plan.html", status, page="", title=title, plan=plan, refusal=refusal, back=back, **context)


def _title(wanted: Change) -> str:
    match wanted:
        case RollBack(route=None, version=None, everything=True):
            return "Roll every route back"
        case RollBack(route=None, version=int(version)):
            return f"Restore version {version}"
        case RollBack(route=None):
            return "Undo the last change"
        case RollBack(route=str(route)):
            return f"Roll back {route}"
        case Move(route=route, backend=backend):
            return f"Move {route} to {backend}"
        case _:
            return f"Split {wanted.route}"


def _said(refusal: Refusal) -> str:
    said = refusal.problem.detail
    return f"{said[:1].upper()}{said[1:]}. {' '.join(refusal.problem.problems)}".rstrip()


def _gone(label: str) -> Response:
    text = f"The live version has no route that is called {label}. It may have been renamed or removed."
    return page("message.html", 404, page="", title="No such route", text=text)


def _together(status: Status, label: str) -> list[str]:
    """The other routes of its group."""
    groups = {route.label: route.group for route in status.routes}
    group = groups[label]
    return [other for other, its in groups.items() if group is not None and its == group and other != label]


def _weights(row: Row, default: str, fields: dict[str, str]) -> list[Weight]:
    """One for each backend but the default, which gets the rest."""
    preset, _, percent = fields.get("preset", "").rpartition(":")
    typed = fields | {f"weight.{preset}": percent}
    return [
        Weight(share.backend, share.hue, typed.get(f"weight.{share.backend}", words.percent(share.percent)))
        for share in row.to
        if share.backend != default
    ]
