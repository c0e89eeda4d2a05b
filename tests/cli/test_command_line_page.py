"""docs/command-line.md says of every command what its --help says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli.main import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"
# Described once, at the head of the page.
COMMON = {"--routes", "--state", "--json", "--help"}

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def sections() -> dict[str, str]:
    """What the page says of each command, by its name."""
    parts = re.split(r"^### gateway (\w+)\n", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.partition("\n## ")[0] for part in parts[2::2]), strict=True))


def rows(table: str) -> dict[str, tuple[set[str], str]]:
    """The rows of a table: by the longest name, all names and the meaning."""
    found = {}
    for line in table.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        names = set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", cells[0])) if len(cells) == 2 else set()
        if names:
            found[max(names, key=len)] = (names, cells[1])
    return found


def arguments(command: Any) -> str:
    """As in a usage line: what may be left out stands in brackets."""
    words = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            word = parameter.metavar + ("…" if parameter.nargs == -1 else "")
            words.append(word if parameter.required else f"[{word}]")
    return " ".join(words)


def meaning(option: Any) -> str:
    """The help, with the default that --help shows."""
    shown = option.default not in (None, False, "") and option.show_default is not False
    text: str = option.help.rstrip(".")
    return (
        f"{text} ({option.default:g})"
        if isinstance(option.default, float) and shown
        else (f"{text} ({option.default})" if shown else text)
    )


def test_the_page_has_every_command_in_the_order_of_the_help() -> None:
    assert list(sections()) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_and_the_help_agree(name: str) -> None:
    command, section = COMMANDS[name], sections().get(name, "")
    usage = f"gateway {name} {arguments(command)}".strip()
    assert f"\n`{usage}`" in section
    told = rows(section)
    own = [
        option
        for option in command.params
        if option.param_type_name == "option" and not (option.hidden or COMMON & set(option.opts))
    ]
    assert {max(option.opts, key=len) for option in own} == set(told)
    for option in own:
        assert told[max(option.opts, key=len)] == (set(option.opts), meaning(option))


def test_common_options_mean_the_same_everywhere() -> None:
    text = PAGE.read_text()
    meanings = {
        (name, option.help.replace(" to write", ""))
        for command in COMMANDS.values()
        for option in command.params
        if option.param_type_name == "option"
        for name in COMMON & set(option.opts)
        if (name, command.name) != ("--json", "schema")
    }
    assert len(meanings) == 3, meanings
    for name, told in meanings:
        assert name in text
        assert told.rstrip(".") in text


def test_every_variable_of_the_environment_is_named() -> None:
    variables = {
        option.envvar
        for command in COMMANDS.values()
        for option in command.params
        if option.param_type_name == "option" and option.envvar
    }
    assert variables
    for variable in variables:
        assert f"`{variable}`" in PAGE.read_text()
