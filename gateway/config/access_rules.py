"""What must hold of overrides, trusted addresses and the names of cookies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.config.draft import Draft
from gateway.config.finding import Finding
from gateway.config.position import Path
from gateway.config.syntax import domain_complaint, network_complaint
from gateway.config.words import shorten

# The cookies that Flask, Flask-Login, Starlette and Django's ports set by themselves.
_APPS_OWN = frozenset({"session", "remember_token", "sessionid", "csrftoken"})


def override_is_guarded(draft: Draft) -> Iterator[Finding]:
    override = draft.override
    if override is None or not override.has("allow", "secret"):
        return
    if override.model.allow is None and override.model.secret is None:
        message = "'override' lets anybody choose; it needs 'allow' (addresses), 'secret' or both"
        yield Finding(override.path, message, at_key=True)


def networks_are_valid(draft: Draft) -> Iterator[Finding]:
    if draft.override is not None:
        yield from _networks(draft, ("override", "allow"), draft.override.model.allow or ())
    yield from _networks(draft, ("trusted_proxies",), draft.trusted_proxies)


def cookies_are_apart(draft: Draft) -> Iterator[Finding]:
    """Two things in one cookie would overwrite each other in the client."""
    own = draft.sticky_cookie
    override = draft.override
    if own.has("name"):
        if own.model.name in _APPS_OWN:
            message = f"'{own.model.name}' is a cookie that the apps set themselves; choose another name"
            yield Finding((*own.path, "name"), message)
        if override is not None and override.has("cookie") and override.model.cookie == own.model.name:
            message = f"'{own.model.name}' is the name of the sticky cookie too; choose another name"
            yield Finding((*override.path, "cookie"), message)
    if override is not None and override.has("cookie") and override.model.cookie in _APPS_OWN:
        message = f"'{override.model.cookie}' is a cookie that the apps set themselves; choose another name"
        yield Finding((*override.path, "cookie"), message)


def sticky_keys_belong_to_the_client(draft: Draft) -> Iterator[Finding]:
    """A split must not go by what the gateway itself sets or what chooses a backend."""
    for path, sticky in _stickies(draft):
        kind, _, name = sticky.partition(":")
        if kind == "cookie" and name and draft.sticky_cookie.has("name") and name == draft.sticky_cookie.model.name:
            yield Finding(path, f"'{name}' is the gateway's own sticky cookie; write 'sticky: cookie'")
        override = draft.override
        if override is None or not name or not override.has("header", "cookie"):
            continue
        if (kind == "cookie" and name == override.model.cookie) or (
            kind == "header" and name.lower() == override.model.header.lower()
        ):
            yield Finding(path, f"'{name}' chooses the backend in 'override'; sticky needs another {kind}")


def domain_is_valid(draft: Draft) -> Iterator[Finding]:
    cookie = draft.sticky_cookie
    domain = cookie.model.domain
    if domain is None:
        return
    if complaint := domain_complaint(domain):
        yield Finding((*cookie.path, "domain"), f"'{shorten(domain)}' {complaint}")


def _networks(draft: Draft, path: Path, networks: Sequence[str]) -> Iterator[Finding]:
    for index, network in enumerate(networks):
        if complaint := network_complaint(network):
            yield Finding((*path, index), f"{draft.quoted((*path, index))} {complaint}")


def _stickies(draft: Draft) -> Iterator[tuple[Path, str]]:
    if draft.defaults.has("sticky"):
        yield (*draft.defaults.path, "sticky"), draft.defaults.model.sticky
    for route in draft.routes:
        if route.model.sticky is not None:
            yield (*route.path, "sticky"), route.model.sticky
