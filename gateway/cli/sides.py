"""The two apps of a migration, as commands are given them: an import string, an address, or both."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.backends.importing import ImportProblem, import_app
from gateway.config.backend import BackendConfig
from gateway.config.model import Config
from gateway.config.syntax import import_string_complaint, url_complaint
from gateway.migrate.inventory.endpoint import Inventory, InventoryProblem
from gateway.migrate.inventory.openapi import origin_of
from gateway.migrate.inventory.reader import inventory_of

LegacyApp = Annotated[
    str | None, typer.Option("--legacy", metavar="MODULE:APP", help="The old app; () calls a factory.")
]
NewApp = Annotated[str | None, typer.Option("--new", metavar="MODULE:APP", help="The new app; () calls a factory.")]
LegacyUrl = Annotated[str | None, typer.Option("--legacy-url", metavar="URL", help="Where the old app is served.")]
NewUrl = Annotated[
    str | None,
    typer.Option("--new-url", metavar="URL", help="Where the new app, or its OpenAPI document, is served."),
]


class AppProblem(Exception):
    """An app cannot be looked into. The text says which one, as the command line names it, and why."""


@dataclass(frozen=True, slots=True)
class Side:
    """One app: how it is named on the command line, and what is known of it. One of ``app`` and ``url`` is given."""

    flag: str
    app: str | None
    url: str | None

    @property
    def address(self) -> str:
        """What its backend is given: the URL where there is one."""
        return origin_of(self.url) if self.url is not None else self.app or ""

    def inventory(self) -> Inventory:
        """Its endpoints. Raises AppProblem."""
        try:
            if self.app is None:
                # Here, not above: httpx takes a tenth of a second that --help need not wait for.
                from gateway.migrate.inventory.fetch import fetch_inventory

                assert self.url is not None
                return fetch_inventory(self.url)
            complaint = import_string_complaint(self.app)
            if complaint is not None:
                raise self.problem(f"'{self.app}' {complaint}")
            # What an app prints while it is imported is not the answer of this command.
            with contextlib.redirect_stdout(sys.stderr):
                return inventory_of(import_app(self.app), self.app)
        except (ImportProblem, InventoryProblem) as problem:
            raise self.problem(str(problem)) from None

    def problem(self, message: str) -> AppProblem:
        return AppProblem(f"{self.flag}: {message}")


@dataclass(frozen=True, slots=True)
class Sides:
    """Both apps of a migration, and the names of their backends, as far as the file and the command line tell."""

    legacy_name: str
    new_name: str | None
    legacy: Side | None
    new: Side | None


def sides(config: Config, legacy: Side | None, new: Side | None) -> Sides:
    """What was given, filled up with what the file knows."""
    old_name = legacy_name(config)
    fresh_name = new_name(config, old_name, new.address if new is not None else None)
    return Sides(old_name, fresh_name, from_file(legacy, config, old_name), from_file(new, config, fresh_name))


def side(flag: str, app: str | None, url: str | None) -> Side | None:
    """The side that the two flags name, None if neither is given. Raises AppProblem for what is no address."""
    if app is None and url is None:
        return None
    named = Side(f"--{flag}" if app is not None else f"--{flag}-url", app, url)
    if url is not None and (complaint := url_complaint(origin_of(url))):
        raise Side(f"--{flag}-url", None, url).problem(f"'{url}' {complaint}")
    return named


def from_file(given: Side | None, config: Config, name: str | None) -> Side | None:
    """``given``, filled up with what the file knows of the backend ``name``."""
    backend = config.backends.get(name or "")
    if backend is None or (given is not None and given.app is not None):
        return given
    url = given.url if given is not None else _url(backend)
    if backend.app is None and url is None:
        return None
    return Side(f"backend '{name}'", backend.app, url)


def legacy_name(config: Config) -> str:
    """The name of the old app's backend: the one called so, since at the end of a migration the default is another."""
    return "legacy" if "legacy" in config.backends else config.default


def new_name(config: Config, legacy: str, address: str | None) -> str | None:
    """The name of the new app's backend: the one with that address, one called so, or the only other."""
    others = [name for name in config.backends if name != legacy]
    for name in others:
        if address is not None and address in (config.backends[name].app, _url(config.backends[name])):
            return name
    if "new" in others:
        return "new"
    return others[0] if len(others) == 1 else None


def _url(backend: BackendConfig) -> str | None:
    return backend.url if backend.url is not None else backend.urls[0] if backend.urls else None
