from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.lived import MOVED, SPLIT, live
from tests.cli.project import ROUTES


def test_it_goes_further_back_each_time(folder: Path, invoke: Invoke) -> None:
    """Without a gateway that would record it, too."""
    live(folder, ROUTES, SPLIT, MOVED)
    for text in (SPLIT, ROUTES):
        done = invoke("rollback")
        assert done.code == 0, done.err
        assert (folder / "routes.yaml").read_text() == text
    done = invoke("rollback")
    assert done.code == 2
    assert done.err.startswith("version 1 is the oldest that is kept")


def test_what_will_be_is_said_with_the_way_back(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT)
    done = invoke("rollback")
    assert done.out.startswith(
        "back to version 1: GET /books: legacy 75 %, new 25 % → legacy 90 %, new 10 %\n"
        "  15 % of the users move from new to legacy\n"
        "written; no gateway was found"
    )
    assert done.out.endswith("to take it back: gateway rollback --to 2\n")
    assert invoke("rollback", "--to", "2").code == 0
    assert (folder / "routes.yaml").read_text() == SPLIT


def test_the_way_back_can_be_typed_as_it_is_shown(
    folder: Path, invoke: Invoke, tmp_path_factory: pytest.TempPathFactory
) -> None:
    live(folder, ROUTES, SPLIT)
    elsewhere = tmp_path_factory.mktemp("else where")
    path = (folder / "routes.yaml").rename(elsewhere / "routes.yaml")
    state = (folder / ".gateway" / "routes.yaml").rename(elsewhere / "state")
    done = invoke("move", "files", "new", "--routes", path, "--state", state)
    shown = done.out.partition("to take it back: gateway ")[2]
    assert shlex.split(shown) == ["rollback", "--routes", str(path), "--state", str(state)]
    assert invoke(*shlex.split(shown)).code == 0
    assert path.read_text() == SPLIT
    named = {"GATEWAY_ROUTES": str(path), "GATEWAY_STATE": str(state)}
    assert invoke("move", "files", "new", **named).out.endswith("to take it back: gateway rollback\n")


def test_a_route_goes_back_to_the_default(folder: Path, invoke: Invoke) -> None:
    assert invoke("rollback", "files").code == 0
    assert (folder / "routes.yaml").read_text() == ROUTES.replace("to: {legacy: 75, new: 25}", "to: legacy")


def test_every_route_goes_back_to_the_default(folder: Path, invoke: Invoke) -> None:
    done = invoke("rollback", "--all")
    assert done.code == 0
    assert "  files: 25 % of the users move from new to legacy\n" in done.out
    text = (folder / "routes.yaml").read_text()
    assert text.count("to: legacy") == 4
    assert invoke("rollback", "--all").out == "every route goes to legacy already; nothing changes\n"


@pytest.mark.parametrize("broken", [b"default: lagacy\n", b"\xff\xfe", b"", None])
def test_a_file_that_is_broken_or_gone_comes_back(folder: Path, invoke: Invoke, broken: bytes | None) -> None:
    live(folder, ROUTES, SPLIT)
    path = folder / "routes.yaml"
    path.unlink() if broken is None else path.write_bytes(broken)
    done = invoke("rollback", "--json")
    assert done.code == 0, done.out
    assert path.read_text() == SPLIT
    data = json.loads(done.out)
    assert data["notes"][0].startswith("routes.yaml is bad now: ")
    if broken:
        assert Path(data["kept"]).read_bytes() == broken
    else:
        assert data["kept"] is None


def test_a_good_edit_that_was_never_live_is_kept_aside(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES)
    (folder / "routes.yaml").write_text(ROUTES + "# half an hour of work\n")
    done = invoke("rollback")
    assert done.code == 0
    assert "note: routes.yaml as it is now was never live; it goes back to what is\n" in done.out
    kept = done.out.partition("what was in the file is kept as ")[2].splitlines()[0]
    assert Path(kept).read_text().endswith("# half an hour of work\n")


@pytest.mark.parametrize("arguments", [("files", "--all"), ("files", "--to", "1"), ("--all", "--to", "1")])
def test_one_way_back_at_a_time(folder: Path, invoke: Invoke, arguments: tuple[str, ...]) -> None:
    done = invoke("rollback", *arguments)
    assert done.code == 2
    assert "one of them" in done.err


def test_without_a_history_it_says_what_else_there_is(folder: Path, invoke: Invoke) -> None:
    done = invoke("rollback")
    assert done.code == 2
    assert done.err == (
        "no version was ever live here, so there is nothing to go back to; "
        "`gateway rollback ROUTE` or `--all` sends routes back to the default\n"
    )
    assert invoke("rollback", "--to", "3").err.startswith("there is no version 3; none was ever live here")


def test_the_history_may_be_elsewhere(folder: Path, invoke: Invoke, tmp_path: Path) -> None:
    live(folder, ROUTES, SPLIT)
    (folder / ".gateway" / "routes.yaml").rename(folder / "state")
    assert invoke("rollback").code == 2
    assert invoke("rollback", GATEWAY_STATE=str(folder / "state")).code == 0
    assert (folder / "routes.yaml").read_text() == ROUTES
