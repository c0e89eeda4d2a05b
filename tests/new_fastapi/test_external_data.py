"""Whatever the third party does, both apps make the same of it."""

from __future__ import annotations

import asyncio
import json
import socket
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from new_fastapi import create_app
from new_fastapi.application import lifespan
from tests.new_fastapi.conftest import Apps, legacy_app, new_settings
from tests.new_fastapi.exchange import Answer, Ask, ask_legacy, ask_new

RATES = {"base": "EUR", "date": "2026-01-02", "rates": {"USD": 1.1721, "CHF": 0.9312}, "source": "not passed on"}

# Seconds: where the answer never comes, and where it may come late on a busy machine.
TIMEOUT = 0.15
PATIENCE = 10.0


def response(body: bytes, status: str = "200 OK", *fields: str, length: int | None = None) -> bytes:
    fields += (f"Content-Length: {len(body) if length is None else length}", "Connection: close")
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


def of_json(data: object) -> bytes:
    return response(json.dumps(data).encode())


class Scripted:
    """A server that gives one answer to all, then closes. ``...`` in the script waits until the client has gone."""

    def __init__(self, *script: bytes) -> None:
        self.script = script
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            for part in self.script:
                if part == b"...":
                    await reader.read()
                writer.write(part)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a client that gave up is what some of the scripts are for
        finally:
            writer.close()


@asynccontextmanager
async def apps_asking(url: str, database: Path, timeout: float = PATIENCE) -> AsyncIterator[Apps]:
    async with AsyncExitStack() as stack:
        legacy = stack.enter_context(legacy_app(database, THIRD_PARTY_URL=url, THIRD_PARTY_TIMEOUT=timeout))
        new = create_app(new_settings(database, third_party_url=url, third_party_timeout=timeout))
        yield Apps(legacy, new, await stack.enter_async_context(lifespan(new)))


async def ask_for_rates(apps: Apps, method: str = "GET") -> tuple[Answer, Answer]:
    ask = Ask(method, "/external-data")
    # The Flask view blocks its thread, and the scripted server runs in this one.
    return await asyncio.to_thread(ask_legacy, apps.legacy, ask), await ask_new(apps.new, apps.state, ask)


@asynccontextmanager
async def serving(scripted: Scripted) -> AsyncIterator[str]:
    async with await asyncio.start_server(scripted.serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


packed = zlib.compressobj(wbits=31)
GZIPPED = packed.compress(json.dumps(RATES).encode()) + packed.flush()

SCRIPTS: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "rates": (200, (of_json(RATES),)),
    "anything under the right names": (200, (of_json({"base": None, "date": [1], "rates": float("nan")}),)),
    "UTF-16": (200, (response(json.dumps(RATES).encode("utf-16")),)),
    "gzip": (200, (response(GZIPPED, "200 OK", "Content-Encoding: gzip"),)),
    "gzip that is none": (502, (response(b"{}", "200 OK", "Content-Encoding: gzip"),)),
    "an error with rates": (502, (response(json.dumps(RATES).encode(), "500 Oops"),)),
    "not found": (502, (response(b"", "404 Not Found"),)),
    "no JSON": (502, (response(b"<html>"),)),
    "empty": (502, (response(b""),)),
    "a list": (502, (of_json([RATES]),)),
    "a name missing": (502, (of_json({"base": "EUR", "date": ""}),)),
    "null": (502, (of_json(None),)),
    "no HTTP": (502, (b"220 smtp.example.com ESMTP\r\n",)),
    "closed without an answer": (502, ()),
    "closed in the body": (502, (response(json.dumps(RATES).encode(), length=10_000),)),
    "silent": (504, (b"...",)),
    "silent after the head": (502, (response(b"{", length=10), b"...")),
    "sent elsewhere for ever": (502, (response(b"", "302 Found", "Location: /rates"),)),
    "sent to another scheme": (502, (response(b"", "302 Found", "Location: ftp://127.0.0.1/"),)),
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_both_make_the_same_of_it(name: str, seeded: Path) -> None:
    status, script = SCRIPTS[name]
    timeout = TIMEOUT if b"..." in script else PATIENCE
    async with serving(Scripted(*script)) as url, apps_asking(url, seeded, timeout) as apps:
        legacy, new = await ask_for_rates(apps)
    assert (new.status, new.headers, new.body) == (legacy.status, legacy.headers, legacy.body)
    assert new.status == status


async def test_nobody_is_there(seeded: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    async with apps_asking(f"http://127.0.0.1:{port}", seeded) as apps:
        legacy, new = await ask_for_rates(apps)
    assert (new.status, new.headers, new.body) == (legacy.status, legacy.headers, legacy.body)
    assert b"cannot be reached" in new.body


async def test_head_asks_as_well(seeded: Path) -> None:
    async with serving(Scripted(of_json(RATES))) as url, apps_asking(url, seeded) as apps:
        legacy, new = await ask_for_rates(apps, "HEAD")
    assert (new.status, new.headers, new.body) == (legacy.status, legacy.headers, b"")


async def test_a_cookie_given_to_one_user_is_not_sent_for_the_next(seeded: Path) -> None:
    scripted = Scripted(response(json.dumps(RATES).encode(), "200 OK", "Set-Cookie: user=first; Path=/"))
    async with serving(scripted) as url, apps_asking(url, seeded) as apps:
        for _ in range(2):
            answer = await ask_new(apps.new, apps.state, Ask("GET", "/external-data"))
            assert answer.status == 200
    assert len(scripted.requests) == 2
    assert not any(b"cookie" in request.lower() for request in scripted.requests)
