"""How the https addresses of a remote app are verified."""

from __future__ import annotations

import ssl

from gateway.config.backend import BackendConfig


def client_context(config: BackendConfig) -> ssl.SSLContext | None:
    """By the system's authorities, or by those in a file of one's own; None where no address is https.

    Raises OSError when that file cannot be read.
    """
    if not any(url.startswith("https:") for url in config.addresses):
        return None
    context = ssl.create_default_context(cafile=config.tls.ca)
    if not config.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
