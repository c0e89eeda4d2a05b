"""Routes files as people write them, in every style, with a mark of where each route's ``to`` stands."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

BACKENDS = ("legacy", "new", "third", "null")
HEAD = """\
version: 1
backends: {legacy: {app: "l:app"}, new: {app: "n:app"}, third: {app: "t:app"}, "null": {app: "u:app"}}
default: legacy # everything else
routes:
"""

Weights = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Written:
    """A file, and for each route where its value may change: from behind the colon of ``to`` to the value's end."""

    text: str
    spans: tuple[tuple[int, int], ...]


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    """Who gets something; in hundredths of a percent."""
    names = draw(st.permutations(BACKENDS))[: draw(st.integers(1, 3))]
    cuts = sorted(draw(st.sets(st.integers(1, 9999), min_size=len(names) - 1, max_size=len(names) - 1)))
    return tuple(zip(names, (end - start for start, end in zip([0, *cuts], [*cuts, 10_000], strict=True)), strict=True))


@st.composite
def files(draw: st.DrawFn) -> Written:
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    parts = [draw(st.sampled_from(["", "\ufeff"])), HEAD.replace("\n", newline)]
    spans = []
    for index in range(draw(st.integers(1, 4))):
        before, value, after = draw(_route(index, newline))
        start = sum(map(len, parts)) + len(before)
        spans.append((start, start + len(value)))
        parts += [
            before,
            value,
            after,
            draw(st.sampled_from(["", newline, f"# — é{newline}", f"  # to: new{newline}"])),
        ]
    text = "".join(parts)
    # A block scalar's end is its line's end: without it, there is another value.
    if draw(st.booleans()):
        text = text.removesuffix(newline)
    return Written(text, tuple(spans))


@st.composite
def _route(draw: st.DrawFn, index: int, newline: str) -> tuple[str, str, str]:
    path = f"/é/{index}"
    trail = draw(st.sampled_from(["", " ", "  # why: {legacy: 90}", "\t# \U0001f600"]))
    match draw(st.sampled_from(["block", "to first", "explicit", "flow", "json", "compact json"])):
        case "flow":
            return f'  - {{path: "{path}", to:', " " + draw(_flow_value(newline)), f", methods: [GET]}}{trail}{newline}"
        case "json":
            return f'  - {{"path": "{path}", "to":', " " + draw(_json_value(" ")), f"}}{trail}{newline}"
        case "compact json":
            return '  - {"to":', draw(_json_value("")), f',"path":"{path}"}}{trail}{newline}'
        case "to first":
            value = draw(_block_value(newline))
            return "  - to:", value, f"{_fitting(trail, value)}{newline}    path: {path}{newline}"
        case "explicit":
            return f"  - path: {path}{newline}    ? to{newline}    :", " " + draw(_plain()), trail + newline
        case _:
            quote = draw(st.sampled_from(["", '"', "'"]))
            value = draw(_block_value(newline))
            return f"  - path: {path}{newline}    {quote}to{quote}:", value, _fitting(trail, value) + newline


@st.composite
def _plain(draw: st.DrawFn) -> str:
    quote = draw(st.sampled_from(["", "", "'", '"']))
    name = draw(st.sampled_from(BACKENDS))
    quote = quote or ("'" if name == "null" else "")
    properties = draw(st.sampled_from(["", "", "&here ", "!!str ", "! &here "]))
    return f"{properties}{quote}{name}{quote}"


@st.composite
def _flow_value(draw: st.DrawFn, newline: str) -> str:
    if draw(st.booleans()):
        return draw(_plain())
    separator = draw(st.sampled_from([", ", ",", " ,  ", f",{newline}      ", f", # half{newline}      "]))
    colon = draw(st.sampled_from([": ", ":  ", " : "]))
    opened = draw(st.sampled_from(["{", "{ ", f"{{{newline}      "]))
    closed = draw(st.sampled_from(["}", " }", ",}", f",{newline}    }}"]))
    pairs = separator.join(f"{_key(name)}{colon}{number}" for name, number in _numbers(draw(weights())))
    return draw(st.sampled_from(["", "", "&here ", "!!map "])) + opened + pairs + closed


@st.composite
def _json_value(draw: st.DrawFn, space: str) -> str:
    if draw(st.booleans()):
        return f'"{draw(st.sampled_from(BACKENDS))}"'
    return "{" + f",{space}".join(f'"{name}":{space}{number}' for name, number in _numbers(draw(weights()))) + "}"


@st.composite
def _block_value(draw: st.DrawFn, newline: str) -> str:
    match draw(st.sampled_from(["plain", "flow", "mapping", "folded"])):
        case "plain":
            return draw(st.sampled_from([" ", "\t", "   "])) + draw(_plain())
        case "flow":
            return " " + draw(_flow_value(newline))
        case "folded":
            return f" >-{newline}      {draw(st.sampled_from(BACKENDS))}"
        case _:
            head = draw(st.sampled_from(["", "  ", " # canary", " &here", " &here # canary"]))
            tail = draw(st.sampled_from(["", " ", " # half", f"{newline}      # next"]))
            indent = draw(st.sampled_from(["      ", "            "]))
            lines = [f"{newline}{indent}{_key(name)}: {number}" for name, number in _numbers(draw(weights()))]
            return head + tail.join(lines)


def _fitting(trail: str, value: str) -> str:
    """Behind a folded text there is no comment: it would be more of the text."""
    return "" if ">-" in value else trail


def _key(name: str) -> str:
    return f"'{name}'" if name == "null" else name


def _numbers(shares: Weights) -> list[tuple[str, str]]:
    return [(name, f"{weight / 100:.2f}".rstrip("0").rstrip(".")) for name, weight in shares]
