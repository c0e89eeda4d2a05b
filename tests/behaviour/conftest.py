from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.behaviour.probe import project, replace, settled_on, text
from tests.behaviour.process import GatewayProcess, eventually


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One gateway with two workers, for the tests that leave it as it was: serving, and /books on legacy."""
    with GatewayProcess(project(tmp_path_factory.mktemp("shared")), workers=2) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: GatewayProcess) -> Iterator[GatewayProcess]:
    yield shared
    replace(shared.routes, text("legacy"))
    eventually(lambda: settled_on(shared, text("legacy")))
