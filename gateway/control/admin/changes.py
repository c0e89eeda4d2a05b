"""`POST /api/v1/plan` and `POST /api/v1/changes`: what a change would do, and doing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from gateway.change.moving import Weights
from gateway.change.plan import Plan, RoutePlan
from gateway.control.admin.change_body import Order, Question
from gateway.control.admin.changing import Changing
from gateway.control.admin.masking import masked
from gateway.control.admin.problem import Problem, Refusal


class MoveView(BaseModel):
    """``share`` is in percent of all users of the route."""

    source: str = Field(alias="from")
    to: str
    share: float


class RoutePlanView(BaseModel):
    """Shares are in percent; ``before`` is empty for a new route, ``after`` for one that is removed."""

    label: str
    before: dict[str, float]
    after: dict[str, float]
    moves: list[MoveView]


class PlanView(BaseModel):
    summary: str
    diff: str
    routes: list[RoutePlanView]
    notes: list[str] = Field(description="What a person should know beforehand.")
    digest: str = Field(description="What If-Match has to say, for exactly this to be done.")


class AppliedView(BaseModel):
    """``live_on`` of the ``workers`` serve the new version."""

    version: int
    digest: str
    live_on: int
    workers: int
    milliseconds: int
    summary: str
    notes: list[str]
    kept: str | None = Field(description="Where the text is kept that was replaced and had never been live.")
    undo: dict[str, dict[str, int]] = Field(description="The change that takes this one back.")


def change_routes(changing: Changing) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["changing"])

    @router.post("/plan")
    async def plan(question: Question, response: Response) -> PlanView:
        """What a change would do. Nothing is changed."""
        planned = await changing.plan(question.change.change())
        response.headers["etag"] = f'"{planned.digest}"'
        return plan_view(planned.plan, planned.digest)

    @router.post(
        "/changes",
        responses={
            409: {"model": Problem, "description": "The file does not allow it, or the workers refuse it."},
            412: {"model": Problem, "description": "Somebody has changed the file meanwhile."},
            428: {"model": Problem, "description": "If-Match is missing."},
            504: {"model": Problem, "description": "It was written, and is not live on every worker in time."},
        },
    )
    async def make(
        order: Order,
        response: Response,
        if_match: Annotated[
            str, Header(description="The ETag of /plan, /status or /routes; `*` for whatever there is.")
        ] = "",
    ) -> AppliedView:
        """Change the file, and wait until every worker serves it."""
        if not if_match:
            raise Refusal(428, 'send If-Match: "DIGEST", with the ETag of what you have seen', kind="if-match-missing")
        applied = await changing.make(order.change.change(), _digests(if_match), user=order.user, reason=order.reason)
        digest = applied.plan.after.digest
        response.headers["etag"] = f'"{digest}"'
        return AppliedView(
            version=applied.version,
            digest=digest,
            live_on=applied.workers,
            workers=applied.workers,
            milliseconds=round(applied.seconds * 1000),
            summary=applied.plan.summary,
            notes=list(applied.plan.notes),
            kept=None if applied.kept is None else str(applied.kept),
            undo={"rollback": {"version": applied.before}},
        )

    return router


def plan_view(plan: Plan, digest: str) -> PlanView:
    return PlanView(
        summary=plan.summary,
        diff=masked(plan.diff, plan.before.text, plan.after.text),
        routes=[_route(each) for each in plan.routes],
        notes=list(plan.notes),
        digest=digest,
    )


def _route(each: RoutePlan) -> RoutePlanView:
    moves = [{"from": source, "to": target, "share": share / 100} for source, target, share in each.moves]
    return RoutePlanView(
        label=each.label,
        before=_percent(each.before),
        after=_percent(each.after),
        moves=[MoveView.model_validate(move) for move in moves],
    )


def _percent(weights: Weights) -> dict[str, float]:
    return {backend: weight / 100 for backend, weight in weights}


def _digests(if_match: str) -> set[str] | None:
    """None for `*`. A weak tag never matches (RFC 9110 13.1.1)."""
    if if_match.strip() == "*":
        return None
    tags = (tag.strip() for tag in if_match.split(","))
    return {tag[1:-1] for tag in tags if len(tag) > 2 and tag.startswith('"') and tag.endswith('"')}
