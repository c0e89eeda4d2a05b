"""/external-data: exchange rates from a third party that is slow and sometimes away."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ..faithful.json import FlaskJSON
from ..faithful.requests import FlaskRoute
from ..schemas import Rates
from ..third_party import ThirdParty

router = APIRouter(tags=["external"], route_class=FlaskRoute)


@router.get("/external-data", response_model=Rates)
async def external_data(request: Request) -> FlaskJSON:
    third_party: ThirdParty = request.state.third_party
    return FlaskJSON(await third_party.rates())
