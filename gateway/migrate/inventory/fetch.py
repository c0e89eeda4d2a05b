"""The endpoints of an app that serves its OpenAPI document."""

from __future__ import annotations

import httpx

from gateway.migrate.inventory.endpoint import Inventory, InventoryProblem
from gateway.migrate.inventory.openapi import document_url, openapi_inventory

# A document of some thousand endpoints has a few megabytes.
_MOST_BYTES = 32 * 1024 * 1024


def fetch_inventory(url: str, timeout: float = 10.0) -> Inventory:
    """The inventory of the document at ``url``, by default at /openapi.json of it. Raises InventoryProblem.

    ``url`` is as a backend's, ``unix:/run/app.sock`` among them. ``timeout`` is in seconds.
    """
    socket = url.removeprefix("unix:") if url.startswith("unix:") else None
    address = document_url("http://localhost" if socket is not None else url)
    transport = httpx.HTTPTransport(uds=socket) if socket is not None else None
    try:
        with httpx.Client(transport=transport, timeout=timeout, follow_redirects=True, trust_env=False) as client:
            response = client.get(address)
            response.raise_for_status()
            if len(response.content) > _MOST_BYTES:
                raise InventoryProblem(f"{address} is larger than {_MOST_BYTES // 1024**2} MiB")
            document = response.json()
    except httpx.HTTPStatusError as error:
        raise InventoryProblem(f"{address} answers {error.response.status_code}: it has no OpenAPI document") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InventoryProblem(f"{address} cannot be read: {error or type(error).__name__}") from None
    except ValueError:
        raise InventoryProblem(f"{address} is not JSON") from None
    return openapi_inventory(document, address)
