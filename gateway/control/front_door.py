"""From routes.yaml to what the front door goes by, which knows nothing of the file."""

from __future__ import annotations

from gateway.config.model import Config
from gateway.dataplane.inbound import TrustedProxies
from gateway.server.limits import Limits


def limits_of(config: Config) -> Limits:
    """``body`` is not among them: it differs by route, and the data plane sees to it."""
    section = config.limits
    return Limits(
        # The reader of heads looks at the whole only where it is longer than a line may be.
        request_line=min(section.request_line, section.head),
        head=section.head,
        fields=section.fields,
        header_timeout=section.header_timeout,
        body_timeout=section.body_timeout,
        send_timeout=section.send_timeout,
        keep_alive=section.keep_alive,
        connections=section.connections,
        connections_per_client=section.connections_per_client,
        proxies=TrustedProxies(config.trusted_proxies),
        requests_per_connection=section.requests_per_connection,
        stream_lifetime=section.stream_lifetime,
    )
