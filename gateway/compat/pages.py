"""Werkzeug's error pages, which are Flask's until an app has its own."""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import Final

_DESCRIPTIONS: Final = {
    400: "The browser (or proxy) sent a request that this server could not understand.",
    401: (
        "The server could not verify that you are authorized to access the URL requested. You either supplied the wrong"
        " credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials required."
    ),
    403: (
        "You don't have the permission to access the requested resource. It is either read-protected or not readable by"
        " the server."
    ),
    404: (
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and"
        " try again."
    ),
    405: "The method is not allowed for the requested URL.",
    406: (
        "The resource identified by the request is only capable of generating response entities which have content"
        " characteristics not acceptable according to the accept headers sent in the request."
    ),
    408: (
        "The server closed the network connection because the browser didn't finish the request within the specified"
        " time."
    ),
    409: (
        "A conflict happened while processing the request. The resource might have been modified while the request was"
        " being processed."
    ),
    410: (
        "The requested URL is no longer available on this server and there is no forwarding address. If you followed a"
        " link from a foreign page, please contact the author of this page."
    ),
    413: "The data value transmitted exceeds the capacity limit.",
    415: "The server does not support the media type transmitted in the request.",
    422: "The request was well-formed but was unable to be followed due to semantic errors.",
    429: "This user has exceeded an allotted request count. Try again later.",
    500: (
        "The server encountered an internal error and was unable to complete your request. Either the server is"
        " overloaded or there is an error in the application."
    ),
    501: "The server does not support the action requested by the browser.",
    502: "The proxy server received an invalid response from an upstream server.",
    503: (
        "The server is temporarily unable to service your request due to maintenance downtime or capacity problems."
        " Please try again later."
    ),
    504: "The connection to an upstream server timed out.",
}

_CONTENT_TYPE: Final = (b"content-type", b"text/html; charset=utf-8")

# Werkzeug's names where they are not the usual ones.
_NAMES: Final = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}


def page(status: int, description: str = "") -> tuple[tuple[bytes, bytes], bytes]:
    """The content-type field and the page, as ``werkzeug.exceptions`` has them."""
    name = html.escape(_NAMES.get(status) or _phrase(status))
    text = html.escape(description or _DESCRIPTIONS.get(status, "")).replace("\n", "<br>")
    shown = f"<p>{text}</p>\n" if text else ""
    content = f"<!doctype html>\n<html lang=en>\n<title>{status} {name}</title>\n<h1>{name}</h1>\n{shown}"
    return _CONTENT_TYPE, content.encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"
