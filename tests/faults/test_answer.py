"""The judge itself: what is wrong must be found, or the table proves nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.faults.answer import Asked, Judged, Verdict, read_and_judge
from tests.faults.ledger import Ledger
from tests.faults.stamped import Book, Wanted, stamp
from tests.faults.table import Row, lines, row_of
from tests.faults.traffic import Traffic

ASKED = Asked("POST", Wanted("a-1", 50), b"what was sent")
RIGHT = stamp(ASKED.wanted, "new", ASKED.body)


def response(body: bytes, status: str = "200 OK", *fields: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


async def judged(data: bytes, *, ended: bool = True) -> Judged:
    reader = asyncio.StreamReader(limit=1 << 20)
    reader.feed_data(data)
    if ended:
        reader.feed_eof()
    return await read_and_judge(reader, ASKED, 0.05)


PROBLEM = json.dumps({"type": "about:blank", "title": "", "status": 502, "detail": "", "request_id": ""}).encode()
PROBLEM_TYPE = "Content-Type: application/problem+json"


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        pytest.param(response(RIGHT), Verdict.RIGHT, id="right"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(RIGHT), RIGHT),
            Verdict.RIGHT,
            id="chunked",
        ),
        pytest.param(response(PROBLEM, "502 Bad Gateway", PROBLEM_TYPE), Verdict.BROKEN, id="502"),
        pytest.param(b"", Verdict.BROKEN, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConten", Verdict.BROKEN, id="half a head"),
        pytest.param(response(RIGHT[:-5], length=len(RIGHT)), Verdict.BROKEN, id="an end before the end"),
        pytest.param(response(stamp(Wanted("a-2", 50), "new", ASKED.body)), Verdict.WRONG, id="another's answer"),
        pytest.param(response(stamp(ASKED.wanted, "new", b"else")), Verdict.WRONG, id="another's body"),
        pytest.param(response(stamp(Wanted("a-1", 49), "new", ASKED.body)), Verdict.WRONG, id="shorter"),
        pytest.param(response(RIGHT[:-5]), Verdict.WRONG, id="cut, and looks whole"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + RIGHT[:-5], Verdict.WRONG, id="cut, and without framing"),
        pytest.param(response(b"", "200 OK"), Verdict.WRONG, id="empty"),
        pytest.param(response(PROBLEM, "500 Internal Server Error", PROBLEM_TYPE), Verdict.WRONG, id="500"),
        pytest.param(response(b"Traceback (most", "502 Bad Gateway"), Verdict.WRONG, id="traceback"),
        pytest.param(response(RIGHT, "200 OK", "Transfer-Encoding: chunked"), Verdict.WRONG, id="two framings"),
    ],
)
async def test_an_answer(data: bytes, verdict: Verdict) -> None:
    assert (await judged(data)).verdict is verdict


async def test_an_end_in_the_middle_of_an_answer_is_told_from_one_before_it() -> None:
    assert not (await judged(b"")).begun
    assert (await judged(b"HTTP/1.1 200 OK\r\nConten")).begun
    assert (await judged(response(RIGHT)[:-1])).begun


async def test_an_answer_without_an_end_is_lost() -> None:
    assert (await judged(response(RIGHT)[:-1], ended=False)).verdict is Verdict.LOST


async def test_what_comes_behind_an_answer_is_wrong() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = stamp(Wanted.of(head.split()[1].decode()), "new", b"")
        writer.write(response(body) + b"HTTP/1.1 200 OK\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def send() -> Traffic:
        with Traffic(url, connections=1, methods=["GET"], pause=0) as traffic:
            while not traffic.judged:
                pass
        return traffic

    traffic = await asyncio.to_thread(send)
    server.close()
    row = row_of("", [traffic], None)
    assert row.wrong == row.sent > 0
    assert "more than its answer" in str(traffic.reasons())


def test_the_ledger_tells_what_was_done_twice_and_what_never(ledger: Ledger) -> None:
    traffic = Traffic("http://127.0.0.1:1")
    for name, method in (("1", "POST"), ("2", "POST"), ("3", "POST"), ("4", "PUT"), ("5", "GET")):
        traffic.asked[name] = Asked(method, Wanted(name, 0))
        traffic.judged[name] = Judged(Verdict.RIGHT)
    traffic.judged["3"] = Judged(Verdict.BROKEN)
    for app, method, name in (("new", "POST", "1"), ("legacy", "POST", "1"), ("new", "PUT", "4"), ("new", "PUT", "4")):
        book = Book(ledger.book(app))
        book.note(method, name)
        book.close()
    assert row_of("x", [traffic], ledger) == Row("x", sent=5, right=4, broken=1, lost=1, twice=1)


def test_the_table_is_markdown_in_columns() -> None:
    assert lines([Row("a fault", 1000, 990, 10)]) == [
        "| fault   | sent | answered right | broken visibly | wrong | lost | done twice |",
        "|---------|-----:|---------------:|---------------:|------:|-----:|-----------:|",
        "| a fault | 1000 |            990 |             10 |     0 |    0 |          0 |",
    ]
