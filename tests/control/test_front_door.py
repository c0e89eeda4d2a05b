from __future__ import annotations

from dataclasses import fields

from gateway.config.loader import load_text
from gateway.control.front_door import limits_of
from gateway.server.limits import Limits
from tests.config.said import BACKENDS


def test_without_a_section_they_are_those_of_the_server() -> None:
    made = limits_of(load_text(BACKENDS).config)
    for field in fields(Limits):
        if field.name != "proxies":
            assert getattr(made, field.name) == getattr(Limits(), field.name), field.name


def test_what_the_file_says() -> None:
    made = limits_of(
        load_text(
            f"{BACKENDS}trusted_proxies: [10.0.0.0/8]\nlimits: {{head: 4096, fields: 7, header_timeout: 1, "
            "body_timeout: 2, send_timeout: 3, keep_alive: 4, connections: 5, connections_per_client: 6, "
            "requests_per_connection: 8, stream_lifetime: 9}\n"
        ).config
    )
    # A line is never longer than the head that it is a part of.
    assert (made.request_line, made.head, made.fields) == (4096, 4096, 7)
    assert (made.header_timeout, made.body_timeout, made.send_timeout, made.keep_alive) == (1, 2, 3, 4)
    assert (made.connections, made.connections_per_client, made.requests_per_connection) == (5, 6, 8)
    assert made.stream_lifetime == 9
    assert "10.1.2.3" in made.proxies
    assert "192.0.2.1" not in made.proxies
