"""What must hold of the backends, beyond the shape of each value."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.draft import Draft
from gateway.config.finding import Finding
from gateway.config.syntax import import_string_complaint, url_complaint
from gateway.config.words import did_you_mean, listed

ADDRESSES = ("app", "url", "urls")
FOR_EMBEDDED = frozenset(("interface", "threads"))
FOR_REMOTE = frozenset(("connections", "keepalive", "host", "rewrite", "underscores", "tls", "health", "outliers"))
TIMEOUTS_FOR_EMBEDDED = frozenset(("head", "idle"))


def default_is_a_backend(draft: Draft) -> Iterator[Finding]:
    if draft.default is not None and draft.names is not None and draft.default not in draft.names:
        yield Finding(("default",), unknown_backend(draft.default, draft.names))


def each_has_one_address(draft: Draft) -> Iterator[Finding]:
    for name, backend in draft.backends.items():
        given = [key for key in ADDRESSES if key in backend.model.model_fields_set or key in backend.broken]
        if len(given) > 1:
            yield Finding(
                (*backend.path, given[1]), f"'{name}' has {listed(given, 'and')}; give one of them", at_key=True
            )
        elif not given and name not in draft.provided and backend.whole:
            yield Finding(backend.path, f"'{name}' has no 'app'; write where it is, such as app: \"module:app\"")


def apps_are_import_strings(draft: Draft) -> Iterator[Finding]:
    for backend in draft.backends.values():
        if backend.model.app is not None and (complaint := import_string_complaint(backend.model.app)):
            path = (*backend.path, "app")
            yield Finding(path, f"{draft.quoted(path)} {complaint}")


def urls_are_addresses(draft: Draft) -> Iterator[Finding]:
    for backend in draft.backends.values():
        if backend.model.url is not None and (complaint := url_complaint(backend.model.url)):
            path = (*backend.path, "url")
            yield Finding(path, f"{draft.quoted(path)} {complaint}")
        for index, url in enumerate(backend.model.urls or ()):
            if complaint := url_complaint(url):
                each = (*backend.path, "urls", index)
                yield Finding(each, f"{draft.quoted(each)} {complaint}")


def settings_fit_the_kind(draft: Draft) -> Iterator[Finding]:
    """A setting that does nothing would be taken for one that does."""
    for name, backend in draft.backends.items():
        model = backend.model
        if name in draft.provided or not backend.has(*ADDRESSES):
            continue
        for key in sorted(model.model_fields_set):
            if key in FOR_REMOTE and model.app is not None:
                yield Finding((*backend.path, key), f"'{key}' is for remote apps; '{name}' is an 'app'", at_key=True)
            elif key in FOR_EMBEDDED and (model.url is not None or model.urls is not None):
                message = f"'{key}' is for apps in this process; '{name}' is a remote one"
                yield Finding((*backend.path, key), message, at_key=True)
        if model.app is not None and model.timeouts is not None:
            for key in sorted(model.timeouts.model_fields_set - TIMEOUTS_FOR_EMBEDDED):
                message = f"'{key}' is for remote apps; '{name}' is an 'app', which has 'head' and 'idle'"
                yield Finding((*backend.path, "timeouts", key), message, at_key=True)


def outliers_are_among_several(draft: Draft) -> Iterator[Finding]:
    """Of one address nobody can be left out."""
    for name, backend in draft.backends.items():
        model = backend.model
        if (
            "outliers" not in model.model_fields_set
            or not backend.has("outliers", *ADDRESSES)
            or name in draft.provided
        ):
            continue
        if model.url is not None or (model.urls is not None and len(model.urls) == 1):
            message = f"'outliers' is for several addresses; '{name}' has one"
            yield Finding((*backend.path, "outliers"), message, at_key=True)


def unknown_backend(name: str, names: frozenset[str]) -> str:
    known = sorted(names)
    return f"unknown backend '{name}'" + did_you_mean(name, known, otherwise=f"; known are {listed(known[:10], 'and')}")
