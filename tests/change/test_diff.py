from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.change.diff import unified

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "é\u2028x\n", "\n"]), max_size=30).map("".join)
texts = st.builds(lambda text, end: text + end, lines, st.sampled_from(["", "end"]))


def test_equal_texts_have_no_difference() -> None:
    assert unified("a\nb", "a\nb", "old", "new") == ""


def test_a_change_of_one_line() -> None:
    old = "".join(f"{number}\n" for number in range(1, 101))
    assert unified(old, old.replace("50\n", "fifty\n"), "version 1", "version 2") == (
        "--- version 1\n+++ version 2\n@@ -47,7 +47,7 @@\n 47\n 48\n 49\n-50\n+fifty\n 51\n 52\n 53\n"
    )


def test_a_last_line_without_its_end() -> None:
    assert unified("a\nb", "a\nb\n", "old", "new") == (
        "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    )


@given(texts, texts)
def test_applied_to_the_one_it_gives_the_other(old: str, new: str) -> None:
    assert _apply(old, unified(old, new, "old", "new")) == new


def test_patch_can_apply_it(tmp_path: Path) -> None:
    old = "".join(f"{number}\n" for number in range(100))
    new = old.replace("3\n", "three\n").replace("\n90\n", "\n").removesuffix("\n")
    (tmp_path / "file").write_text(old)
    diff = unified(old, new, "file", "file")
    try:
        subprocess.run(["patch", "-s", "file"], input=diff, text=True, cwd=tmp_path, check=True, timeout=10)
    except FileNotFoundError:
        assert _apply(old, diff) == new
    else:
        assert (tmp_path / "file").read_text() == new


def test_a_long_file_takes_no_time() -> None:
    old = "".join(f"  - {{path: /books/{number}, to: legacy}}\n" for number in range(50_000))
    new = old.replace("/books/25000, to: legacy", "/books/25000, to: new")
    assert unified(old, new, "old", "new").count("\n") == 11


def _apply(old: str, diff: str) -> str:
    """A patch program of twenty lines."""
    before = [line + "\n" for line in old.split("\n")]
    before[-1] = before[-1][:-1]
    if not before[-1]:
        before.pop()
    result: list[str] = []
    at = 0
    body = diff.split("\n")[2:-1]
    for index, line in enumerate(body):
        ended = "" if index + 1 < len(body) and body[index + 1].startswith("\\") else "\n"
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            upto = int(start) - (count != "0")
            result += before[at:upto]
            at = upto
        elif line[:1] in " -":
            assert before[at] == line[1:] + ended
            result += [before[at]] if line[0] == " " else []
            at += 1
        elif line[0] == "+":
            result.append(line[1:] + ended)
    return "".join(result + before[at:])
