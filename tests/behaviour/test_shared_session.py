"""One login for both apps: a real client whose requests go to either side in turn, half and half."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import GatewayProcess, eventually

ROUTES = """
version: 1
backends:
  legacy: {app: "tests.behaviour.session_apps:legacy()"}
  new: {app: "tests.behaviour.session_apps:new()"}
default: legacy
routes:
  - path: /{rest:path}
    to: {legacy: 50, new: 50}
    sticky: none
"""


@pytest.fixture(scope="module", params=["cookie", "cachelib", "redis"])
def sessions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the sessions are kept, as session_apps reads it."""
    folder = tmp_path_factory.mktemp("sessions")
    if request.param == "cookie":
        yield "cookie"
    elif request.param == "cachelib":
        yield f"cachelib={folder}"
    else:
        server = shutil.which("redis-server")
        if server is None:
            pytest.skip("redis-server is not installed")
        socket = folder / "redis.sock"
        settings = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
        process = subprocess.Popen([server, *settings], stdout=subprocess.DEVNULL)
        try:
            eventually(socket.exists)
            yield f"redis={socket}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def gateway(sessions: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    routes = tmp_path_factory.mktemp("routes") / "routes.yaml"
    routes.write_text(ROUTES)
    with GatewayProcess(routes, env={"SHOP_SESSIONS": sessions}) as running:
        yield running


@pytest.fixture
def browser(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, verify=False) as client:
        yield client


def post(browser: httpx.Client, path: str, **fields: str) -> dict[str, object]:
    """As a form does it: with a token from either app."""
    token = browser.get("/token").json()["token"]
    answer = browser.post(path, data={"csrf_token": token, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def sides(browser: httpx.Client, path: str = "/me", times: int = 6) -> set[tuple[int, str]]:
    """The answers to the same request: status, and who has given it where that is told."""
    answers = [browser.get(path) for _ in range(times)]
    return {(answer.status_code, answer.json()["by"] if answer.is_success else "") for answer in answers}


BOTH = {(200, "legacy"), (200, "new")}


def test_a_login_is_no_loop(browser: httpx.Client) -> None:
    """Neither side sends a user back to the login page whom the other has let in."""
    for _ in range(4):  # the login itself goes to either side
        post(browser, "/login", name="ann")
        assert sides(browser) == BOTH
        assert sides(browser, "/password") == BOTH
        post(browser, "/logout")
        assert {status for status, _ in sides(browser)} == {401}


def test_nothing_in_a_session_is_lost(browser: httpx.Client) -> None:
    """Each side goes on with what the other has written, in turn."""
    token = browser.get("/token").json()["token"]
    answers = [browser.post(f"/cart/{n}", headers={"X-CSRFToken": token}).json() for n in range(8)]
    assert {answer["by"] for answer in answers} == {"legacy", "new"}
    assert answers[-1]["cart"] == [str(n) for n in range(8)]


def test_a_stale_cookie_is_a_visitor_and_not_an_error(browser: httpx.Client) -> None:
    """Of an older key, of another format, of a session that has been deleted: both sides begin anew."""
    for stale in ("", "x", "eyJ1Ijoi.Z.k", "a" * 43, ".eJw.x.y"):
        browser.cookies.clear()
        browser.cookies.set("shop", stale)
        assert {status for status, _ in sides(browser, times=4)} == {401}
        browser.cookies.clear()
        browser.cookies.set("shop", stale, domain="127.0.0.1", path="/")
        post(browser, "/login", name="ann")
        assert sides(browser) == BOTH


def test_a_remembered_user_comes_back_to_both(browser: httpx.Client) -> None:
    """With a new session and without freshness, as Flask-Login has it."""
    for name in ("ann", "bob é"):
        browser.cookies.clear()
        post(browser, "/login", name=name, remember="yes")
        remembered = browser.cookies["remember_token"]
        for _ in range(2):
            browser.cookies.clear()
            browser.cookies.set("remember_token", remembered)
            assert browser.get("/me").json()["name"] == name
            assert {status for status, _ in sides(browser, "/password")} == {401}
    browser.cookies.set("remember_token", remembered.replace("bob", "ann"))
    browser.cookies.delete("shop")
    assert {status for status, _ in sides(browser)} == {401}


def test_logging_out_forgets_the_remembered_user(browser: httpx.Client) -> None:
    for _ in range(4):
        post(browser, "/login", name="ann", remember="yes")
        assert "remember_token" in browser.cookies
        post(browser, "/logout")
        assert "remember_token" not in browser.cookies
        assert {status for status, _ in sides(browser)} == {401}


def test_a_post_without_a_token_of_this_user_is_refused_by_both(browser: httpx.Client) -> None:
    with httpx.Client(base_url=browser.base_url) as other:
        foreign = other.get("/token").json()["token"]
    browser.get("/token")
    for token, reason in ((foreign, "do not match"), ("rubbish", "is invalid"), ("", "is missing")):
        answers = [browser.post("/cart/1", data={"csrf_token": token}) for _ in range(4)]
        assert {answer.status_code for answer in answers} == {400}
        assert all(reason in answer.text for answer in answers)
        assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {
            "text/html",
            "application/json",
        }


def test_after_a_change_of_key_old_sessions_live_on(tmp_path: Path) -> None:
    routes = tmp_path / "routes.yaml"
    routes.write_text(ROUTES)
    with GatewayProcess(routes) as before, httpx.Client(base_url=before.url) as browser:
        post(browser, "/login", name="ann")
        cookie = browser.cookies["shop"]
    keys = {"SHOP_KEY": "another-key", "SHOP_OLD_KEY": "shop-key"}
    with GatewayProcess(routes, env=keys) as after, httpx.Client(base_url=after.url) as browser:
        browser.cookies.set("shop", cookie, domain="127.0.0.1", path="/")
        assert sides(browser) == BOTH
        post(browser, "/cart/1")
        assert browser.cookies["shop"] != cookie
        assert sides(browser) == BOTH
