"""Whether a request that changes something comes from our own pages, or from another site's by way of a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def cross_site(headers: Headers) -> str | None:
    """Why a request is not to be trusted; None if nothing speaks against it.

    A browser says where a request comes from, in Sec-Fetch-Site (W3C Fetch Metadata) and in Origin (WHATWG Fetch 3.2),
    and no page can make it say otherwise. A request with neither is not a browser's, or a very old one's: then it must
    carry JSON, which a page of another site cannot send without asking first (CORS), and we never say yes.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return "the request comes from a page of another site"
    origin = headers.get("origin")
    if origin is not None:
        # `null` is a sandboxed frame or a local file. The scheme may differ: TLS may end in front of us.
        ours = urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        return None if ours else "the request comes from a page of another site"
    if site is None and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return "send application/json, or an Origin"
    return None
