"""/ws/chat: the members' room. Everyone may read along, whoever is logged in may write, in this app or in Flask's.

The server sends ``{"type": "welcome", "name": ..., "messages": [...]}``, then ``{"type": "message", ...}`` for each
message and ``{"type": "error", "error": ...}`` to who did something wrong. Clients send ``{"body": text}``.
"""

from __future__ import annotations

import asyncio
import json
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from sqlalchemy import select

from ..database import Sessions
from ..identity import member_of
from ..live.broadcast import Full, Listener
from ..live.feed import Feed
from ..models import Message
from ..session import CurrentSession

router = APIRouter(tags=["chat"])

PAGE = Path(__file__).resolve().parent.parent / "pages" / "chat.html"
LAST_MESSAGES = 30
LONGEST = 1000  # characters
TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008


@router.get("/chat", include_in_schema=False)
async def page() -> FileResponse:
    return FileResponse(PAGE, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.websocket("/ws/chat")
async def chat(websocket: WebSocket, session: CurrentSession) -> None:
    if not _from_this_site(websocket):
        await websocket.close(POLICY_VIOLATION)
        return
    feed: Feed = websocket.state.chat
    sessions: Sessions = websocket.state.sessions
    async with sessions() as db:
        member = await member_of(session, db)
    name = member.name if member else None
    await websocket.accept()
    try:
        async with feed.listening() as listener:
            hear = asyncio.create_task(_hear(websocket, sessions, listener, name))
            speak = asyncio.create_task(_speak(websocket, sessions, feed, name))
            ended = asyncio.create_task(listener.ended.wait())
            tasks = (hear, speak, ended)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                    raise result
            if not listener.ended.is_set():
                return  # the client has gone
    except Full:
        pass
    await _close(websocket)


async def _hear(websocket: WebSocket, sessions: Sessions, listener: Listener[Message], name: str | None) -> None:
    async with sessions() as db:
        newest = await db.scalars(select(Message).order_by(Message.id.desc()).limit(LAST_MESSAGES))
        messages = list(newest)[::-1]
    await websocket.send_json({"type": "welcome", "name": name, "messages": [_as_json(each) for each in messages]})
    told = {message.id for message in messages}
    async for message in listener:
        if message.id not in told:
            await websocket.send_json({"type": "message", **_as_json(message)})


async def _speak(websocket: WebSocket, sessions: Sessions, feed: Feed, name: str | None) -> None:
    while (received := await websocket.receive())["type"] != "websocket.disconnect":
        body, problem = _body(received.get("text") or "")
        if name is None:
            problem = "Log in to write."
        if problem is not None or name is None:
            await websocket.send_json({"type": "error", "error": problem})
            continue
        async with sessions() as db:
            db.add(Message(author=name, body=body))
            await db.commit()
        feed.look_now()


def _body(text: str) -> tuple[str, str | None]:
    """The message in ``text``, or what is wrong with it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return "", "Send JSON."
    body = data.get("body") if isinstance(data, dict) else None
    if not isinstance(body, str) or not body.strip():
        return "", "Send a message."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in body):
        return "", "Send text, without control characters."
    if len(body) > LONGEST:
        return "", f"At most {LONGEST} characters."
    return body.strip(), None


def _as_json(message: Message) -> dict[str, Any]:
    at = message.created_at.isoformat(timespec="seconds") + "Z"
    return {"id": message.id, "author": message.author, "body": message.body, "at": at}


def _from_this_site(websocket: WebSocket) -> bool:
    """Browsers let any page open a WebSocket to us, and send cookies along; they say from where it comes."""
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")


async def _close(websocket: WebSocket) -> None:
    # Whoever was dropped for being slow may not take this message either.
    with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
        async with asyncio.timeout(1):
            await websocket.close(TRY_AGAIN_LATER)
