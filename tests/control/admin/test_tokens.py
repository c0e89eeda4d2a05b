from __future__ import annotations

from pathlib import Path

import pytest

from gateway.control.admin.tokens import Right, TokenError, Tokens, take_tokens

CHANGE = "change-0123456789abcdef"
READ = "read-0123456789abcdef"


def test_each_token_gives_its_right_and_no_other_gives_any() -> None:
    tokens = Tokens([(Right.CHANGE, CHANGE), (Right.READ, READ)])
    assert [tokens.right(token) for token in (CHANGE, READ)] == [Right.CHANGE, Right.READ]
    for wrong in ("", CHANGE[:-1], CHANGE + "x", "\udcff", "é" * 20):
        assert tokens.right(wrong) is Right.NONE


def test_without_tokens_nothing_is_one() -> None:
    assert not Tokens()
    assert Tokens().right("") is Right.NONE


def test_no_token_is_ever_shown() -> None:
    assert CHANGE not in repr(Tokens([(Right.CHANGE, CHANGE)]))


def test_they_are_taken_out_of_the_environment() -> None:
    environment = {"GATEWAY_ADMIN_TOKEN": CHANGE, "GATEWAY_ADMIN_READ_TOKEN": READ, "HOME": "/"}
    tokens = take_tokens(environment, None)
    assert (tokens.right(CHANGE), tokens.right(READ)) == (Right.CHANGE, Right.READ)
    assert environment == {"HOME": "/"}


def test_an_empty_variable_is_no_token() -> None:
    assert not take_tokens({"GATEWAY_ADMIN_TOKEN": ""}, None)


def test_a_file_has_several(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# who deploys\nchange {CHANGE}\n\n  read   {READ}  \n")
    tokens = take_tokens({}, file)
    assert (tokens.right(CHANGE), tokens.right(READ), len(tokens)) == (Right.CHANGE, Right.READ, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{CHANGE}\n", ":1: not `change TOKEN` or `read TOKEN`"),
        (f"# tokens\nwrite {CHANGE}\n", ":2: not `change TOKEN` or `read TOKEN`"),
        ("change short\n", ":1: the token is too short; 16 characters at least"),
        (f"change {CHANGE}é\n", ":1: a token is of printable ASCII characters"),
        ("# none\n", " has no token; a line of it is"),
    ],
)
def test_a_bad_file_is_refused_without_repeating_it(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(content)
    with pytest.raises(TokenError) as caught:
        take_tokens({}, file)
    assert f"{file}{message}" in str(caught.value)
    assert CHANGE not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="cannot be read: No such file or directory"):
        take_tokens({}, tmp_path / "tokens")


def test_a_short_token_in_the_environment_is_refused() -> None:
    with pytest.raises(TokenError, match="GATEWAY_ADMIN_TOKEN: the token is too short"):
        take_tokens({"GATEWAY_ADMIN_TOKEN": "secret"}, None)
