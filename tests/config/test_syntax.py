from __future__ import annotations

import pytest

from gateway.config.syntax import domain_complaint, import_string_complaint, network_complaint, url_complaint


@pytest.mark.parametrize(
    "text", ["new_fastapi:app", "shop.main:app", "legacy_flask:create_app()", "a.b.c:d.e", "größe:app", "a:b.make()"]
)
def test_import_strings(text: str) -> None:
    assert import_string_complaint(text) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("shop.main", "names no attribute; did you mean 'shop:main'?"),
        ("legacy.create_app()", "names no attribute; did you mean 'legacy:create_app()'?"),
        ("shop", "names no attribute; write 'shop:app'"),
        ("shop/main.py", "names no attribute; write 'shop.main:app'"),
        ("a b", "names no attribute; write 'module:attribute'"),
        ("", "names no attribute; write 'module:attribute'"),
        ("./shop/main.py:app", "names a file; write the module, such as 'shop.main:app'"),
        ("shop:create_app(debug=True)", "calls with arguments; a factory is called without, as in 'shop:create_app()'"),
        ("shop:create_app(", "calls with arguments; a factory is called without, as in 'shop:create_app()'"),
        ("shop:", "is not 'module:attribute': '' cannot be an attribute"),
        (":app", "is not 'module:attribute': '' cannot be a module"),
        ("a..b:app", "is not 'module:attribute': 'a..b' cannot be a module"),
        ("my-shop:app", "is not 'module:attribute': 'my-shop' cannot be a module"),
        ("a:b:c", "is not 'module:attribute': 'b:c' cannot be an attribute"),
        ("a:b()()", "calls with arguments; a factory is called without, as in 'a:b()'"),
        ("class:app", "is not 'module:attribute': 'class' cannot be a module"),
        ("http://127.0.0.1:5000", "is an address; give it as 'url'"),
        ("unix:/run/x.sock", "is an address; give it as 'url'"),
    ],
)
def test_what_is_no_import_string(text: str, complaint: str) -> None:
    assert import_string_complaint(text) == complaint


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:5000",
        "http://127.0.0.1:5000/",
        "https://legacy.internal",
        "http://[::1]:80",
        "HTTP://x",
        "unix:/run/legacy.sock",
    ],
)
def test_urls(text: str) -> None:
    assert url_complaint(text) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("127.0.0.1:5000", "is not an address; it begins with http://, https:// or unix:/"),
        ("localhost", "is not an address; it begins with http://, https:// or unix:/"),
        ("ftp://x", "is not an address; it begins with http://, https:// or unix:/"),
        ("unix:run/x.sock", "needs an absolute path: unix:/run/app.sock"),
        ("unix:/", "needs an absolute path: unix:/run/app.sock"),
        ("http://", "is not an address such as http://127.0.0.1:5000"),
        ("http://x:99999", "is not an address such as http://127.0.0.1:5000"),
        ("http://x:0", "is not an address such as http://127.0.0.1:5000"),
        ("http://[::1", "is not an address such as http://127.0.0.1:5000"),
        ("http://a b", "is not an address such as http://127.0.0.1:5000"),
        ("http://user@x", "has a user name or password in it, which backends cannot be given"),
        ("http://x/api", "has a path; an address ends after host and port"),
        ("http://x?y", "has a path; an address ends after host and port"),
        ("http://x?", "has a path; an address ends after host and port"),
    ],
)
def test_what_is_no_url(text: str, complaint: str) -> None:
    assert url_complaint(text) == complaint


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0"])
def test_networks(text: str) -> None:
    assert network_complaint(text) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("10.0.0.1/8", "is an address within a network; did you mean '10.0.0.0/8' or '10.0.0.1'?"),
        ("fd00::1/8", "is an address within a network; did you mean 'fd00::/8' or 'fd00::1'?"),
        ("*", "is not an address or network; every address is '0.0.0.0/0' and '::/0'"),
        ("localhost", "is not an address or network; write '127.0.0.1' and '::1'"),
        ("10.0.0.0/33", "is not an address or network such as 10.0.0.0/8"),
        ("10.0.0", "is not an address or network such as 10.0.0.0/8"),
        ("", "is not an address or network such as 10.0.0.0/8"),
    ],
)
def test_what_is_no_network(text: str, complaint: str) -> None:
    assert network_complaint(text) == complaint


def test_domains() -> None:
    assert domain_complaint("example.com") is None
    assert domain_complaint(".example.com") == "covers its subdomains by itself; write 'example.com'"
    assert domain_complaint("*.example.com") == "covers its subdomains by itself; write 'example.com'"
    for text in ("localhost", "a b.c", "x.y; Secure", "", "[::1]", "a..b"):
        assert domain_complaint(text) == "is not a domain such as example.com"
