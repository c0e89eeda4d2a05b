"""WebSockets after their handshake, from either end (RFC 6455). Imports nothing of ours."""
