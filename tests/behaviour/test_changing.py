"""Changing routes from the command line while the gateway runs: in one step, live at once, and undone as easily."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.config.loader import digest_of
from gateway.history.folder import state_folder
from tests.behaviour.probe import HEAD, get, replace
from tests.behaviour.probe import project as probe_project
from tests.behaviour.process import ROOT, GatewayProcess, environment, eventually
from tests.cli.project import Done

ROUTES = (
    HEAD
    + """\
  - path: /books # since May
    methods: [GET]
    to: legacy
  - path: /items
    to:
      legacy: 90 # the partners
      new: 10
    sticky: ip
"""
)


def project(folder: Path) -> Path:
    path = probe_project(folder)
    path.write_text(ROUTES)
    return path


def run(*arguments: str | Path) -> Done:
    """A command in this process; a new interpreter would take it half a second."""
    done = CliRunner().invoke(app, [str(each) for each in arguments], prog_name="gateway")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def undo(gateway: GatewayProcess) -> str:
    """What takes a change of its file back, as commands show it that were given the file."""
    return f"gateway rollback --routes {shlex.quote(str(gateway.routes))}"


def app_of(gateway: GatewayProcess, path: str = "/books") -> set[str]:
    """Who answers, on any of the workers."""
    return {get(gateway.url + path)["app"] for _ in range(12)}


def versions(gateway: GatewayProcess) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(run("history", "--routes", gateway.routes, "--json").out)["versions"]
    return listed


def in_step(gateway: GatewayProcess) -> bool:
    """Every worker serves what is in the file, and the history says so."""
    digest = digest_of(gateway.routes.read_bytes())
    ready = gateway.ask("/readyz").json()
    return (
        {worker["digest"] for worker in ready["workers"]} == {digest}
        and not ready["config"]["problems"]
        and versions(gateway)[0]["digest"] == digest
    )


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """A mount for a moment; the last of the arguments is where."""
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", arguments[-1]], check=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(project(tmp_path_factory.mktemp("changing")), workers=3) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared: GatewayProcess) -> Iterator[GatewayProcess]:
    """With three workers, on ROUTES, which is the newest version."""
    yield shared
    replace(shared.routes, ROUTES)
    eventually(lambda: in_step(shared))


def test_a_move_is_live_on_every_worker_when_the_command_ends(gateway: GatewayProcess) -> None:
    done = run("move", "GET /books", "new", "-m", "parity checked", "--routes", gateway.routes)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"GET /books: legacy → new\n"
        r"  everybody moves from legacy to new\n"
        r"live on 3 of 3 workers in \d+ ms, as version \d+\n"
        rf"to take it back: {re.escape(undo(gateway))}\n",
        done.out,
    )
    assert app_of(gateway) == {"new"}
    assert gateway.routes.read_text() == ROUTES.replace("    to: legacy\n", "    to: new\n")
    newest = versions(gateway)[0]
    assert (newest["origin"], newest["reason"], newest["changes"]) == (
        "command",
        "parity checked",
        "GET /books: legacy → new",
    )
    assert newest["user"]


def test_a_split_moves_the_users_that_the_plan_says(gateway: GatewayProcess) -> None:
    plan = json.loads(run("split", "/items", "new=62.5", "--dry-run", "--json", "--routes", gateway.routes).out)
    assert plan["routes"][0]["moves"] == [{"from": "legacy", "to": "new", "share": 52.5}]
    assert gateway.routes.read_text() == ROUTES
    done = run("split", "/items", "new=62.5", "--routes", gateway.routes)
    assert done.code == 0
    assert "52.5 % of the users move from legacy to new" in done.out
    assert gateway.routes.read_text() == ROUTES.replace("legacy: 90 #", "legacy: 37.5 #").replace(
        "new: 10", "new: 62.5"
    )


def test_what_is_so_already_is_well_done(gateway: GatewayProcess) -> None:
    done = run("move", "/books", "legacy", "--routes", gateway.routes)
    assert (done.code, done.out) == (0, "GET /books goes to legacy already; nothing changes\n")


def test_undo_again_and_again_goes_further_back(gateway: GatewayProcess) -> None:
    first = versions(gateway)[0]["version"]
    run("move", "/books", "new", "--routes", gateway.routes)
    replace(gateway.routes, gateway.routes.read_text().replace("# since May", "# edited by hand"))
    eventually(lambda: in_step(gateway))
    run("split", "/items", "new=20", "--routes", gateway.routes)
    texts = []
    for _ in range(3):
        done = run("rollback", "--routes", gateway.routes)
        assert done.code == 0, done.err
        texts.append(gateway.routes.read_text())
        assert in_step(gateway)
    moved = ROUTES.replace("    to: legacy\n", "    to: new\n")
    assert texts == [moved.replace("# since May", "# edited by hand"), moved, ROUTES]
    assert app_of(gateway) == {"legacy"}
    origins = [version["origin"] for version in versions(gateway)]
    assert origins[:6] == ["command"] * 4 + ["file", "command"]
    assert versions(gateway)[0]["undone_to"] == first


def test_a_version_comes_back_by_its_number(gateway: GatewayProcess) -> None:
    run("move", "/books", "new", "--routes", gateway.routes)
    moved = gateway.routes.read_text()
    run("rollback", "--routes", gateway.routes)
    done = run("rollback", "--to", str(versions(gateway)[1]["version"]), "--routes", gateway.routes)
    assert done.code == 0
    assert gateway.routes.read_text() == moved
    assert app_of(gateway) == {"new"}
    assert run("rollback", "--to", "99999", "--routes", gateway.routes).code == 2


def test_routes_go_back_to_the_default(gateway: GatewayProcess) -> None:
    run("move", "/books", "new", "--routes", gateway.routes)
    run("move", "/items", "new", "--routes", gateway.routes)
    assert run("rollback", "/books", "--routes", gateway.routes).code == 0
    assert (app_of(gateway), app_of(gateway, "/items")) == ({"legacy"}, {"new"})
    run("move", "/books", "new", "--routes", gateway.routes)
    assert run("rollback", "--all", "-m", "alarm", "--routes", gateway.routes).code == 0
    assert (app_of(gateway), app_of(gateway, "/items")) == ({"legacy"}, {"legacy"})
    assert "legacy: 100 # the partners" in gateway.routes.read_text()


@pytest.mark.parametrize("broken", ["default: lagacy\n", "", None])
def test_a_file_that_is_broken_or_gone_comes_back(gateway: GatewayProcess, broken: str | None) -> None:
    if broken is None:
        gateway.routes.unlink()
    else:
        replace(gateway.routes, broken)
    if broken:
        eventually(lambda: gateway.ask("/readyz").json()["config"]["state"] == "rejected")
    before = versions(gateway)[0]["version"]
    done = run("move", "/books", "new", "--routes", gateway.routes)
    assert done.code == 2
    assert done.err.endswith(f"`{undo(gateway)}` brings back the last version that was live\n")
    assert "gateway init" not in done.err
    done = run("rollback", "--routes", gateway.routes)
    assert done.code == 0, done.err
    assert gateway.routes.read_text() == ROUTES
    assert re.search(rf"live on 3 of 3 workers in \d+ ms, as version {before}\n$", done.out)
    eventually(lambda: gateway.ask("/readyz").json()["config"]["problems"] == [])
    if broken:
        kept = re.search("what was in the file is kept as (.+)", done.out)
        assert kept is not None
        assert Path(kept[1]).read_text() == broken


def test_what_the_gateway_refuses_is_told_with_its_line(gateway: GatewayProcess) -> None:
    """The file is good for the command, which imports nothing; the gateway finds that the app is not there."""
    text = ROUTES.replace("probe:new", "nowhere:new")
    replace(gateway.routes, text)
    eventually(lambda: gateway.ask("/readyz").json()["config"]["state"] == "rejected")
    replace(gateway.routes, text.replace("nowhere", "nowhere_else"))
    eventually(lambda: "nowhere_else" in str(gateway.ask("/readyz").json()["config"]["problems"]))
    done = run("move", "/books", "new", "--timeout", "0.5", "--routes", gateway.routes)
    assert done.code == 1
    assert re.search(r"not live after 0.5 s: worker 1 \(pid \d+\) serves version \d+; worker 2", done.err)
    assert "routes.yaml:4:14: no module named 'nowhere_else'" in done.err
    assert done.err.endswith(f"the file is written; `{undo(gateway)}` takes it back\n")
    assert run("rollback", "--routes", gateway.routes).code == 0
    assert gateway.routes.read_text() == ROUTES


def test_of_two_commands_at_once_one_wins_and_the_other_is_told(gateway: GatewayProcess) -> None:
    def start(share: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "split", "/items", f"new={share}", "--routes", str(gateway.routes)],
            env=environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # The plan of both is from the same text: they wait for the lock that this process holds meanwhile.
    lock = os.open(gateway.routes.parent, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    commands = [start("20"), start("30")]
    try:
        for command in commands:
            # What a command shows of its plan, it shows before it writes.
            assert command.stdout is not None
            assert command.stdout.readline().startswith("/items: ")
        os.close(lock)
        ends = [command.communicate(timeout=20) for command in commands]
    finally:
        for command in commands:
            command.kill()
            command.wait()
    assert Counter(command.returncode for command in commands) == Counter([0, 3])
    for command, (_, err) in zip(commands, ends, strict=True):
        if command.returncode == 3:
            assert err == (
                "routes.yaml has been changed by somebody else meanwhile; "
                "nothing was written: look at it, then try again\n"
            )


def test_through_the_admin_listener_it_is_the_same(gateway: GatewayProcess) -> None:
    """From a machine that has neither the file nor the state folder."""
    done = run("split", "/items", "new=20", "-m", "from afar", "--admin", gateway.admin)
    assert done.code == 0, done.err
    assert "10 % of the users move from legacy to new" in done.out
    assert re.search(rf"to take it back: gateway rollback --to \d+ --admin {gateway.admin}\n", done.out)
    assert re.search(r"live on 3 of 3 workers in \d+ ms, as version \d+\n", done.out)
    newest = versions(gateway)[0]
    assert (newest["origin"], newest["reason"]) == ("api", "from afar")
    listed = run("history", "--admin", gateway.admin, "-n", "1")
    assert "from afar" in listed.out
    assert "+      new: 20\n" in run("diff", "--admin", gateway.admin).out
    assert run("move", "/nope", "new", "--admin", gateway.admin).code == 2
    assert run("split", "/items", "new=20", "--admin", gateway.admin).code == 0
    assert run("rollback", "--dry-run", "--admin", gateway.admin).code == 0
    assert run("rollback", "--admin", gateway.admin).code == 0
    assert gateway.routes.read_text() == ROUTES
    listed = run("history", "--admin", gateway.admin, "-n", "1")
    assert f"back to {versions(gateway)[0]['undone_to']}: /items: " in listed.out
    assert run("rollback", "--admin", "http://127.0.0.1:1").code == 1


def test_a_difference_is_shown(gateway: GatewayProcess) -> None:
    run("move", "/books", "new", "--routes", gateway.routes)
    shown = run("diff", "--routes", gateway.routes).out
    assert shown.startswith("GET /books: legacy → new\n--- version ")
    assert "-    to: legacy\n+    to: new\n" in shown
    newest = str(versions(gateway)[0]["version"])
    assert run("diff", newest, "--routes", gateway.routes).out == "no difference\n"
    assert run("history", newest, "--routes", gateway.routes).out == gateway.routes.read_text()


@pytest.fixture
def stopped(gateway: GatewayProcess) -> Iterator[int]:
    """A worker that does nothing for as long as the test runs."""
    pid = gateway.worker_pids()[1]
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


def test_a_worker_that_does_not_follow_is_named(gateway: GatewayProcess, stopped: int) -> None:
    before = versions(gateway)[0]["version"]
    done = run("move", "/books", "new", "--timeout", "0.5", "--json", "--routes", gateway.routes)
    assert done.code == 1
    data = json.loads(done.out)
    assert (data["ok"], data["kind"], data["undo"]) == (False, "not-live", undo(gateway))
    assert data["message"] == (
        f"not live after 0.5 s: worker 2 (pid {stopped}) serves version {before}\n"
        f"the file is written; `{undo(gateway)}` takes it back"
    )


def test_who_does_not_want_to_wait_is_told_that_it_is_written(gateway: GatewayProcess, stopped: int) -> None:
    done = run("move", "/books", "new", "--no-wait", "--routes", gateway.routes)
    assert done.code == 0
    assert "written; the gateway reads it now\n" in done.out
    command = subprocess.Popen(
        [sys.executable, "-m", "gateway", "split", "/items", "new=20", "--routes", str(gateway.routes)],
        env=environment(),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    eventually(lambda: "new: 20" in gateway.routes.read_text(), timeout=20)
    time.sleep(0.2)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=20)
    assert (command.returncode, err) == (
        130,
        f"not waited for any longer; the file is written; `{undo(gateway)}` takes it back\n",
    )


def test_a_worker_that_starts_meanwhile_is_told_of(gateway: GatewayProcess) -> None:
    os.kill(gateway.worker_pids()[0], signal.SIGKILL)
    eventually(lambda: len(gateway.worker_pids()) == 2)
    done = run("move", "/books", "new", "--routes", gateway.routes)
    eventually(lambda: len(gateway.worker_pids()) == 3, timeout=15)
    assert done.code == 0
    assert re.search(
        r"live on [23] of 3 workers in \d+ ms, as version \d+(; worker 1 is \w+, and reads the file when it starts)?\n",
        done.out,
    )
    assert app_of(gateway) == {"new"}


def test_versions_go_on_over_a_restart_and_an_undo_reaches_behind_it(tmp_path: Path) -> None:
    routes = project(tmp_path)
    with GatewayProcess(routes) as gateway:
        run("move", "/books", "new", "--routes", routes)
        assert gateway.ask("/readyz").json()["config"]["version"] == 2
    run_file = state_folder(routes) / "run.json"
    assert not run_file.exists()
    with GatewayProcess(routes) as gateway:
        assert gateway.ready["version"] == 2, "the same text is the same version"
        assert "gateway_config_version 2.0" in gateway.ask("/metrics").text
    done = run("split", "/items", "new=50", "-m", "while it is down", "--routes", routes)
    assert done.code == 0
    assert "written; no gateway was found by its state folder" in done.out
    assert "it is live when one starts" in done.out
    with GatewayProcess(routes) as gateway:
        assert gateway.ready["version"] == 3
        # It is on disk a moment after it is live.
        eventually(lambda: versions(gateway)[0]["version"] == 3)
        newest = versions(gateway)[0]
        assert (newest["origin"], newest["reason"]) == ("command", "while it is down")
        assert newest["changes"] == "/items: legacy 90 %, new 10 % → legacy 50 %, new 50 %"
        assert run("rollback", "--routes", routes).code == 0
        assert run("rollback", "--routes", routes).code == 0
        assert routes.read_text() == ROUTES
        assert run("rollback", "--routes", routes).code == 2
        assert app_of(gateway) == {"legacy"}


def test_a_gateway_that_was_killed_misleads_nobody(tmp_path: Path) -> None:
    routes = project(tmp_path)
    with GatewayProcess(routes) as gateway:
        eventually(lambda: versions(gateway) != [])
        gateway.signal(signal.SIGKILL)
        gateway.wait()
        assert (state_folder(routes) / "run.json").exists()
        done = run("move", "/books", "new", "--routes", routes)
        assert done.code == 0
        assert "no gateway was found" in done.out
    with GatewayProcess(routes) as gateway:
        assert gateway.ready["version"] == 2
        assert app_of(gateway) == {"new"}


def test_without_an_admin_listener_the_history_tells(tmp_path: Path) -> None:
    routes = project(tmp_path)
    with GatewayProcess(routes, "--admin", "off") as gateway:
        done = run("move", "/books", "new", "--routes", routes)
        assert done.code == 0, done.err
        assert re.search(
            r"live in \d+ ms, as version 2; on how many workers is not known: the gateway has no admin listener\n",
            done.out,
        )
        assert app_of(gateway) == {"new"}
        replace(routes, "default: lagacy\n")
        assert run("rollback", "--routes", routes).code == 0


def test_a_gateway_that_wants_a_token_is_waited_for_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes, token = project(tmp_path), "change-0123456789abcdef"
    with GatewayProcess(routes, env={"GATEWAY_ADMIN_TOKEN": token}) as gateway:
        done = run("move", "/books", "new", "--routes", routes)
        assert done.code == 0, done.err
        assert f"; on how many workers is not known: {gateway.admin} wants GATEWAY_ADMIN_TOKEN for that\n" in done.out
        refused = run("rollback", "--admin", gateway.admin)
        assert (refused.code, refused.err) == (2, f"{gateway.admin} wants a token: set GATEWAY_ADMIN_TOKEN\n")
        monkeypatch.setenv("GATEWAY_ADMIN_TOKEN", token)
        assert run("rollback", "--admin", gateway.admin).code == 0
        assert "live on 1 of 1 worker in" in run("move", "/books", "new", "--routes", routes).out


def test_a_second_gateway_on_one_state_folder_keeps_out_of_it(tmp_path: Path) -> None:
    routes = project(tmp_path)
    with GatewayProcess(routes) as first, GatewayProcess(routes) as second:
        assert "another gateway has the state folder" in second.log()
        assert run("move", "/books", "new", "--routes", routes).code == 0
        eventually(lambda: app_of(second) == {"new"})
        assert [version["version"] for version in versions(first)] == [2, 1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_state_folder_on_a_full_disk_costs_the_history_alone(tmp_path: Path) -> None:
    routes, state = project(tmp_path), tmp_path / "state"
    state.mkdir()
    with (
        mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(state)),
        GatewayProcess(routes, "--state", str(state)) as gateway,
    ):
        eventually(lambda: (state / "journal").exists())
        filler = state / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(b"x" * 100_000)
        replace(routes, ROUTES.replace("    to: legacy\n", "    to: new\n"))
        eventually(lambda: app_of(gateway) == {"new"})
        eventually(lambda: "No space left on device; the history goes on in memory" in gateway.log())
        assert gateway.ask("/api/v1/history").json()["versions"][0]["version"] == 2
        replace(routes, ROUTES.replace("    to: legacy\n", "    to: {legacy: 0, new: 100}\n"))
        eventually(lambda: gateway.ask("/api/v1/history").json()["versions"][0]["version"] == 3)
        # By the disk this goes back to version 1.
        done = run("rollback", "--routes", routes, "--state", state)
        assert done.code == 0, done.err
        assert done.out.startswith("back to version 2: ")
        assert run("rollback", "--to", "3", "--routes", routes, "--state", state).code == 0
        filler.unlink()
        done = run("move", "/items", "new", "--routes", routes, "--state", state)
        assert done.code == 0, done.err
        listed = json.loads(run("history", "--state", state, "--json").out)["versions"]
        assert [version["version"] for version in listed] == [6, 5, 4, 3, 2, 1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_file_that_is_mounted_by_itself_is_changed_in_place(tmp_path: Path) -> None:
    """As with `docker run -v ./routes.yaml:/etc/gateway/routes.yaml`: it cannot be renamed over."""
    source = project(tmp_path)
    inside = tmp_path / "etc"
    inside.mkdir()
    (inside / "probe.py").write_text((tmp_path / "probe.py").read_text())
    routes = inside / "routes.yaml"
    routes.touch()
    with mounted("--bind", str(source), str(routes)), GatewayProcess(routes, cwd=inside) as gateway:
        done = run("move", "/books", "new", "--routes", routes)
        assert done.code == 0, done.err
        assert app_of(gateway) == {"new"}
        assert "    to: new\n" in source.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_folder_that_may_only_be_read_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    routes = project(folder)
    with mounted("--bind", str(folder), str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        done = run("move", "/books", "new", "--routes", routes)
        assert done.code == 1
        assert done.err.endswith(f"{routes} cannot be written: Read-only file system; nothing has changed\n")
        with GatewayProcess(routes) as gateway:
            assert "cannot be used (Read-only file system): the history is in memory only" in gateway.log()
            assert app_of(gateway) == {"legacy"}
            assert gateway.ask("/api/v1/history").json()["versions"][0]["version"] == 1
