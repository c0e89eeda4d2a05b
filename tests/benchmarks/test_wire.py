"""The probes themselves, on the app without any proxy: what nothing stands in the way of, they must see."""

from __future__ import annotations

import pytest

from benchmarks.wire import requests, responses
from benchmarks.wire.app import ScriptedApp
from benchmarks.wire.judging import content
from benchmarks.wire.probe import Probe, Seen

PROBES = [*requests.PROBES, *responses.PROBES]

# What the app does right without a proxy, and what only a proxy could do.
RIGHT = ["cookies", "escaped"]
NOT_RIGHT = ["named-request", "both-lengths", "claims-x-forwarded-for", "via", "named-response"]


def test_every_probe_has_a_name_of_its_own_that_is_in_its_path() -> None:
    assert len({probe.name for probe in PROBES}) == len(PROBES)
    assert all(f"/probe/{probe.name}".encode() in probe.says for probe in PROBES)


@pytest.mark.parametrize("name", RIGHT + NOT_RIGHT)
def test_without_a_proxy_only_what_the_app_does_itself_is_clean(name: str) -> None:
    probe = next(probe for probe in PROBES if probe.name == name)
    assert _without_a_proxy(probe) == (name in RIGHT)


def _without_a_proxy(probe: Probe) -> bool:
    closing = frozenset([probe.name]) if probe.closing else frozenset[str]()
    with ScriptedApp({probe.name: probe.answer}, closing) as app:
        return probe.run(app.address, app).clean


def _told(told: bytes) -> Seen:
    return Seen(asked=[], told=told, told_before_body=b"", closed=False)


def test_the_final_answer_is_found_behind_interim_ones() -> None:
    seen = _told(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n"
    )
    assert seen.status == 204
    assert seen.told_head == b"http/1.1 204 no content\r\na: b\r\n"


def test_a_refusal_is_one_that_the_app_does_not_hear_of() -> None:
    refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert _told(refusal).refused
    assert not Seen([b"GET / HTTP/1.1\r\n\r\n"], refusal, b"", False).refused


def test_content_comes_out_of_its_chunks() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert content(_told(head + b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n")) == b"hello!"
