from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import document
from gateway.config.document import MAX_DEPTH, MAX_VALUES, compose
from gateway.config.problem import MOST_PROBLEMS, ConfigError
from tests.config.said import BACKENDS


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        compose("f", text)
    return [str(problem) for problem in caught.value.problems]


def noted(text: str) -> list[str]:
    """Problems that did not prevent reading on."""
    return [str(problem) for problem in compose("f", text).problems]


def test_reads_what_the_design_shows() -> None:
    read = compose("f", BACKENDS + "routes:\n  - path: /books\n    methods: [GET]\n    to: {legacy: 90, new: 10.5}\n")
    assert read.data == {
        "version": 1,
        "backends": {"legacy": {"app": "legacy_flask:create_app()"}, "new": {"app": "new_fastapi:app"}},
        "default": "legacy",
        "routes": [{"path": "/books", "methods": ["GET"], "to": {"legacy": 90, "new": 10.5}}],
    }


def test_knows_where_every_key_and_value_is() -> None:
    positions = compose("f", "a: 1\nbb:\n  - c:   x\n    'd': {e: y}\n").positions
    assert str(positions.problem(("a",), "-")) == "f:1:4: -"
    assert str(positions.problem(("bb", 0, "c"), "-")) == "f:3:10: -"
    assert str(positions.problem(("bb", 0, "c"), "-", at_key=True)) == "f:3:5: -"
    assert str(positions.problem(("bb", 0, "d", "e"), "-")) == "f:4:14: -"
    assert str(positions.problem(("bb", 0, "d"), "-", at_key=True)) == "f:4:5: -"


def test_columns_count_characters_and_lines_count_as_in_editors() -> None:
    # libyaml counts U+2028 and U+0085 as ends of lines, which no editor shows so.
    text = "a: ['é\u2028𝄞', '\x85', x]\r\nb: 2\rc: 3\n"
    positions = compose("f", text).positions
    assert str(positions.problem(("a", 2), "-")) == "f:1:17: -"
    assert str(positions.problem(("b",), "-")) == "f:2:4: -"
    assert str(positions.problem(("c",), "-")) == "f:3:4: -"


@pytest.mark.parametrize("word", ["NO", "on", "012", "12:30", "2024-01-01"])
def test_words_that_yaml_1_1_changes_are_kept(word: str) -> None:
    assert compose("f", f"{word}: [{word}]").data == {word: [word]}


def test_quoted_and_tagged_text_stays_text() -> None:
    assert compose("f", "a: '1'\nb: \"true\"\nc: !!str 12\nd: |\n  5\ne: ! 7").data == {
        "a": "1",
        "b": "true",
        "c": "12",
        "d": "5\n",
        "e": "7",
    }


def test_keys_are_text_as_they_are_written() -> None:
    assert compose("f", "1: a\ntrue: b\n012: c\n~: d\n").data == {"1": "a", "true": "b", "012": "c", "~": "d"}


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("!!python/object/apply:os.system", "!!python/object/apply:os.system"),
        ("!!binary", "!!binary"),
        ("!!timestamp", "!!timestamp"),
        ("!!int", "!!int"),
        ("!mine", "!mine"),
        ("!<tag:yaml.org,2002:python/name:os.system>", "!!python/name:os.system"),
    ],
)
def test_other_tags_are_refused(tag: str, shown: str) -> None:
    [problem] = noted(f"a: {tag} 'x'")
    assert problem == f"f:1:4: the tag '{shown}' is not allowed; write plain text, a number, true or false"


def test_tags_of_mappings_lists_and_keys_are_refused_too() -> None:
    assert len(noted("a: !!omap {b: 1}\nc: !!set [d]\n!!python/none e: f\n")) == 3


def test_a_duplicate_key_names_both_lines() -> None:
    read = compose("f", "a: 1\nb: {c: 2,\n    c: 3}\na: [{x: 1, x: 2}]\n")
    assert list(map(str, read.problems)) == [
        "f:3:5: the key 'c' is given twice; the first is on line 2",
        "f:4:1: the key 'a' is given twice; the first is on line 1",
        "f:4:12: the key 'x' is given twice; the first is on line 4",
    ]
    assert read.data == {"a": 1, "b": {"c": 2}}


def test_keys_that_are_written_differently_but_are_the_same_are_duplicates() -> None:
    assert noted("a: 1\n'a': 2\n\"\\x61\": 3\n") == [
        "f:2:1: the key 'a' is given twice; the first is on line 1",
        "f:3:1: the key 'a' is given twice; the first is on line 1",
    ]


def test_merge_keys_are_refused() -> None:
    read = compose("f", "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n")
    assert list(map(str, read.problems)) == ["f:3:3: '<<' (merging mappings) is not supported; write the keys out"]
    assert read.data == {"a": {"b": 1}, "c": {"d": 2}}


def test_aliases_stand_for_their_values() -> None:
    read = compose("f", "a: &x [1, 2]\nb: &y text\nc: *x\nd: *y\n")
    assert read.data == {"a": [1, 2], "b": "text", "c": [1, 2], "d": "text"}
    assert str(read.positions.problem(("c",), "-")) == "f:3:4: -"
    assert str(read.positions.problem(("c", 1), "-")) == "f:1:11: -"


def test_an_alias_without_an_anchor_is_refused() -> None:
    assert refused("a: *x") == ["f:1:4: no '&x' stands before this; put text that begins with '*' in quotes"]


def test_an_alias_cannot_be_a_key() -> None:
    assert refused("a: &x b\n*x : c") == ["f:2:1: an alias cannot be a key; put text that begins with '*' in quotes"]


def test_a_value_cannot_contain_itself() -> None:
    assert refused("a: &x [*x]") == ["f:1:8: the alias '*x' is inside a value that has an anchor itself"]


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    begun = time.process_time()
    assert len(refused("\n".join(lines))) == 1
    assert time.process_time() - begun < 1


def test_aliases_count_as_what_they_stand_for() -> None:
    text = "a: &a [" + "x, " * 1000 + "]\nb: [" + "*a, " * (MAX_VALUES // 1000 + 1) + "]\n"
    assert f"more than {MAX_VALUES:,} values" in refused(text)[0]


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused_at_once(bracket: str) -> None:
    begun = time.process_time()
    assert len(refused(bracket * 200_000)) == 1
    assert time.process_time() - begun < 1


def test_nesting_by_indentation_is_refused() -> None:
    assert refused("\n".join(" " * n + f"k{n}:" for n in range(500))) == [
        f"f:{MAX_DEPTH + 1}:{MAX_DEPTH + 1}: values are nested more than {MAX_DEPTH} deep"
    ]


def test_too_many_values_are_refused() -> None:
    assert refused("a: [" + ",".join("1" * (MAX_VALUES + 1)) + "]")[0].endswith(
        f"the file holds more than {MAX_VALUES:,} values, aliases counted as what they stand for"
    )


def test_tag_directives_cannot_slow_the_parser_down() -> None:
    text = "".join(f"%TAG !{n}! tag:x{n},2000:\n" for n in range(50_000)) + "---\na: 1\n"
    begun = time.process_time()
    assert refused(text) == ["f:1:1: a line cannot begin with '%': YAML directives are not supported"]
    assert time.process_time() - begun < 1


def test_what_comes_after_many_problems_is_not_read() -> None:
    assert len(refused("a: 1\n" * 100_000)) == MOST_PROBLEMS + 1


def test_a_second_document_is_refused() -> None:
    assert refused("a: 1\n---\nb: 2\n") == ["f:2:1: a second document begins here; the file must hold only one"]


def test_the_marks_of_one_document_are_allowed() -> None:
    assert compose("f", "---\na: 1\n...\n").data == {"a": 1}


@pytest.mark.parametrize("text", ["# nothing yet\n", "---\n", " \n# a\n\n", "...\n"])
def test_a_file_without_a_value_is_refused(text: str) -> None:
    assert len(refused(text)) == 1


def test_an_empty_file_says_what_it_needs() -> None:
    assert refused("") == ["f:1:1: the file is empty; it needs at least 'version: 1', 'backends:' and 'default:'"]
    assert refused("# to do\n")[0].startswith("f:1:1: the file holds only comments; it needs")


@pytest.mark.parametrize(
    ("text", "found"), [("- path: /x\n", "a list"), ("just words\n", "a single value"), ("~\n", "a single value")]
)
def test_the_root_is_a_mapping(text: str, found: str) -> None:
    assert refused(text) == [f"f:1:1: expected keys such as 'version:' and 'routes:', found {found}"]


@pytest.mark.parametrize(
    ("character", "name"), [("\0", "0000"), ("\x1b", "001B"), ("\x7f", "007F"), ("\ufffe", "FFFE")]
)
def test_control_characters_are_refused(character: str, name: str) -> None:
    assert refused(f"a: 1\nb: {character}") == [f"f:2:4: the character U+{name} is not allowed in YAML"]


def test_a_mapping_cannot_be_a_key() -> None:
    message = "a key must be plain text; put text that begins with '{' or '[' in quotes"
    assert refused("a: {{b}: c}") == [f"f:1:5: {message}"]
    assert refused("? [a]\n: b") == [f"f:1:3: {message}"]


def test_reads_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    text = BACKENDS + "routes:\n  - &r {path: /a, to: new}\n  - *r\n"
    fast = compose("f", text)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    slow = compose("f", text)
    assert slow.data == fast.data
    assert slow.positions.problem(("routes", 1), "-") == fast.positions.problem(("routes", 1), "-")
    assert refused("a:\n\tb: 1") == ["f:2:1: a tab is used for indentation; YAML wants spaces"]


YAML_LIKE = st.lists(
    st.sampled_from(
        ["a", "b: ", "- ", "\n", "  ", "{", "}", "[", "]", ": ", ", ", "&x ", "*x", "'", '"', "#", "!", "|", "\t"]
    ),
    max_size=40,
).map("".join)


@given(st.text() | YAML_LIKE)
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        problems = compose("f", text).problems
    except ConfigError as error:
        problems = error.problems
        assert problems
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert "\n" not in problem.message


@given(YAML_LIKE)
def test_says_yes_only_to_what_yaml_says_yes_to(text: str) -> None:
    try:
        compose("f", text)
    except ConfigError:
        return
    yaml.compose(text, Loader=yaml.CSafeLoader)
