"""The FastAPI application and what lives as long as it does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI

from gateway.migrate.flask_session import FlaskSessionMiddleware

from .database import Sessions, connected
from .faithful import errors
from .faithful.json import FlaskJSON
from .faithful.rules import FlaskRules, Rules
from .live.feed import Feed
from .models import Book, Item, Message, Product
from .routers import account, books, chat, events, external, items, products, users
from .schemas import Problem
from .session import flask_session
from .settings import Settings
from .third_party import ThirdParty

MOVED = (books.router, users.router, items.router, products.router, account.router, external.router)
NEW = (events.router, chat.router)


class State(TypedDict):
    """What requests find in `request.state`."""

    sessions: Sessions
    third_party: ThirdParty
    catalogue: Feed
    chat: Feed


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    settings: Settings = app.state.settings
    async with (
        connected(settings.database_url) as sessions,
        ThirdParty.connected(settings.third_party_url, settings.third_party_timeout) as third_party,
    ):
        catalogue, chat = Feed(sessions, [Book, Product, Item]), Feed(sessions, [Message])
        yield {"sessions": sessions, "third_party": third_party, "catalogue": catalogue, "chat": chat}
        await catalogue.close()
        await chat.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, configured from the environment by default. It touches the database when it is started."""
    settings = settings or Settings.from_environment(os.environ)
    session = flask_session(settings)
    rules = Rules(MOVED)
    app = FastAPI(
        title="Bookshop",
        version="2",
        lifespan=lifespan,
        redirect_slashes=False,  # to Flask, /books/ is simply not there
        default_response_class=FlaskJSON,
        responses={"4XX": {"model": Problem, "description": "Refused"}},
    )
    app.state.settings = settings
    app.state.session = session
    errors.install(app, rules, session)
    # The last added is the outermost.
    app.add_middleware(FlaskRules, rules=rules)
    app.add_middleware(FlaskSessionMiddleware, session=session)
    for router in (*MOVED, *NEW):
        app.include_router(router)
    return app
