"""A browser, its windows, and the gateway that most tests look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.behaviour.dashboard.browser import WIDE, Window, launched
from tests.behaviour.probe import project, replace, settled_on, text
from tests.behaviour.process import GatewayProcess, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SPLIT = "{legacy: 90, new: 10}"

Open = Callable[..., Window]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@pytest.fixture
def open_window(browser: Browser) -> Iterator[Open]:
    """Opens windows, and looks afterwards whether any of them asked somebody else or complained."""
    windows: list[Window] = []

    def opened(gateway: GatewayProcess, **context: Any) -> Window:
        windows.append(Window(browser, gateway.admin, **WIDE | context))
        return windows[-1]

    yield opened
    for window in windows:
        window.close()
    assert [window.foreign for window in windows] == [[] for _ in windows]
    assert [window.complaints for window in windows] == [[] for _ in windows]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[GatewayProcess]:
    """Two workers, /books split. ``browser`` is asked for so that nothing starts where there is none."""
    assert browser.is_connected()
    with GatewayProcess(project(tmp_path_factory.mktemp("dashboard"), SPLIT), workers=2) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: GatewayProcess) -> Iterator[GatewayProcess]:
    yield shared
    replace(shared.routes, text(SPLIT))
    eventually(lambda: settled_on(shared, text(SPLIT)))
