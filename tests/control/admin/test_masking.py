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
        f"x-them: [&it {WORDS}]\noverride:\n  secret: *it\n",
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


PASSPHRASE = "a long secret"


@pytest.mark.parametrize(
    "override",
    [
        f"override: {{secret: {PASSPHRASE}}}\n",
        f'override:\n  secret: "{PASSPHRASE}"  # it is {PASSPHRASE}\n',
        "override:\n  secret: >-\n    a long\n    secret\n",
        "override:\n  secret: a\n    long, secret\n",
        'override: {secret: "a, \\\n    long\n    secret", header: X-Backend}\n',
    ],
)
def test_a_secret_of_common_words_goes_as_a_whole_and_leaves_the_rest_readable(override: str) -> None:
    routes = "routes:\n  - {path: /a/long, name: secret, to: legacy}  # along the secret path\n"
    shown = masked(HEAD + routes + override)
    assert shown.startswith(HEAD + routes)
    assert MASK in shown
    written = shown.removeprefix(HEAD + routes).replace("secret:", "").replace("X-Backend", "")
    assert not {"a", "long", "secret", "a long"} & set(written.replace(MASK, " ").replace(",", " ").split())


def test_a_file_that_is_yaml_and_no_routes_file_is_masked_below_the_key_too() -> None:
    assert masked(f"override:\n  secret: |\n    {WORDS}\n  nonsense: 1\n") == (
        f"override:\n  secret: {MASK}\n    {MASK}\n  nonsense: 1\n"
    )
