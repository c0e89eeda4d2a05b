"""The WSGI environ of an ASGI request (PEP 3333, "environ Variables")."""

from __future__ import annotations

from io import TextIOBase
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from starlette.types import Scope

from gateway.backends.wsgi_files import FileWrapper
from gateway.version import __version__

# From the name of a field to its key in the environ; empty for a field that is dropped. Filled as names are met,
# within bounds: clients choose the names.
_KEYS: dict[bytes, str] = {
    b"content-type": "CONTENT_TYPE",
    b"content-length": "CONTENT_LENGTH",
    # "httpoxy", CVE-2016-5387: HTTP_PROXY in an environ is taken for the environment variable of that name.
    b"proxy": "",
}
_KEYS_MAX = 1024
_KEYS_LENGTH = 64

# RFC 9112 section 6.3: an HTTP/1 request with neither field has no body. For the other methods that is left to the
# server, which may have removed the field that said so.
_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def base_environ(errors: TextIOBase) -> WSGIEnvironment:
    """What is the same for every request, to be copied for each."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": f"strangler-gateway/{__version__}",
        "wsgi.version": (1, 0),
        "wsgi.errors": errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # The input ends where the body ends, also without a Content-Length. Without this Werkzeug takes every
        # chunked upload for an empty one.
        "wsgi.input_terminated": True,
    }


def build_environ(base: WSGIEnvironment, scope: Scope) -> WSGIEnvironment:
    """The environ for an ``http`` scope, without ``wsgi.input``."""
    environ = base.copy()
    environ["REQUEST_METHOD"] = scope["method"]
    environ["SERVER_PROTOCOL"] = "HTTP/" + scope["http_version"]
    scheme = environ["wsgi.url_scheme"] = scope.get("scheme", "http")

    # PEP 3333, "Unicode Issues": strings hold bytes, one byte a character.
    path: str = scope["path"]
    if root := scope.get("root_path", ""):
        root = root.rstrip("/")
        # ASGI: the path has the root path in front of it, as whole segments.
        if path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
            path = path[len(root) :]
        environ["SCRIPT_NAME"] = _bytes_as_text(root)
    environ["PATH_INFO"] = path if path.isascii() else _bytes_as_text(path)
    query = environ["QUERY_STRING"] = scope["query_string"].decode("latin-1")
    raw_path = scope.get("raw_path")
    uri = raw_path.decode("latin-1") if raw_path is not None else quote(scope["path"])
    environ["RAW_URI"] = environ["REQUEST_URI"] = f"{uri}?{query}" if query else uri

    repeated: dict[str, list[str]] | None = None
    for name, value in scope["headers"]:
        key = _KEYS.get(name)
        if key is None:
            key = _key(name)
        if not key:
            continue
        text = value.decode("latin-1")
        if key in environ:
            # Joined once at the end: joining one by one copies the growing value each time.
            if repeated is None:
                repeated = {}
            repeated.setdefault(key, [environ[key]]).append(text)
        else:
            environ[key] = text
    if repeated is not None:
        for key, values in repeated.items():
            # RFC 9110 section 5.3, and RFC 6265 section 5.4 for the one field whose separator is another.
            environ[key] = ("; " if key == "HTTP_COOKIE" else ",").join(values)

    client = scope.get("client")
    if client:
        environ["REMOTE_ADDR"] = client[0]
        environ["REMOTE_PORT"] = str(client[1])
    else:
        environ["REMOTE_ADDR"] = ""
    server = scope.get("server")
    if server and server[1] is not None:
        environ["SERVER_NAME"] = server[0]
        environ["SERVER_PORT"] = str(server[1])
    else:
        environ["SERVER_NAME"], environ["SERVER_PORT"] = _named_server(environ.get("HTTP_HOST", ""), scheme)
    return environ


def body_length(environ: WSGIEnvironment) -> int | None:
    """The length of the body in bytes; None if only its end will tell, and then CONTENT_LENGTH is not set either."""
    declared = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" in environ:
        # RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length.
        environ.pop("CONTENT_LENGTH", None)
        return None
    if declared is not None:
        if declared.isascii() and declared.isdigit() and len(declared) < 20:
            return int(declared)
        del environ["CONTENT_LENGTH"]
        return None
    if environ["REQUEST_METHOD"] in _WITHOUT_BODY and environ["SERVER_PROTOCOL"].startswith("HTTP/1"):
        return 0
    return None


def _key(name: bytes) -> str:
    lower = name.lower()
    if lower in _KEYS:
        key = _KEYS[lower]
    elif b"_" in name or not name.isascii():
        # X_Forwarded_For would have the key of X-Forwarded-For: whoever sends it poses as the proxy.
        key = ""
    else:
        key = "HTTP_" + name.decode("ascii").upper().replace("-", "_")
    if len(_KEYS) < _KEYS_MAX and len(name) <= _KEYS_LENGTH:
        _KEYS[name] = key
    return key


def _bytes_as_text(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _named_server(host: str, scheme: str) -> tuple[str, str]:
    """Behind a Unix socket the only name and port that the server has are those the client called it by."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        name, port = host, _DEFAULT_PORTS.get(scheme, "80")
    return name or "localhost", port
