from __future__ import annotations

import pytest

from gateway.control.admin.masking import MASK, masked

HEAD = 'version: 1\nbackends: {legacy: {app: "l:app"}}\ndefault: legacy\n'
WORDS = "hunter2-hunter2"


@pytest.mark.parametrize(
    "override",
    [
        f"override: {{secret: {WORDS}}}\n",
        f"override: {{secret: {WORDS}, header: X-Backend}}\n",
        f"override:\n  secret: {WORDS}\n",
        f'override:\n  "secret": "{WORDS}"  # {WORDS}\n',
        f"override:\n  secret: '{WORDS}'\n",
        f"override:\n  secret: &it {WORDS}\n",
        f"override:\n  secret: >-\n    {WORDS}\n",
        f"override:\n  secret:\n    {WORDS}\n",
        f'override:\n  secret: "hunter2-\\\n    hunter2"\n  # {WORDS}\n',
        f"override:\n  secret: ${{SECRET:-{WORDS}}}\n",
        f"# {WORDS}\noverride:\n  secret: {WORDS}\n",
    ],
)
def test_a_secret_is_masked_however_it_is_written(override: str) -> None:
    text = HEAD + override
    shown = masked(text)
    assert WORDS not in shown
    assert MASK in shown
    assert shown.startswith(HEAD.rstrip()) or text.startswith(HEAD + "#")


@pytest.mark.parametrize("secret", ["${SECRET}", '"${SECRET}"', "${SECRET}   # from the environment"])
def test_the_name_of_a_variable_is_no_secret(secret: str) -> None:
    text = f"{HEAD}override:\n  secret: {secret}\n"
    assert masked(text) == text


def test_nothing_else_is_touched() -> None:
    text = HEAD + "routes:\n  - {path: /secret, name: secret, to: legacy}\n  - {path: '/secret:x', to: legacy}\n"
    assert masked(text) == text


def test_a_file_that_is_too_bad_to_be_read_is_masked_at_the_key() -> None:
    assert masked(f"version: [\noverride: {{secret: {WORDS}, ") == f"version: [\noverride: {{secret: {MASK}, "


def test_a_diff_is_masked_by_the_texts_it_is_of() -> None:
    old, new = (f"{HEAD}override:\n  secret: >-\n    {word}\n" for word in ("first-secret", "second-secret"))
    diff = "@@ -5,2 +5,2 @@\n   secret: >-\n-    first-secret\n+    second-secret\n"
    shown = masked(diff, old, new)
    assert "first-secret" not in shown
    assert "second-secret" not in shown
    line = masked("-  secret: first-secret\n+  secret: ${SECRET}\n", old, new)
    assert line == f"-  secret: {MASK}\n+  secret: ${{SECRET}}\n"
