from __future__ import annotations

from pathlib import Path

import pytest

from gateway.backends.embedded import StartError
from gateway.backends.registry import Registry
from gateway.backends.remote import RemoteBackend
from gateway.config.backend import BackendConfig, Timeouts, Tls


def test_it_has_what_every_backend_has() -> None:
    config = BackendConfig(urls=("http://a:1", "unix:/run/b.sock"))
    backend = RemoteBackend("shop", config)
    assert (backend.name, backend.config, backend.interface) == ("shop", config, "remote")
    assert (backend.state, backend.in_flight) == ({}, 0)
    assert [origin.url for origin in backend.upstream.origins] == ["http://a:1", "unix:/run/b.sock"]
    assert repr(backend).startswith("<RemoteBackend shop <Upstream [<Origin http://a:1 ")


def test_its_settings_are_those_of_the_file() -> None:
    upstream = RemoteBackend(
        "shop",
        BackendConfig(
            url="http://a",
            connections=3,
            queue=4,
            keepalive=5,
            host="upstream",
            rewrite=False,
            underscores="keep",
            timeouts=Timeouts(connect=1, send=2, head=3, idle=4, total=5),
        ),
    ).upstream
    assert (upstream.limits.connections, upstream.limits.queue, upstream.limits.keepalive) == (3, 4, 5)
    assert (upstream.keep_host, upstream.rewrite, upstream.underscores) == (False, False, True)
    times = upstream.timeouts
    assert (times.connect, times.send, times.head, times.idle, times.total) == (1, 2, 3, 4, 5)


def test_certificates_that_cannot_be_read_are_told_at_the_start(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for ca in (str(tmp_path / "none.pem"), str(empty)):
        with pytest.raises(StartError, match=r"cannot read the certificates in '.*\.pem'"):
            RemoteBackend("shop", BackendConfig(url="https://a", tls=Tls(ca=ca)))
        # Nobody needs them for an address without TLS.
        RemoteBackend("shop", BackendConfig(url="http://a", tls=Tls(ca=ca)))


async def test_an_app_that_is_down_is_no_reason_to_refuse_a_configuration() -> None:
    registry = Registry()
    backends, problems = await registry.prepare({"shop": BackendConfig(url="http://127.0.0.1:9")})
    assert problems == []
    assert isinstance(backends["shop"], RemoteBackend)
    registry.adopt(backends)
    again, _ = await registry.prepare({"shop": BackendConfig(url="http://127.0.0.1:9")})
    assert again["shop"] is backends["shop"]
    other, _ = await registry.prepare({"shop": BackendConfig(url="http://127.0.0.1:10")})
    assert other["shop"] is not backends["shop"]
    await registry.discard(other)
    await registry.stop()


async def test_a_certificate_problem_names_its_backend(tmp_path: Path) -> None:
    config = BackendConfig(url="https://a", tls=Tls(ca=str(tmp_path / "none.pem")))
    _, [problem] = await Registry().prepare({"shop": config})
    assert problem.name == "shop"
    assert str(problem).startswith("backend 'shop' cannot read the certificates in ")
