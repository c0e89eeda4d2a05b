from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal

from flask.testing import FlaskClient

from legacy_flask.reports import HEADINGS


def test_bestsellers(client: FlaskClient) -> None:
    text = client.get("/reports/").text
    assert text.count("<tr>") == 11
    assert 'href="/reports/sales.csv"' in text


def test_a_missing_slash_is_put_right(client: FlaskClient) -> None:
    response = client.get("/reports")
    assert (response.status_code, response.location) == (308, "http://localhost/reports/")


def test_sales(client: FlaskClient) -> None:
    response = client.get("/reports/sales.csv")
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == "attachment; filename=sales.csv"
    assert response.content_length is None
    rows = list(csv.DictReader(response.text.splitlines()))
    assert tuple(rows[0]) == HEADINGS
    assert len(rows) == 3668
    assert rows[0]["ordered_at"] == "2025-01-02T18:32:00"
    assert [row["line"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert all(Decimal(row["total"]) == int(row["quantity"]) * Decimal(row["unit_price"]) for row in rows)
    assert all(row["total"][-3] == "." for row in rows)


def test_sales_come_in_pieces(client: FlaskClient) -> None:
    with client.get("/reports/sales.csv", buffered=False) as response:
        pieces = list(response.iter_encoded())
    assert len(pieces) == 37
    assert pieces[0].startswith(b"line,ordered_at,")
    assert all(piece.endswith(b"\r\n") for piece in pieces)


def test_sales_can_be_left_unread(client: FlaskClient) -> None:
    """A client that goes away in the middle must not keep the database connection."""
    for _ in range(3):
        with client.get("/reports/sales.csv", buffered=False) as response:
            next(response.iter_encoded())
    assert client.get("/reports/sales.csv").status_code == 200


def test_bestsellers_and_sales_agree(client: FlaskClient) -> None:
    sold: Counter[str] = Counter()
    for row in csv.DictReader(client.get("/reports/sales.csv").text.splitlines()):
        sold[row["product"]] += int(row["quantity"])
    name, number = sold.most_common(1)[0]
    assert name.startswith("Alice")
    assert f'<td class="number">{number}</td>' in client.get("/reports/").text


def test_errors_are_pages(client: FlaskClient) -> None:
    response = client.get("/reports/none")
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"
