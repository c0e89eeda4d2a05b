"""The Kubernetes Gateway API's conformance cases for HTTPRoute, as facts about our table.

Each test is named for the case that its requests and answers come from (conformance/tests in
kubernetes-sigs/gateway-api, standard channel of v1). Their ``PathPrefix`` is three routes here, because a trailing
slash is significant to us and a rest is never empty; their 404 is our None.

Where we differ on purpose:

- They compare hosts before paths, since a host selects a whole HTTPRoute; we compare paths first. Cases in which that
  makes a difference are in ``test_paths_go_before_hosts``.
- They let the older route win a tie, or the first in the list; for us a tie is an error at load. Cases with ties are
  split into tables that have none, and ``test_their_ties_are_errors`` shows the ties.
- Their prefix ``/match/`` matches ``/match``; our ``/match/{rest:path}`` does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.routing.table import Rule, Table, TieError
from tests.routing.rules import ask, rule

V1, V2, V3 = "infra-backend-v1", "infra-backend-v2", "infra-backend-v3"

Entries = list[tuple[Rule, str]]


def prefix(
    path: str,
    backend: str,
    methods: str = "",
    host: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    query: Mapping[str, str | None] | None = None,
) -> Entries:
    base = path.rstrip("/")
    paths = [base, f"{base}/", f"{base}/{{rest:path}}"] if base else ["/", "/{rest:path}"]
    return [(rule(p, methods, host, headers, query), backend) for p in paths]


MATCHING = [
    *prefix("/", V1),
    *prefix("/", V1, headers={"version": "one"}),
    *prefix("/v2", V2),
    *prefix("/", V2, headers={"version": "two"}),
]


@pytest.mark.parametrize(
    ("path", "version", "backend"),
    [
        ("/", None, V1),
        ("/example", None, V1),
        ("/", "one", V1),
        ("/v2", None, V2),
        ("/v2/example", None, V2),
        ("/", "two", V2),
        ("/v2/", None, V2),
        ("/v2example", None, V1),
        ("/foo/v2/example", None, V1),
    ],
)
def test_http_route_matching(path: str, version: str | None, backend: str) -> None:
    headers = [("Version", version)] if version else []
    assert ask(Table(MATCHING), path, headers=headers) == backend


ACROSS_ROUTES = [
    *(entry for host in ("example.com", "example.net") for entry in prefix("/", V1, host=host)),
    *(
        entry
        for host in ("example.com", "example.net")
        for entry in prefix("/", V1, host=host, headers={"version": "one"})
    ),
    *prefix("/v2", V2, host="example.com"),
    *prefix("/", V2, host="example.com", headers={"version": "two"}),
]


@pytest.mark.parametrize(
    ("host", "path", "version", "backend"),
    [
        ("example.com", "/", None, V1),
        ("example.com", "/example", None, V1),
        ("example.net", "/example", None, V1),
        ("example.com", "/example", "one", V1),
        ("example.com", "/v2", None, V2),
        ("example.net", "/v2", None, V1),
        ("example.com", "/v2/example", None, V2),
        ("example.com", "/", "two", V2),
    ],
)
def test_http_route_matching_across_routes(host: str, path: str, version: str | None, backend: str) -> None:
    headers = [("Version", version)] if version else []
    assert ask(Table(ACROSS_ROUTES), path, host=host, headers=headers) == backend


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("/match/exact/one", V3),
        ("/match/exact", V2),
        ("/match", V1),
        ("/match/prefix/one/any", V2),
        ("/match/prefix/any", V1),
        ("/match/any", V3),
    ],
)
def test_http_route_path_match_order(path: str, backend: str) -> None:
    t = Table(
        [
            (rule("/match"), V1),
            (rule("/match/exact"), V2),
            (rule("/match/exact/one"), V3),
            # Without the prefix's own path: /match is exact here, and would tie.
            (rule("/match/{rest:path}"), V3),
            *prefix("/match/prefix/", V1),
            *prefix("/match/prefix/one", V2),
        ]
    )
    assert ask(t, path) == backend


@pytest.mark.parametrize(
    ("path", "backend"),
    [("/one", V1), ("/two", V2), ("/", None), ("/one/example", None), ("/two/", None), ("/Two", None)],
)
def test_http_route_exact_path_matching(path: str, backend: str | None) -> None:
    assert ask(Table([(rule("/one"), V1), (rule("/two"), V2)]), path) == backend


@pytest.mark.parametrize(
    ("headers", "backend"),
    [
        ({"Version": "one"}, V1),
        ({"Version": "two"}, V2),
        ({"Version": "two", "Color": "orange"}, V1),
        ({"Color": "orange"}, None),
        ({"Some-Other-Header": "one"}, None),
    ],
)
def test_http_route_header_matching_by_version(headers: dict[str, str], backend: str | None) -> None:
    t = Table(
        [
            *prefix("/", V1, headers={"version": "one"}),
            *prefix("/", V2, headers={"version": "two"}),
            *prefix("/", V1, headers={"version": "two", "color": "orange"}),
        ]
    )
    assert ask(t, "/", headers=list(headers.items())) == backend


@pytest.mark.parametrize(
    ("color", "backend"), [("blue", V1), ("green", V1), ("red", V2), ("yellow", V2), ("purple", None)]
)
def test_http_route_header_matching_by_color(color: str, backend: str | None) -> None:
    colors = {"blue": V1, "green": V1, "red": V2, "yellow": V2}
    t = Table([entry for name, wanted in colors.items() for entry in prefix("/", wanted, headers={"color": name})])
    assert ask(t, "/", headers=[("Color", color)]) == backend


QUERIES = [
    *prefix("/", V1, query={"animal": "whale"}),
    *prefix("/", V2, query={"animal": "dolphin"}),
    *prefix("/", V3, query={"animal": "dolphin", "color": "blue"}),
    *prefix("/path1", V1, query={"animal": "whale"}),
    *prefix("/", V2, headers={"version": "one"}, query={"animal": "whale"}),
    *prefix("/path2", V3, headers={"version": "two"}, query={"animal": "whale"}),
    *prefix("/path3", V1, query={"animal": "shark"}),
    *prefix("/path4", V1, headers={"version": "three"}, query={"animal": "kraken"}),
    *prefix("/path5", V1),
    *prefix("/", V2, query={"animal": "hydra"}),
    *prefix("/", V3, headers={"version": "four"}),
]


@pytest.mark.parametrize(
    ("path", "query", "version", "backend"),
    [
        ("/", "animal=whale", None, V1),
        ("/", "animal=dolphin", None, V2),
        ("/", "animal=dolphin&color=blue", None, V3),
        ("/", "animal=whale&otherparam=irrelevant", None, V1),
        ("/", "animal=dolphin&color=yellow", None, V2),
        ("/", "color=blue", None, None),
        ("/", "animal=dog", None, None),
        ("/", "animal=whaledolphin", None, None),
        ("/", "", None, None),
        ("/path1", "animal=whale", None, V1),
        ("/", "animal=whale", "one", V2),
        ("/path2", "animal=whale", "two", V3),
        ("/path3", "animal=shark", None, V1),
        ("/path4", "animal=kraken", "three", V1),
        ("/", "animal=shark", None, None),
        ("/path4", "animal=kraken", None, None),
        ("/path5", "animal=hydra", None, V1),
        ("/", "animal=hydra", "four", V3),
    ],
)
def test_http_route_query_param_matching(path: str, query: str, version: str | None, backend: str | None) -> None:
    headers = [("version", version)] if version else []
    assert ask(Table(QUERIES), path, headers=headers, query=query) == backend


def test_http_route_query_param_matching_minds_the_case_of_names_and_values() -> None:
    t = Table(prefix("/", V3, query={"ANIMAL": "Whale"}))
    assert ask(t, "/", query="ANIMAL=Whale") == V3
    assert ask(t, "/", query="animal=whale") is None


METHODS = [
    *prefix("/", V1, "POST"),
    *prefix("/", V2, "GET"),
    *prefix("/path1", V1, "GET"),
    *prefix("/", V2, "PUT", headers={"version": "one"}),
    *prefix("/path2", V3, "POST", headers={"version": "two"}),
    *prefix("/path3", V1, "PATCH"),
    *prefix("/path4", V1, "DELETE", headers={"version": "three"}),
    *prefix("/path5", V1),
    *prefix("/", V2, "PATCH"),
    *prefix("/", V3, headers={"version": "four"}),
]


@pytest.mark.parametrize(
    ("method", "path", "version", "backend"),
    [
        ("POST", "/", None, V1),
        ("GET", "/", None, V2),
        ("HEAD", "/", None, None),
        ("GET", "/path1", None, V1),
        ("PUT", "/", "one", V2),
        ("POST", "/path2", "two", V3),
        ("PATCH", "/path3", None, V1),
        ("DELETE", "/path4", "three", V1),
        ("PUT", "/", None, None),
        ("DELETE", "/path4", None, None),
        ("PATCH", "/path5", None, V1),
        ("PATCH", "/", "four", V2),
    ],
)
def test_http_route_method_matching(method: str, path: str, version: str | None, backend: str | None) -> None:
    headers = [("version", version)] if version else []
    assert ask(Table(METHODS), path, method=method, headers=headers) == backend


# There, listeners and routes have host names, and what counts is where they meet; here, that is the route's host.
HOSTS = [
    *prefix("/s1", V1, host="very.specific.com"),
    *prefix("/s2", V2, host="foo.wildcard.io"),
    *prefix("/s2", V2, host="bar.wildcard.io"),
    *prefix("/s2", V2, host="foo.bar.wildcard.io"),
    *prefix("/s3", V3, host="very.specific.com"),
    *prefix("/s4", V1, host="*.anotherwildcard.io"),
    *(
        entry
        for h in ("first.com", "sub.first.com", "second.com", "sub.second.com")
        for entry in prefix("/", V2, host=h)
    ),
]


@pytest.mark.parametrize(
    ("host", "path", "backend"),
    [
        ("very.specific.com", "/s1", V1),
        ("very.specific.com:1234", "/s1", V1),
        ("non.matching.com", "/s1", None),
        ("foo.nonmatchingwildcard.io", "/s1", None),
        ("foo.wildcard.io", "/s1", None),
        ("very.specific.com", "/non-matching-prefix", None),
        ("foo.wildcard.io", "/s2", V2),
        ("bar.wildcard.io", "/s2", V2),
        ("foo.bar.wildcard.io", "/s2", V2),
        ("non.matching.com", "/s2", None),
        ("wildcard.io", "/s2", None),
        ("very.specific.com", "/s2", None),
        ("foo.wildcard.io", "/non-matching-prefix", None),
        ("very.specific.com", "/s3", V3),
        ("non.matching.com", "/s3", None),
        ("foo.specific.com", "/s3", None),
        ("foo.wildcard.io", "/s3", None),
        ("foo.anotherwildcard.io", "/s4", V1),
        ("bar.anotherwildcard.io", "/s4", V1),
        ("foo.bar.anotherwildcard.io", "/s4", V1),
        ("anotherwildcard.io", "/s4", None),
        ("foo.wildcard.io", "/s4", None),
        ("very.specific.com", "/s4", None),
        ("foo.anotherwildcard.io", "/non-matching-prefix", None),
        ("first.com", "/", V2),
        ("sub.first.com", "/", V2),
        ("second.com", "/", V2),
        ("sub.second.com", "/", V2),
        ("third.com", "/", None),
        ("sub.third.com", "/", None),
    ],
)
def test_http_route_hostname_intersection(host: str, path: str, backend: str | None) -> None:
    assert ask(Table(HOSTS), path, host=host) == backend


def test_paths_go_before_hosts() -> None:
    """Theirs: the most specific host, then the path. Ours: the other way round, whatever the hosts."""
    t = Table([*prefix("/", V1, host="example.com"), *prefix("/v2", V2)])
    assert ask(t, "/v2", host="example.com") == V2
    assert ask(t, "/v3", host="example.com") == V1


def test_their_ties_are_errors() -> None:
    """HTTPRouteHeaderMatching sends "version: two, color: blue" to the first in the list of these two."""
    with pytest.raises(TieError):
        Table([*prefix("/", V2, headers={"version": "two"}), *prefix("/", V1, headers={"color": "blue"})])
    # HTTPRouteQueryParamMatching has these side by side, and no request for both.
    with pytest.raises(TieError):
        Table([*prefix("/", V1, query={"animal": "whale"}), *prefix("/", V3, query={"ANIMAL": "Whale"})])
