#!/bin/sh
# `gateway move`, `rollback` and the others for the service, from any folder: /usr/local/bin/gateway (docs/deploy.md).
#
# It runs them as the service's user, whose files they change and read. The history names who has called sudo.
exec sudo -u gateway env \
    GATEWAY_ROUTES="${GATEWAY_ROUTES:-/etc/gateway/routes.yaml}" \
    GATEWAY_STATE="${GATEWAY_STATE:-/var/lib/gateway}" \
    /opt/gateway/venv/bin/gateway "$@"
