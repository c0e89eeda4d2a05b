"""What is fuzzed: each target takes any bytes, and raises only for a finding.

What a target promises to refuse, it refuses with its own exception; for what it accepts, that holds which is asserted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from gateway.config.editor import EditError, edit
from gateway.config.loader import Loaded, load_text
from gateway.config.nodes import parse as parse_text
from gateway.config.problem import MOST_PROBLEMS, ConfigError
from gateway.config.rule_of import rule_of
from gateway.control.admin.masking import masked
from gateway.http1.field_name import KINDS
from gateway.routing.path import PathError, canonical
from gateway.routing.readings import read_otherwise
from gateway.routing.table import Table
from gateway.routing.template import Kind, TemplateError
from gateway.routing.template import parse as parse_template
from gateway.server.head_reader import HeadReader
from gateway.server.limits import Limits
from gateway.server.refusal import Refusal
from gateway.server.request_body import ChunkedBody
from gateway.server.request_head import RequestHead
from gateway.server.response_head import DefaultFields, write_head
from gateway.upstream.failure import UpstreamError
from gateway.upstream.headers import HOP_BY_HOP, BadRequest, write_request
from gateway.upstream.response import ResponseReader
from tests.fuzz.front_door import connection

# Seconds for one input of a few kB, on a machine that does something else too.
_PATIENCE = 5.0
_LINE = re.compile(r"\r\n|\n|\r")


def loader(data: bytes) -> None:
    """Any file is a configuration, or a list of problems that stand where they say, soon."""
    begun = time.monotonic()
    loaded = _load(data)
    if loaded is not None:
        again = load_text(loaded.text.encode(), env={})
        assert (again.config, again.digest) == (loaded.config, loaded.digest)
        Table([(rule_of(route), index) for index, route in enumerate(loaded.config.routes)])
        shown = masked(loaded.text)
        override = loaded.config.override
        if override is not None and override.secret is not None and "\n" not in override.secret:
            assert override.secret not in shown
    assert time.monotonic() - begun < _PATIENCE


def _load(data: bytes) -> Loaded | None:
    try:
        return load_text(data, env={})
    except ConfigError as error:
        problems = error.problems
    assert 0 < len(problems) <= MOST_PROBLEMS + 1
    lines = len(_LINE.split(data.decode("utf-8", "replace"))) + 1
    for problem in problems:
        assert 0 <= problem.line <= lines, problem
        assert problem.message.isprintable(), problem
    return None


def editor(data: bytes) -> None:
    """A change of a route leaves every byte before its value, and behind the lines of its value."""
    loaded = _load(data)
    if loaded is None or not loaded.config.routes:
        return
    names = sorted(loaded.config.backends)
    index = len(data) % len(loaded.config.routes)
    share = len(data) * 7919 % 10_001
    shares = {names[0]: share, names[-1]: 10_000 - share} if len(names) > 1 else {names[0]: 10_000}
    wanted = tuple((name, weight) for name, weight in shares.items() if weight)
    try:
        after = edit(loaded, {index: wanted})
    except EditError:
        return
    assert {name: weight for name, weight in after.config.routes[index].weights if weight} == dict(wanted)
    before = loaded.text.removeprefix("\ufeff")
    routes = parse_text(before).get("routes")
    assert routes is not None
    pair = routes[1].children[index].get("to")
    assert pair is not None
    key, value = pair
    rest = _LINE.split(before[value.end :], maxsplit=1)
    assert after.text.removeprefix("\ufeff").startswith(before[: key.end])
    assert after.text.endswith(rest[1] if len(rest) > 1 else "")


def paths(data: bytes) -> None:
    """A path that is not refused is read the same way by all who read it; a template matches what it is."""
    try:
        path, forwarded = canonical(data)
    except PathError:
        pass
    else:
        assert canonical(forwarded) == (path, forwarded)
        assert re.fullmatch(rb"/[!-~]*", forwarded)
        for view in (path, unquote(forwarded.decode()), *read_otherwise(path, {"remote", "wsgi"})):
            assert not {".", ".."} & set(view.split("/"))
            assert not re.search(r"[\x00-\x1f\x7f\\]", view)
    try:
        template = parse_template(data.decode("utf-8", "surrogateescape"))
    except TemplateError:
        return
    if all(segment.kind is Kind.LITERAL for segment in template.segments):
        path = "/" + "/".join(segment.text for segment in template.segments)
        assert template.segments == parse_template(template.text).segments
        assert canonical(data)[0] == path


# One for all inputs, as for all connections: what one leaves behind must not change how the next is read.
_experienced = HeadReader(Limits())


def request_head(data: bytes) -> None:
    """A head that is let in is passed on as one head, with the same method, target, host and framing."""
    head = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    found = _read(HeadReader(Limits()), head)
    assert _outcome(found) == _outcome(_read(_experienced, head))
    if isinstance(found, Refusal) or found.path is None:
        return
    assert found.path[:1] == b"/"
    method, fields = found.method, found.fields
    try:
        _, target = canonical(found.path)
        target += b"?" + found.query if found.query else b""
        written = write_request(method, target, "1.0" if found.http_1_0 else "1.1", fields)
    except (PathError, BadRequest):
        return
    assert (written.length or 0, written.chunked) == (max(0, found.length), found.length < 0)
    framing = b"\r\nTransfer-Encoding: chunked" if written.chunked else b""
    if written.length is not None:
        framing = b"\r\nContent-Length: %d" % written.length
    host = b"" if any(name == b"host" for name, _ in fields) else b"\r\nHost: x"
    again = HeadReader(Limits(head=1 << 20, request_line=1 << 20, fields=1000)).read(
        written.text + framing + host + b"\r\n\r\n"
    )
    assert (again.method, again.path, again.length) == (method, target.partition(b"?")[0], found.length)
    hosts = [value for name, value in fields if name == b"host"]
    assert [value for name, value in again.fields if name == b"host"] == (hosts or [b"x"])
    kept = {name for name, _ in again.fields if KINDS.get(name, 0) in HOP_BY_HOP}
    assert kept <= {b"te", b"connection", b"transfer-encoding"}


def _read(reader: HeadReader, head: bytes) -> RequestHead | Refusal:
    try:
        return reader.read(head)
    except Refusal as refusal:
        return refusal


def _outcome(found: RequestHead | Refusal) -> Any:
    if isinstance(found, Refusal):
        return found.status, found.detail
    return (
        *(found.method, found.path, found.query, list(found.fields), found.length, found.keep_alive),
        *(found.http_1_0, found.expects_continue, found.websocket),
    )


def request_body(data: bytes) -> None:
    """A chunked body ends at the same byte however it arrives."""
    assert _body(data, len(data) + 1) == _body(data, 1) == _body(data, 3)


def _body(data: bytes, size: int) -> Any:
    body = ChunkedBody(Limits())
    content = b""
    try:
        for at in range(0, len(data), size):
            piece, rest = body.feed(data[at : at + size])
            content += piece
            if rest is not None:
                return content, at + min(size, len(data) - at) - len(rest)
    except Refusal as refusal:
        return refusal.status
    return content, None


def response(data: bytes) -> None:
    """An answer is the same however it arrives, and what is passed on of it is one answer."""
    for bodiless in (False, True):
        whole = _response(data, len(data) + 1, bodiless=bodiless)
        assert whole == _response(data, 1, bodiless=bodiless), bodiless
        if whole is None:
            continue
        status, fields, content, _ = whole
        parts, length, _ = write_head(status, fields, DefaultFields([]))
        head = b"".join(parts) + b"\r\n\r\n"
        assert head.count(b"\r\n\r\n") == 1
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", head)
        again = ResponseReader()
        again.begin(bodiless=True)
        again.feed(head)
        assert (again.status, again.complete) == (status, True)
        if length is not None and not bodiless and status != 304:
            assert len(content) <= length


def _response(data: bytes, size: int, *, bodiless: bool) -> Any:
    """None where it is no answer, or none yet. What comes behind its end is for the connection to see."""
    reader = ResponseReader()
    reader.begin(bodiless=bodiless)
    try:
        for at in range(0, len(data), size):
            if reader.complete:
                break
            reader.feed(data[at : at + size])
    except UpstreamError:
        return None
    if not reader.head_complete:
        return None
    fields = [(bytes(name), value) for name, value in reader.fields]
    return reader.status, fields, b"".join(reader.content), reader.complete


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (loader, editor, paths, request_head, request_body, response, connection)
}
