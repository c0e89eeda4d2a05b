"""Password hashes as Werkzeug stores them, ``method$salt$hash``, made and checked without it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import string

SALT = string.ascii_letters + string.digits
SCRYPT = "scrypt:32768:8:1"


async def hashed(password: str) -> str:
    """A hash of ``password`` that the Flask app can check too."""
    salt = "".join(secrets.choice(SALT) for _ in range(16))
    digest = await asyncio.to_thread(_digest, SCRYPT, salt, password)
    return f"{SCRYPT}${salt}${digest}"


async def matches(stored: str, password: str) -> bool:
    """Whether ``stored`` is a hash of ``password``. Takes tens of milliseconds, in a thread: the loop goes on."""
    method, _, rest = stored.partition("$")
    salt, _, expected = rest.partition("$")
    try:
        digest = await asyncio.to_thread(_digest, method, salt, password)
    except ValueError:
        return False  # a method that nobody knows; the Flask app would crash on it
    return hmac.compare_digest(digest, expected)


def _digest(method: str, salt: str, password: str) -> str:
    name, *parameters = method.split(":")
    if name == "scrypt":
        n, r, p = map(int, parameters)
        # OpenSSL's default limit of 32 MiB is a little less than these parameters need.
        raw = hashlib.scrypt(password.encode(), salt=salt.encode(), n=n, r=r, p=p, maxmem=132 * n * r * p)
    elif name == "pbkdf2":
        hash_name, iterations = parameters
        raw = hashlib.pbkdf2_hmac(hash_name, password.encode(), salt.encode(), int(iterations))
    else:
        raise ValueError(f"unknown password hash {name!r}")
    return raw.hex()
