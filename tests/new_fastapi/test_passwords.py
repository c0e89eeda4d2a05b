from __future__ import annotations

import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from new_fastapi import passwords


@pytest.mark.parametrize("method", ["scrypt", "scrypt:1024:8:1", "pbkdf2:sha256:1000", "pbkdf2:sha512:1"])
async def test_checks_what_werkzeug_stored(method: str) -> None:
    stored = generate_password_hash("wonderland é", method=method)
    assert await passwords.matches(stored, "wonderland é")
    assert not await passwords.matches(stored, "Wonderland é")


async def test_werkzeug_checks_what_is_stored_here() -> None:
    stored = await passwords.hashed("wonderland é")
    assert check_password_hash(stored, "wonderland é")
    assert stored.split("$")[0] == generate_password_hash("x").split("$")[0]
    assert len(stored) == len(generate_password_hash("x"))
    assert await passwords.hashed("wonderland é") != stored


@pytest.mark.parametrize("stored", ["", "plain", "md5$salt$digest", "scrypt:x$salt$digest", "pbkdf2$salt$digest", "$$"])
async def test_a_hash_of_an_unknown_kind_matches_nothing(stored: str) -> None:
    assert not await passwords.matches(stored, "")
