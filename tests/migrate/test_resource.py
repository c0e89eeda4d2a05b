from __future__ import annotations

import pytest

from gateway.migrate.resource import resource_of


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/", "root"),
        ("/{page}", "root"),
        ("/books", "books"),
        ("/books/", "books"),
        ("/books/{id:int}/reviews", "books"),
        ("/api/books", "api-books"),
        ("/api/v1/books/{id}", "api-v1-books"),
        ("/api/{tenant}/books", "api"),
        ("/v2.1/books", "v2-1-books"),
        ("/external-data", "external-data"),
        ("/.well-known/x", "well-known"),
        ("/2024/report", "r-2024"),
        ("/größe", "gr-e"),
        ("/本", "root"),
        ("/" + "x" * 100, "x" * 64),
    ],
)
def test_what_a_path_is_about(path: str, resource: str) -> None:
    assert resource_of(path) == resource


def test_one_path_on_two_hosts_is_about_two_things() -> None:
    assert resource_of("/books", "api.example.com") == "api-example-com-books"
    assert resource_of("/", "*.example.com") == "example-com"
