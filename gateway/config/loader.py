"""From routes.yaml, or a dict, to a configuration that holds, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from pydantic import ValidationError

from gateway.config import messages
from gateway.config.document import Document, compose
from gateway.config.draft import draft_of, salvage
from gateway.config.finding import Finding
from gateway.config.interpolate import interpolate
from gateway.config.model import Config
from gateway.config.position import Path, PathPositions, Positions
from gateway.config.problem import MOST_PROBLEMS, ConfigError, Problem
from gateway.config.rules import check
from gateway.config.source import decode, read

_FROM_DICT: Final = "config"
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration, and what it was read from.

    ``text`` is the exact text, "" for a dict. ``source`` is what messages call it: the file's base name, or
    ``config``. ``digest`` is 12 hexadecimal digits that change with every change of the text.
    """

    config: Config
    text: str
    source: str
    digest: str

    def positions(self) -> Positions:
        """Where things are in the text. It is read again for that: what serves keeps no positions in memory."""
        if not self.text:
            return PathPositions(self.source)
        return compose(self.source, self.text.removeprefix(_BOM)).positions

    def problem(self, path: Path, message: str) -> Problem:
        """A problem with the value at ``path``, such as ``("backends", "new", "app")`` or ``("routes", 2, "to")``."""
        return self.positions().problem(path, message)


def load_file(
    path: str | os.PathLike[str],
    env: Mapping[str, str] | None = None,
    *,
    provided: Collection[str] = (),
    keep_unset: bool = False,
) -> Loaded:
    """Read and check the file at ``path``. See load_text."""
    source = os.path.basename(os.fspath(path)) or os.fspath(path)
    return load_text(read(path, source), source, env, provided=provided, keep_unset=keep_unset)


def load_text(
    text: str | bytes,
    source: str = "routes.yaml",
    env: Mapping[str, str] | None = None,
    *,
    provided: Collection[str] = (),
    keep_unset: bool = False,
) -> Loaded:
    """Read and check a whole file. The apps it names are not imported.

    ``env`` is the environment that ``${VAR}`` is replaced from, by default the one of this process. ``provided`` are
    the backends whose app the caller has as an object: they need no address. ``keep_unset`` lets variables be unset,
    and checks nothing of what they stand for: whoever changes a route may do that from another environment than that
    of the gateway. Raises ConfigError with all problems.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    text = decode(raw, source)
    document = compose(source, text.removeprefix(_BOM))
    config = _check(document, env, frozenset(provided), keep_unset=keep_unset)
    return Loaded(config, text, source, digest_of(raw))


def digest_of(content: bytes) -> str:
    """What the text with these bytes is known by."""
    return hashlib.sha256(content).hexdigest()[:12]


def load_dict(
    data: Mapping[str, object], env: Mapping[str, str] | None = None, *, provided: Collection[str] = ()
) -> Loaded:
    """Check what a file with this content would say; lists may be tuples. See load_text."""
    config = _check(Document(data, PathPositions(_FROM_DICT), (), references=True), env, frozenset(provided))
    # Of the data and not of the config: the digest is shown, and is not to depend on a secret of the environment.
    canonical = json.dumps(data, sort_keys=True, default=_plain).encode()
    return Loaded(config, "", _FROM_DICT, hashlib.sha256(canonical).hexdigest()[:12])


def _check(
    document: Document, env: Mapping[str, str] | None, provided: frozenset[str], *, keep_unset: bool = False
) -> Config:
    written, positions = document.data, document.positions
    data: object = written
    unreplaced: list[Finding] = []
    # One mistake, one message: of a reference that could not be replaced, nothing else is worth saying.
    settled: set[Path] = set()
    if document.references:
        kept = settled if keep_unset else None
        data, unreplaced = interpolate(written, os.environ if env is None else env, kept=kept)
        settled |= {finding.path for finding in unreplaced}
    config: Config | None = None
    shape: list[Finding] = []
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        shape = list(messages.findings(errors[:MOST_PROBLEMS], written))
        draft = salvage(data, errors, written, positions, provided)
    else:
        draft = draft_of(config, written, positions, provided)
    found = [*unreplaced, *(finding for finding in chain(shape, check(draft)) if finding.path not in settled)]
    problems = [positions.problem(f.path, f.message, at_key=f.at_key, after=f.after) for f in found]
    if config is None or problems or document.problems:
        raise ConfigError([*document.problems, *problems])
    return config


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
