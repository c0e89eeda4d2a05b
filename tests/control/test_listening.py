from __future__ import annotations

import socket

import pytest

from gateway.control.listening import Address, ListenError, listen


@pytest.mark.parametrize(
    ("text", "address", "url"),
    [
        ("127.0.0.1:8001", Address("127.0.0.1", 8001), "http://127.0.0.1:8001"),
        ("localhost:0", Address("localhost", 0), "http://localhost:0"),
        ("[::1]:8001", Address("::1", 8001), "http://[::1]:8001"),
    ],
)
def test_an_address_is_host_and_port(text: str, address: Address, url: str) -> None:
    assert Address.parse(text) == address
    assert address.url == url


@pytest.mark.parametrize("text", ["", "8001", ":8001", "host:", "host:http", "host:65536", "host:-1", "::1:80", "h:８"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not HOST:PORT|a port is a number|in brackets"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_loopback_is_what_only_this_machine_can_reach(host: str, loopback: bool) -> None:
    assert Address(host, 80).loopback is loopback


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", pytest.param("::1", marks=needs_ipv6)])
def test_port_0_becomes_a_real_one_that_accepts_connections(host: str) -> None:
    listener, address = listen(Address(host, 0), "--host", "--port")
    with listener:
        assert address.port > 0
        assert address.host == host
        socket.create_connection((host, address.port), timeout=2).close()


@needs_ipv6
def test_the_unspecified_ipv6_address_takes_ipv4_connections_too() -> None:
    listener, address = listen(Address("::", 0), "--host", "--port")
    with listener:
        socket.create_connection(("127.0.0.1", address.port), timeout=2).close()
        socket.create_connection(("::1", address.port), timeout=2).close()


def test_a_port_in_use_is_told_with_the_option_that_changes_it() -> None:
    listener, address = listen(Address("127.0.0.1", 0), "--host", "--port")
    with listener, pytest.raises(ListenError) as refused:
        listen(address, "--host", "--port")
    assert str(refused.value) == f"port {address.port} on 127.0.0.1 is in use; choose another with --port"


def test_a_port_whose_last_connections_are_in_time_wait_can_be_had_again() -> None:
    listener, address = listen(Address("127.0.0.1", 0), "--host", "--port")
    with listener, socket.create_connection(("127.0.0.1", address.port), timeout=2) as client:
        listener.setblocking(True)
        listener.accept()[0].close()
        assert client.recv(1) == b""
    listen(address, "--host", "--port")[0].close()


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("192.0.2.1", "192.0.2.1 is not an address of this machine; see --host"),
        ("no such host", "host 'no such host' cannot be resolved"),
        ("a" * 64 + ".example", "cannot be resolved"),
    ],
)
def test_a_host_that_is_not_ours_is_told_in_one_line(host: str, message: str) -> None:
    with pytest.raises(ListenError) as refused:
        listen(Address(host, 0), "--host", "--port")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
