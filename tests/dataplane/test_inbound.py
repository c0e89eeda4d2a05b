from __future__ import annotations

from typing import Any

import pytest

from gateway.dataplane.forwarded import ForwardedFields
from gateway.dataplane.inbound import RawHeaders, RequestIds, TrustedProxies, admit, heard

NOBODY = TrustedProxies(())
PROXY = TrustedProxies(["10.0.0.0/8", "::1"])
AS_USUAL = ForwardedFields("x-forwarded")


def scope(headers: RawHeaders, client: tuple[str, int] | None = ("203.0.113.9", 5), **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "scheme": "http",
        "client": client,
        "headers": [(b"host", b"shop.example"), *headers],
        "root_path": "",
        **more,
    }


def fields(scope: Any) -> dict[bytes, bytes]:
    names = [name for name, _ in scope["headers"]]
    assert len(names) == len(set(names))
    return dict(scope["headers"])


def test_the_app_is_told_who_asks() -> None:
    made, client, request_id = admit(scope([(b"accept", b"*/*")]), "/a", b"/a", NOBODY, AS_USUAL, "id1")
    assert client == "203.0.113.9"
    assert request_id == "id1"
    assert fields(made) == {
        b"host": b"shop.example",
        b"accept": b"*/*",
        b"x-forwarded-for": b"203.0.113.9",
        b"x-forwarded-host": b"shop.example",
        b"x-forwarded-port": b"80",
        b"x-forwarded-proto": b"http",
        b"x-request-id": b"id1",
    }


def test_the_servers_own_scope_stays_as_it_is() -> None:
    original = scope([(b"x-forwarded-for", b"1.1.1.1")])
    copy = {**original, "headers": list(original["headers"])}
    admit(original, "/a", b"/a", NOBODY, AS_USUAL, "id1")
    assert original == copy


@pytest.mark.parametrize(
    "spoofed",
    [
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"evil.example"),
        (b"x-forwarded-port", b"1"),
        (b"x-forwarded-prefix", b"/evil"),
        (b"x-real-ip", b"127.0.0.1"),
        (b"forwarded", b"for=127.0.0.1"),
        (b"x-request-id", b"forged"),
    ],
)
def test_nothing_of_it_is_taken_from_a_client(spoofed: tuple[bytes, bytes]) -> None:
    honest, *_ = admit(scope([]), "/a", b"/a", PROXY, AS_USUAL, "id1")
    made, *_ = admit(scope([spoofed, spoofed]), "/a", b"/a", PROXY, AS_USUAL, "id1")
    assert made == honest


def test_a_trusted_proxy_is_believed() -> None:
    made, client, request_id = admit(
        scope(
            [
                (b"x-forwarded-for", b"6.6.6.6, 198.51.100.7"),
                (b"x-forwarded-proto", b"https"),
                (b"x-forwarded-host", b"public.example"),
                (b"x-forwarded-prefix", b"/shop/"),
                (b"x-request-id", b"0af7-65"),
            ],
            client=("10.1.2.3", 5),
        ),
        "/a",
        b"/a",
        PROXY,
        AS_USUAL,
        "id1",
    )
    assert client == "198.51.100.7"
    assert request_id == "0af7-65"
    assert made["scheme"] == "https"
    assert made["client"] == ("198.51.100.7", 0)
    assert made["root_path"] == "/shop"
    assert made["path"] == "/shop/a"
    assert fields(made) == {
        b"host": b"public.example",
        b"x-forwarded-for": b"198.51.100.7",
        b"x-forwarded-host": b"public.example",
        b"x-forwarded-port": b"443",
        b"x-forwarded-proto": b"https",
        b"x-request-id": b"0af7-65",
    }


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (b"198.51.100.7", "198.51.100.7"),
        (b"6.6.6.6, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        (b"10.4.4.4, 10.9.9.9", "10.4.4.4"),
        (b"198.51.100.7:4711", "198.51.100.7"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"6.6.6.6, unknown, 10.9.9.9", "10.9.9.9"),
        (b"<script>", ""),
        (b"", ""),
    ],
)
def test_the_client_is_the_last_that_is_not_a_proxy(chain: bytes, client: str) -> None:
    assert heard([(b"x-forwarded-for", chain)], PROXY).client == client


def test_several_fields_are_one_chain() -> None:
    headers = [
        (b"x-forwarded-for", b"6.6.6.6"),
        (b"x-forwarded-for", b"198.51.100.7"),
        (b"x-forwarded-for", b"10.0.0.1"),
    ]
    assert heard(headers, PROXY).client == "198.51.100.7"


@pytest.mark.parametrize(
    "host", [b"evil.example/path", b"user@evil.example", b"a b", b"a\\b", b"<x>", b"a?b", b"\xff", b"", b"a" * 256]
)
def test_what_is_no_host_is_not_taken_for_one(host: bytes) -> None:
    assert heard([(b"x-forwarded-host", host)], PROXY).host == b""


@pytest.mark.parametrize("host", [b"shop.example", b"shop.example:8443", b"[2001:db8::1]:80", b"xn--caf-dma.example"])
def test_a_host_is(host: bytes) -> None:
    assert heard([(b"x-forwarded-host", host)], PROXY).host == host


@pytest.mark.parametrize(
    "prefix",
    [
        *(b"//evil.example", b"evil", b"/a\x01b", b"/", b"/\\evil.example", b"/a//b", b"/a/../b", b"/.."),
        *(b"/a?b", b"/a#b", b"/<x>", b"/a b", b"/%2F%2Fevil.example", b"/caf\xe9"),
    ],
)
def test_a_prefix_that_would_leave_the_site_is_not_taken(prefix: bytes) -> None:
    assert heard([(b"x-forwarded-prefix", prefix)], PROXY).prefix == ""


@pytest.mark.parametrize("prefix", [b"/shop", b"/shop/v1.2/", b"/~ann/.well", b"/a/..."])
def test_any_other_prefix_is(prefix: bytes) -> None:
    assert heard([(b"x-forwarded-prefix", prefix)], PROXY).prefix == prefix.decode().rstrip("/")


@pytest.mark.parametrize("request_id", [b"", b"a b", b"x" * 129, b"a\xff", b"a;b", b"a\nb"])
def test_an_id_that_could_forge_a_log_line_is_not_taken(request_id: bytes) -> None:
    assert heard([(b"x-request-id", request_id)], PROXY).request_id == ""


def test_a_websocket_behind_https_is_wss_inside_and_https_in_the_field() -> None:
    made, *_ = admit(
        scope([(b"x-forwarded-proto", b"https")], client=("10.1.2.3", 5), type="websocket", scheme="ws"),
        "/a",
        b"/a",
        PROXY,
        AS_USUAL,
        "id1",
    )
    assert made["scheme"] == "wss"
    assert fields(made)[b"x-forwarded-proto"] == b"https"


def test_a_unix_socket_has_no_client() -> None:
    made, client, _ = admit(scope([], client=None), "/a", b"/a", PROXY, AS_USUAL, "id1")
    assert client == ""
    assert made["client"] is None


def test_trusted_addresses_are_networks_and_ipv4_may_come_mapped() -> None:
    assert "10.255.0.1" in PROXY
    assert "::ffff:10.0.0.1" in PROXY
    assert "11.0.0.1" not in PROXY
    assert "" not in PROXY
    assert "unix:" not in PROXY
    assert not NOBODY


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    trusted = TrustedProxies(["10.0.0.0/8"])
    for number in range(10_000):
        assert f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}" not in trusted
    assert len(trusted._known) <= 4096


def test_request_ids_do_not_repeat() -> None:
    ids = [RequestIds() for _ in range(3)]
    made = [source.next() for _ in range(1000) for source in ids]
    assert len(set(made)) == len(made)
    assert all(len(i) == 24 and i.isalnum() for i in made)
