from __future__ import annotations

import json

from gateway.server.refusal import Refusal


def test_is_a_whole_response_with_problem_details() -> None:
    answer = Refusal(405, "Not that.", ((b"allow", b"GET"),)).answer(b"\r\ndate: today")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 405 Method Not Allowed",
        b"Content-Type: application/problem+json",
        b"Content-Length: %d" % len(body),
        b"Cache-Control: no-store",
        b"allow: GET",
        b"Connection: close",
        b"date: today",
    ]
    # RFC 9457, as gateway/dataplane/problem_json.py has it.
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "Not that.",
    }


def test_of_a_head_request_it_has_no_content() -> None:
    refusal = Refusal(400, "No.")
    whole = refusal.answer(b"")
    assert refusal.answer(b"", bodiless=True) == whole[: whole.index(b"\r\n\r\n") + 4]
