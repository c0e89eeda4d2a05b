"""Requests and responses as raw bytes, and what a proxy must make of them (RFC 9110, RFC 9112)."""
