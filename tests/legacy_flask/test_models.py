from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from legacy_flask.extensions import db
from legacy_flask.models import Product, User, utc_now


def test_money_is_whole_cents_in_the_table(app: Flask) -> None:
    with app.app_context():
        db.session.add(Product(sku="XX-0001", name="Dear", category="classics", price=Decimal("10.10")))
        db.session.commit()
        assert db.session.execute(text("SELECT price_cents FROM products WHERE sku = 'XX-0001'")).scalar() == 1010
        product = db.session.get(Product, 61)
        assert product is not None
        assert str(product.price) == "10.10"


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity")])
def test_money_is_a_number(app: Flask, amount: Decimal) -> None:
    with app.app_context():
        db.session.add(Product(sku="XX-0001", name="Dear", category="classics", price=amount))
        with pytest.raises(StatementError):
            db.session.commit()


def test_prices_and_stock_are_not_negative(app: Flask) -> None:
    for change in ({"price": Decimal("-0.01")}, {"stock": -1}):
        with app.app_context():
            values = {"sku": "XX-0001", "name": "Dear", "category": "classics", "price": Decimal(1), **change}
            db.session.add(Product(**values))
            with pytest.raises(IntegrityError):
                db.session.commit()


def test_times_are_utc_without_a_zone() -> None:
    now = utc_now()
    assert now.tzinfo is None
    assert abs(datetime.now(UTC).replace(tzinfo=None) - now) < timedelta(seconds=5)


def test_passwords() -> None:
    user = User()
    user.set_password("drink me")
    assert "drink me" not in user.password_hash
    assert user.has_password("drink me")
    assert not user.has_password("eat me")
