"""Whether a URL answers with 200, as an exit code: for images that have no curl.

python healthcheck.py http://127.0.0.1:8001/readyz
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

# Seconds. Docker's own time-out is longer, and would tell nothing.
PATIENCE = 2.0


def main(url: str) -> int:
    """0 for a 200, 1 for anything else, which is told on stderr."""
    parts = urlsplit(url)
    # Not urllib.request: it would ask the proxy that HTTP_PROXY names.
    connection = HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if status != 200:
        print(f"{url}: {status}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
