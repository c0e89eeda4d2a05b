"""What queries speak of, read without a parser: enough for the queries in deploy/."""

from __future__ import annotations

import re

_STRINGS = re.compile(r"\"[^\"]*\"")
_METRIC = re.compile(r"(?<![\w:$])((?:job_route(?:_backend)?:)?gateway_[\w:]+|up)\b")
_MATCHERS = re.compile(r"gateway_[\w:]+\{([^}]*)\}")
_GROUPINGS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")

# What Prometheus itself adds to every sample that it takes.
TARGET = frozenset({"job", "instance"})


def metrics_of(query: str) -> set[str]:
    """The names of the metrics, as they stand there."""
    return set(_METRIC.findall(_STRINGS.sub('""', query)))


def labels_of(query: str) -> set[str]:
    """The labels by which is matched or grouped."""
    plain = _STRINGS.sub('""', query)
    found = {label.strip() for group in _GROUPINGS.findall(plain) for label in group.split(",")}
    for inside in _MATCHERS.findall(plain):
        found |= {re.split(r"[=!]", each)[0].strip() for each in inside.split(",")}
    return found - {""}
