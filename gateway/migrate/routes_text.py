"""Entries, and a whole first routes.yaml, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gateway.migrate.entry import Entry, Proposal, Section
from gateway.migrate.resource import resource_of

_WIDTH = 120
# What YAML reads as text, in a block and in braces alike. A colon or a brace needs more care: see scalar().
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_/.-]*")
_TEMPLATE = re.compile(r"/[A-Za-z0-9_/.{}:~-]*[A-Za-z0-9_/.}~-]|/")
_WORDS = frozenset(("true", "false", "null"))

_SECTIONS: Mapping[Section, str] = {
    "both": "In both apps: `gateway split ROUTE new=5` begins to move one, `gateway move ROUTE new` moves it whole",
    "pinned": "Pinned: only the legacy app has these, and a wider path above would take them along",
    "new": "Only in the new app: the legacy app answers 404 for these until they are moved",
}


@dataclass(frozen=True, slots=True)
class App:
    """One app as the file names it. ``address`` is an import string, or with ``remote`` a URL."""

    address: str
    remote: bool
    # Such as "Flask, 31 endpoints".
    about: str


def routes_text(legacy: App, new: App | None, proposal: Proposal) -> str:
    """A whole file, with comments."""
    lines = [
        "# Written by `gateway init`. Everything goes to the legacy app: behind the gateway, nothing has changed yet.",
        "# Save this file and the gateway applies it at once; a mistake changes nothing and is reported with its line.",
        "# `gateway check` reads it, `gateway explain GET /some/path` says where a request goes, and why.",
        "#",
        "# The order of the routes means nothing: the more specific path wins, then host, methods, headers and query.",
        "",
        "version: 1",
        "",
        "backends:",
        f"  legacy: {backend_value(legacy)} # {legacy.about}",
    ]
    if new is None:
        lines.append(
            "  # Once there is a new app, `gateway init --legacy ... --new module:app` adds it, and its routes."
        )
    else:
        lines.append(f"  new: {backend_value(new)} # {new.about}")
    lines += ["", "# What no route below names stays where it always was.", "default: legacy", ""]
    if not proposal.entries:
        return "\n".join([*lines, "routes: []", ""])
    if any("HEAD" in each.methods for each in proposal.of("both")):
        lines.append("# HEAD goes where GET goes. FastAPI answers it with 405 unless the app adds it.")
    return "\n".join([*lines, "routes:", *entry_lines(proposal.entries, "  ", "to: legacy"), ""])


def backend_value(app: App) -> str:
    """The mapping of a backend, in braces."""
    return f"{{{'url' if app.remote else 'app'}: {json.dumps(app.address)}}}"


def entry_lines(entries: Sequence[Entry], indent: str, to: str, offset: str = "  ") -> Iterator[str]:
    """Entries with their headings, as items of a list whose dashes are indented by ``indent``.

    The keys of an item are indented by ``offset`` against its dash. ``to`` is the line that says where they go.
    """
    first = True
    for section, of_section in groupby(entries, lambda each: each.section):
        if not first:
            yield ""
        first = False
        yield from _banner(_SECTIONS[section], indent)
        # Stable: within a resource they stay in the order of the app.
        by_resource = sorted(of_section, key=_heading)
        for heading, of_resource in groupby(by_resource, _heading):
            if section == "both":
                yield ""
                yield f"{indent}# {heading}"
            for entry in of_resource:
                yield ""
                yield from _item(entry, indent, to, offset)


def flow_item(entry: Entry, to: str) -> str:
    """An entry in braces, for lists that are written in brackets."""
    keys = [f"path: {json.dumps(entry.path, ensure_ascii=False)}"]
    if entry.methods:
        keys.append(f"methods: [{', '.join(entry.methods)}]")
    if entry.host is not None:
        keys.append(f"host: {json.dumps(entry.host)}")
    keys.append(to)
    if entry.group is not None:
        keys.append(f"group: {entry.group}")
    return f"{{{', '.join(keys)}}}"


def _heading(entry: Entry) -> str:
    return entry.group or resource_of(entry.path, entry.host)


def _banner(text: str, indent: str) -> Iterator[str]:
    yield f"{indent}# --- {text} ".ljust(_WIDTH, "-")


def _item(entry: Entry, indent: str, to: str, offset: str) -> Iterator[str]:
    inner = indent + offset
    for remark in entry.remarks:
        yield from _comment(remark, indent)
    names = ", ".join(dict.fromkeys(each.name or each.source for each in entry.endpoints))
    line = f"{indent}-{offset[1:]}path: {scalar(entry.path)}"
    yield f"{line} # {_one_line(names)}" if names and len(line) + len(names) < _WIDTH - 3 else line
    if entry.methods:
        yield f"{inner}methods: [{', '.join(entry.methods)}]"
    if entry.host is not None:
        yield f"{inner}host: {scalar(entry.host)}"
    yield inner + to
    if entry.group is not None:
        yield f"{inner}group: {scalar(entry.group)}"


def _comment(text: str, indent: str) -> Iterator[str]:
    words = _one_line(text).split()
    line = f"{indent}#"
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH and not line.endswith("#"):
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _one_line(text: str) -> str:
    """What an app has called something, fit for a comment."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def scalar(text: str) -> str:
    """``text`` as a value of a block mapping: plain where YAML reads it as it is, otherwise in quotes."""
    plain = _PLAIN.fullmatch(text) or _TEMPLATE.fullmatch(text)
    return text if plain and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def summary(entries: Iterable[Entry]) -> str:
    """``12 entries in 5 groups, 3 pinned, 6 only new``."""
    entries = list(entries)
    both = [each for each in entries if each.section == "both"]
    groups = len({each.group for each in both})
    parts = [f"{_count(len(both), 'entry', 'entries')} in {_count(groups, 'group', 'groups')}"]
    for section, word in (("pinned", "pinned"), ("new", "only in the new app")):
        if number := sum(each.section == section for each in entries):
            parts.append(f"{number} {word}")
    return ", ".join(parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
