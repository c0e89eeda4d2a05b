from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.config.loader import digest_of
from gateway.history.texts import Texts

TEXT = "\ufeffversion: 1\r\n# é\r\n"
DIGEST = digest_of(TEXT.encode())


def test_a_text_comes_back_to_the_byte(tmp_path: Path) -> None:
    texts = Texts(tmp_path / "texts")
    assert texts.get(DIGEST) is None
    texts.put(DIGEST, TEXT)
    assert texts.get(DIGEST) == TEXT
    assert (tmp_path / "texts" / f"{DIGEST}.yaml").read_bytes() == TEXT.encode()
    assert stat.S_IMODE((tmp_path / "texts").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "texts" / f"{DIGEST}.yaml").stat().st_mode) == 0o600


def test_a_text_that_is_not_what_it_was_is_none_and_is_written_again(tmp_path: Path) -> None:
    texts = Texts(tmp_path)
    (tmp_path / f"{DIGEST}.yaml").write_text("version: 1\n# half")
    assert texts.get(DIGEST) is None
    texts.put(DIGEST, TEXT)
    assert texts.get(DIGEST) == TEXT


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 11, "0" * 13, "ABCDEFABCDEF"])
def test_only_a_digest_is_looked_for(tmp_path: Path, digest: str) -> None:
    assert Texts(tmp_path).get(digest) is None


def test_the_others_can_be_dropped(tmp_path: Path) -> None:
    texts = Texts(tmp_path)
    for text in ("a", "bb", "ccc"):
        texts.put(digest_of(text.encode()), text)
    kept = digest_of(b"bb")
    texts.drop_all_but({kept})
    assert texts.sizes() == {kept: 2}


def test_no_folder_is_no_texts(tmp_path: Path) -> None:
    texts = Texts(tmp_path / "texts")
    assert texts.sizes() == {}
    texts.drop_all_but(set())
