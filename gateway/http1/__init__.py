"""HTTP/1.1, as far as both sides of the gateway speak it alike. Imports nothing of ours."""
