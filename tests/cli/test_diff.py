from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Invoke
from tests.cli.lived import MOVED, SPLIT, live
from tests.cli.project import ROUTES


def test_the_last_two_versions(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT, MOVED)
    done = invoke("diff")
    assert done.out.startswith(
        "GET /books: legacy 75 %, new 25 % → new\n--- version 2\n+++ version 3\n@@ -12,7 +12,7 @@\n"
    )
    assert "-    to: {legacy: 75, new: 25}\n+    to: new\n" in done.out


def test_any_two_versions(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES, SPLIT, MOVED)
    data = json.loads(invoke("diff", "3", "1", "--json").out)
    assert data["changes"] == "GET /books: new → legacy 90 %, new 10 %"
    assert data["diff"].startswith("--- version 3\n+++ version 1\n")


def test_a_version_and_the_file(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES)
    assert invoke("diff", "1").out == "no difference\n"
    (folder / "routes.yaml").write_text(ROUTES + "# more\n")
    assert invoke("diff", "1", "file").out.endswith("+# more\n")
    assert invoke("diff", "file", "1").out.endswith("-# more\n")


def test_a_bad_file_is_compared_all_the_same(folder: Path, invoke: Invoke) -> None:
    live(folder, ROUTES)
    (folder / "routes.yaml").write_text(ROUTES.replace("default: legacy", "default: lagacy"))
    done = invoke("diff", "1")
    assert done.code == 0
    assert done.out.startswith("one of them is bad: routes.yaml:5:10: unknown backend 'lagacy'")
    assert "-default: legacy\n+default: lagacy\n" in done.out


def test_what_is_not_there_is_exit_code_2(folder: Path, invoke: Invoke) -> None:
    assert invoke("diff").code == 2
    live(folder, ROUTES)
    assert invoke("diff").code == 2
    assert invoke("diff", "1", "7").err == "no text is kept of version 7; see `gateway history`\n"
    assert invoke("diff", "yesterday").code == 2


def test_a_secret_stays_one(folder: Path, invoke: Invoke) -> None:
    """In a difference, which ends up in logs and chats; the text of a version is as it was."""
    with_secret = ROUTES.replace("default: legacy", "default: legacy\noverride: {secret: hunter2-hunter2}")
    live(folder, ROUTES, with_secret)
    assert "hunter2" not in invoke("diff").out
    assert "hunter2" not in invoke("rollback", "--dry-run").out
    assert "hunter2" in invoke("history", "2").out
