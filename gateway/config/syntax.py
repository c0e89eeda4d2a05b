"""What the texts in the file must look like: import strings, addresses, networks. Each check gives its complaint."""

from __future__ import annotations

import ipaddress
import keyword
import re
from urllib.parse import urlsplit

from gateway.config.words import shorten

# RFC 6265, 4.1.1, and RFC 1123, 2.1: what a cookie's Domain attribute may be.
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/|unix:", re.IGNORECASE)


def import_string_complaint(text: str) -> str | None:
    """What is wrong with ``module:attribute`` or ``module:factory()``; None if nothing is. Nothing is imported."""
    if _SCHEME.match(text):
        return "is an address; give it as 'url'"
    module, colon, attribute = text.partition(":")
    if not colon:
        return "names no attribute; " + _with_attribute(text)
    if "/" in module or module.endswith(".py"):
        return f"names a file; write the module, such as '{_module_of(module)}:{shorten(attribute) or 'app'}'"
    if not _dotted(module):
        return f"is not 'module:attribute': '{shorten(module)}' cannot be a module"
    called, bracket, arguments = attribute.partition("(")
    if bracket and arguments != ")":
        return f"calls with arguments; a factory is called without, as in '{shorten(module)}:{shorten(called)}()'"
    if not _dotted(called):
        return f"is not 'module:attribute': '{shorten(attribute)}' cannot be an attribute"
    return None


def url_complaint(text: str) -> str | None:
    """What is wrong with ``http://host:port``, ``https://host`` or ``unix:/path``; None if nothing is."""
    if text.startswith("unix:"):
        return None if text.startswith("unix:/") and len(text) > 6 else "needs an absolute path: unix:/run/app.sock"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is not an address such as http://127.0.0.1:5000"
    if parts.scheme not in ("http", "https"):
        return "is not an address; it begins with http://, https:// or unix:/"
    if parts.username is not None or parts.password is not None:
        return "has a user name or password in it, which backends cannot be given"
    if not parts.hostname or not text.isprintable() or " " in text or port == 0:
        return "is not an address such as http://127.0.0.1:5000"
    if parts.path not in ("", "/") or parts.query or parts.fragment or text.endswith(("?", "#")):
        return "has a path; an address ends after host and port"
    return None


def network_complaint(text: str) -> str | None:
    """What is wrong with an address or a network in CIDR notation; None if nothing is."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        pass
    else:
        return None
    if text == "*":
        return "is not an address or network; every address is '0.0.0.0/0' and '::/0'"
    if text == "localhost":
        return "is not an address or network; write '127.0.0.1' and '::1'"
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "is not an address or network such as 10.0.0.0/8"
    return f"is an address within a network; did you mean '{network}' or '{text.partition('/')[0]}'?"


def domain_complaint(text: str) -> str | None:
    """What is wrong with a cookie's domain, such as ``example.com``; None if nothing is."""
    if text.startswith((".", "*.")):
        return f"covers its subdomains by itself; write '{shorten(text.lstrip('*.'))}'"
    if _DOMAIN.fullmatch(text) is None:
        return "is not a domain such as example.com"
    return None


def _with_attribute(text: str) -> str:
    """What a text without a colon was probably meant to be."""
    if "/" in text or text.endswith(".py"):
        return f"write '{_module_of(text)}:app'"
    front, dot, last = text.rpartition(".")
    if dot and _dotted(front) and _dotted(last.removesuffix("()")):
        return f"did you mean '{shorten(front)}:{shorten(last)}'?"
    return f"write '{shorten(text)}:app'" if _dotted(text) else "write 'module:attribute'"


def _module_of(file: str) -> str:
    return shorten(file.removeprefix("./").removesuffix(".py").strip("/").replace("/", "."))


def _dotted(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
