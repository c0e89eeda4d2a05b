"""The two samples of routes.yaml describe one migration."""

from __future__ import annotations

from pathlib import Path

from gateway.config.loader import load_file

ROOT = Path(__file__).parent.parent


def test_both_samples_send_the_same_requests_to_the_same_backends() -> None:
    embedded = load_file(ROOT / "routes.yaml", env={}).config
    remote = load_file(ROOT / "routes.remote.yaml", env={}).config
    assert remote.model_copy(update={"backends": embedded.backends}) == embedded
    assert remote.backends.keys() == embedded.backends.keys()
    assert all(backend.url for backend in remote.backends.values())
