"""What belongs at each place of the file, as messages put it.

Places are written with * for list indices and for names that the user chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from gateway.config.backend import BackendConfig, Timeouts, Tls
from gateway.config.health import HealthCheck, Outliers
from gateway.config.limits import InFlight, Limits
from gateway.config.model import (
    Config,
    Defaults,
    Override,
    RouteConfig,
    StickyCookie,
    Tracing,
    WebSockets,
)
from gateway.config.survival import Breaker, Fallback

NAME: Final = "a name: a letter, then letters, digits, - and _, 64 at most"
_STICKY: Final = "cookie, cookie:NAME, header:NAME, ip or none"
_SECONDS: Final = "a number of seconds, above 0 and up to 86400 (a day)"
_WANTED: Final = "text, or true for: present, whatever its value"
_FALLBACK: Final[Mapping[str, str]] = {
    "fallback": "the name of a backend, none, or a mapping such as {to: legacy, on: [503, connect, timeout]}",
    "fallback.to": "the name of a backend",
    "fallback.on": "a list, such as [502, 503, 504, connect, timeout]",
    "fallback.on.*": "a status from 400 to 599, connect or timeout",
    "fallback.body": "a whole number of bytes from 0 to 16777216",
    "fallback.repeatable": "true or false",
}
_BREAKER: Final[Mapping[str, str]] = {
    "breaker": "off, open, closed, or a mapping such as {error_ratio: 0.5, open: 10}",
    "breaker.error_ratio": "a number above 0 and up to 1, such as 0.5",
    "breaker.consecutive": "a whole number from 1 to 10000",
    "breaker.window": "a number of seconds from 1 to 3600",
    "breaker.minimum": "a whole number from 1 to 1000000",
    "breaker.open": _SECONDS,
    "breaker.probes": "a whole number from 1 to 1000",
    "breaker.ramp": "a number of seconds from 0 to 86400",
}
_COUNT: Final = "a whole number from 1 to 1000000"
_BYTES: Final = "a whole number of bytes from 0 to 1099511627776"
_LIMIT: Final[Mapping[str, str]] = {
    "limit": "a mapping, such as {in_flight: 100, queue: 50, wait: 1}",
    "limit.in_flight": _COUNT,
    "limit.queue": "a whole number from 0 to 100000",
    "limit.wait": _SECONDS,
}
_LIMITS: Final[Mapping[str, str]] = {
    "limits": "a mapping, such as {body: 10485760, connections_per_client: 100}",
    "limits.request_line": "a whole number of bytes from 256 to 1048576",
    "limits.head": "a whole number of bytes from 1024 to 1048576",
    "limits.fields": "a whole number from 1 to 10000",
    "limits.body": _BYTES,
    "limits.header_timeout": _SECONDS,
    "limits.body_timeout": _SECONDS,
    "limits.send_timeout": _SECONDS,
    "limits.keep_alive": _SECONDS,
    "limits.requests_per_connection": _COUNT,
    "limits.connections": _COUNT,
    "limits.connections_per_client": _COUNT,
    "limits.stream_lifetime": _SECONDS,
}


def _below(section: str, expected: Mapping[str, str]) -> Mapping[str, str]:
    return {f"{section}.{place}": words for place, words in expected.items()}


_NO_IN_FLIGHT: Final = "'limit' has no 'in_flight': say how many requests there may be at once"

# Reads after "must be".
EXPECTED: Final[Mapping[str, str]] = {
    "version": "the number 1, which is the version of the file format",
    "backends": 'a mapping of names to apps, such as: legacy: {app: "module:app"}',
    "backends.*": 'a mapping, such as {app: "module:app"}',
    "backends.*.app": 'text, such as "module:app"',
    "backends.*.url": 'text, such as "http://127.0.0.1:5000"',
    "backends.*.urls": 'a list of addresses, such as ["http://127.0.0.1:5000"]',
    "backends.*.urls.*": 'text, such as "http://127.0.0.1:5000"',
    "backends.*.interface": "auto, asgi or wsgi",
    "backends.*.threads": "a whole number from 1 to 1024",
    "backends.*.queue": "a whole number from 0 to 100000",
    "backends.*.connections": "a whole number from 1 to 65535",
    "backends.*.keepalive": "a number of seconds, above 0 and up to 3600",
    "backends.*.host": "keep or upstream",
    "backends.*.rewrite": "true or false",
    "backends.*.underscores": "drop or keep",
    "backends.*.timeouts": "a mapping, such as {head: 30}",
    "backends.*.timeouts.connect": _SECONDS,
    "backends.*.timeouts.send": _SECONDS,
    "backends.*.timeouts.head": _SECONDS,
    "backends.*.timeouts.idle": _SECONDS,
    "backends.*.timeouts.total": _SECONDS,
    "backends.*.tls": "a mapping, such as {ca: /etc/ssl/internal-ca.pem}",
    "backends.*.tls.ca": "text: the name of a file",
    "backends.*.tls.server_name": "text: a host name",
    "backends.*.tls.verify": "true or false",
    "backends.*.health": "a mapping, such as {path: /healthz}",
    "backends.*.health.path": "a path and its query, such as /healthz",
    "backends.*.health.every": "a number of seconds from 0.1 to 3600",
    "backends.*.health.timeout": _SECONDS,
    "backends.*.health.healthy_after": "a whole number from 1 to 100",
    "backends.*.health.unhealthy_after": "a whole number from 1 to 100",
    "backends.*.outliers": "off, or a mapping such as {consecutive: 5, eject: 10}",
    "backends.*.outliers.consecutive": "a whole number from 1 to 10000",
    "backends.*.outliers.error_ratio": "a number above 0 and up to 1, such as 0.5",
    "backends.*.outliers.window": "a number of seconds from 1 to 3600",
    "backends.*.outliers.minimum": "a whole number from 1 to 1000000",
    "backends.*.outliers.eject": _SECONDS,
    "backends.*.outliers.slow_start": "a number of seconds from 0 to 86400",
    **_below("backends.*", _BREAKER),
    **_below("backends.*", _LIMIT),
    "default": "the name of a backend",
    "defaults": "a mapping, such as {sticky: cookie}",
    "defaults.sticky": _STICKY,
    **_below("defaults", _FALLBACK),
    "sticky_cookie": "a mapping, such as {name: strangler_id}",
    "sticky_cookie.name": "a cookie name",
    "sticky_cookie.max_age": "a whole number of seconds from 60 to 34560000 (400 days)",
    "sticky_cookie.domain": "a domain, such as example.com",
    "override": "a mapping with 'allow', 'secret' or both",
    "override.header": "a header name",
    "override.cookie": "a cookie name",
    "override.allow": 'a list of addresses or networks, such as ["10.0.0.0/8"]',
    "override.allow.*": 'an address or network in quotes, such as "10.0.0.0/8"',
    "override.secret": "text of at least 8 characters",
    **_LIMITS,
    "expose": "true or false",
    "tracing": "a mapping, such as {spans: true, sample: 10}",
    "tracing.spans": "true or false",
    "tracing.sample": "a number from 0 to 100",
    "websockets": "a mapping, such as {grace: 30}",
    "websockets.grace": "a number of seconds from 0 to 86400",
    "websockets.max_message": "a whole number of bytes from 1024 to 1073741824",
    "trusted_proxies": 'a list of addresses or networks, such as ["10.0.0.0/8"]',
    "trusted_proxies.*": 'an address or network in quotes, such as "10.0.0.0/8"',
    "forwarded": "x-forwarded, forwarded or both",
    "routes": "a list of routes; [] for none",
    "routes.*": "a mapping with 'path' and 'to'",
    "routes.*.path": "text of at most 2000 characters, such as /books/{id}",
    "routes.*.to": "the name of a backend, or percentages such as {legacy: 90, new: 10}",
    "routes.*.to.*": "a number from 0 to 100",
    "routes.*.name": "text of 1 to 200 characters",
    "routes.*.methods": "a list, such as [GET, POST]",
    "routes.*.methods.*": "an HTTP method in capital letters, such as GET",
    "routes.*.host": "a host name, such as shop.example.com",
    "routes.*.headers": "a mapping of header names to values, such as {X-Beta: true}",
    "routes.*.headers.*": _WANTED,
    "routes.*.query": 'a mapping of parameter names to values, such as {page: "2"}',
    "routes.*.query.*": _WANTED,
    "routes.*.sticky": _STICKY,
    "routes.*.group": NAME,
    "routes.*.compat": "a list, such as [head, options]",
    "routes.*.compat.*": "head, options, slashes, int404, errors or json",
    **_below("routes.*", _FALLBACK),
    **_below("routes.*", _BREAKER),
    **_below("routes.*", _LIMIT),
    "routes.*.max_body": _BYTES,
}

MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "": Config,
    "backends.*": BackendConfig,
    "backends.*.timeouts": Timeouts,
    "backends.*.tls": Tls,
    "backends.*.health": HealthCheck,
    "backends.*.outliers": Outliers,
    "backends.*.breaker": Breaker,
    "backends.*.limit": InFlight,
    "defaults": Defaults,
    "defaults.fallback": Fallback,
    "sticky_cookie": StickyCookie,
    "limits": Limits,
    "override": Override,
    "tracing": Tracing,
    "websockets": WebSockets,
    "routes.*": RouteConfig,
    "routes.*.fallback": Fallback,
    "routes.*.breaker": Breaker,
    "routes.*.limit": InFlight,
}

MISSING: Final[Mapping[str, str]] = {
    "version": "'version' is missing; add 'version: 1'",
    "backends": "'backends' is missing: name the apps, such as: legacy: {app: \"module:app\"}",
    "default": "'default' is missing: name the backend for what no route matches",
    "backends.*.limit.in_flight": _NO_IN_FLIGHT,
    "routes.*.limit.in_flight": _NO_IN_FLIGHT,
    "defaults.fallback.to": "'fallback' has no 'to': name the backend that answers instead",
    "routes.*.fallback.to": "'fallback' has no 'to': name the backend that answers instead",
    "backends.*.health.path": "'health' has no 'path': name what to ask, such as /healthz",
    "routes.*.path": "this route has no 'path'",
    "routes.*.to": "this route has no 'to': name a backend, or percentages such as {legacy: 90, new: 10}",
}

# Keys of other gateways, and of what people expect.
OTHER_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "routes.*": {
        **dict.fromkeys(("backend", "target", "upstream", "service", "dest", "weight", "weights", "split"), "to"),
        **dict.fromkeys(("prefix", "url", "uri", "match", "rule", "pattern"), "path"),
        "verb": "methods",
        "id": "name",
        "domain": "host",
        **dict.fromkeys(("failover", "fall_back", "backup", "retry"), "fallback"),
        "circuit_breaker": "breaker",
        **dict.fromkeys(("body", "body_limit", "max_body_size", "client_max_body_size"), "max_body"),
        **dict.fromkeys(("in_flight", "concurrency", "max_concurrency", "max_requests"), "limit"),
    },
    "backends.*": {
        **dict.fromkeys(("import", "module", "target", "factory"), "app"),
        **dict.fromkeys(("address", "upstream", "server"), "url"),
        **dict.fromkeys(("servers", "addresses", "hosts"), "urls"),
        **dict.fromkeys(("max_connections", "pool", "pool_size"), "connections"),
        **dict.fromkeys(("keep_alive", "keepalive_timeout"), "keepalive"),
        **dict.fromkeys(("preserve_host", "pass_host", "host_header"), "host"),
        **dict.fromkeys(("timeout",), "timeouts"),
        **dict.fromkeys(("ssl", "ca", "verify"), "tls"),
        "circuit_breaker": "breaker",
        **dict.fromkeys(("health_check", "healthcheck", "check", "checks", "probe"), "health"),
        **dict.fromkeys(("outlier_detection", "outlier", "passive", "ejection"), "outliers"),
        **dict.fromkeys(("in_flight", "concurrency", "max_concurrency", "max_requests"), "limit"),
        "type": "interface",
        "workers": "threads",
    },
    "limits": {
        **dict.fromkeys(("headers", "head_size", "header_size"), "head"),
        **dict.fromkeys(("max_body", "body_limit", "max_body_size", "client_max_body_size"), "body"),
        **dict.fromkeys(("keepalive", "keepalive_timeout", "idle_timeout"), "keep_alive"),
        **dict.fromkeys(("keepalive_requests", "max_requests"), "requests_per_connection"),
        **dict.fromkeys(("max_connections", "limit_conn"), "connections"),
        **dict.fromkeys(("connections_per_ip", "per_client"), "connections_per_client"),
    },
    "tracing": dict.fromkeys(("sampling", "rate", "ratio", "sample_rate", "percent"), "sample"),
    "backends.*.health": {
        **dict.fromkeys(("uri", "url", "endpoint"), "path"),
        **dict.fromkeys(("interval", "period"), "every"),
        **dict.fromkeys(("rise", "healthy_threshold", "passes"), "healthy_after"),
        **dict.fromkeys(("fall", "unhealthy_threshold", "fails"), "unhealthy_after"),
    },
    "backends.*.outliers": {
        **dict.fromkeys(("consecutive_errors", "consecutive_5xx", "max_fails", "fails"), "consecutive"),
        **dict.fromkeys(("ejection_time", "base_ejection_time", "fail_timeout"), "eject"),
        "interval": "window",
    },
    "": {
        **dict.fromkeys(("upstreams", "services", "apps"), "backends"),
        **dict.fromkeys(("trace", "opentelemetry", "traceparent"), "tracing"),
        "rules": "routes",
        "fallback": "default",
    },
}
