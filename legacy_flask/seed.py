"""What the shop starts with: always the same, so that tests, screenshots and two apps can be compared."""

from __future__ import annotations

import csv
import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import CONDITIONS, Book, Item, Order, OrderLine, Product, User

OPENING_DAY = datetime(2025, 1, 2, 9, 30)
ORDERS = 1500
ITEMS = 24

# Known to whoever reads this file: for development and demonstration only.
MEMBERS = (
    ("alice@example.com", "Alice Liddell", "wonderland"),
    ("bob@example.com", "Bob Cratchit", "builder-of-things"),
    ("carol@example.com", "Carol Kennicott", "main-street"),
)


def seed(session: Session) -> bool:
    """Fill an empty database; True when it was empty. Does not commit."""
    if session.scalar(select(func.count()).select_from(User)):
        return False
    chance = random.Random(1859)  # noqa: S311  # the same shop each time, not a secret
    members = _members()
    products = _products()
    session.add_all(members)
    session.add_all(products)
    session.flush()  # ids in the order of the files, before anything refers to them
    session.add_all(_items(chance, members, [product.book for product in products if product.book]))
    session.add_all(_orders(chance, members, products))
    session.flush()
    return True


def _members() -> list[User]:
    members = []
    for number, (email, name, password) in enumerate(MEMBERS):
        member = User(email=email, name=name, created_at=OPENING_DAY + timedelta(days=number))
        member.set_password(password)
        members.append(member)
    return members


def _products() -> list[Product]:
    """One product for each row of data/products.csv, and its book where the row has an author."""
    products = []
    with (Path(__file__).parent / "data" / "products.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            added = OPENING_DAY + timedelta(hours=number)
            book = None
            if row["author"]:
                book = Book(
                    title=row["name"],
                    author=row["author"],
                    isbn=_isbn(number),
                    year=int(row["year"]),
                    pages=int(row["pages"]),
                    created_at=added,
                )
            products.append(
                Product(
                    sku=f"{'BK' if book else 'ST'}-{number:04d}",
                    name=row["name"],
                    category=row["category"],
                    price=Decimal(row["price"]),
                    stock=int(row["stock"]),
                    description=row["description"],
                    cover=row["cover"],
                    book=book,
                    created_at=added,
                )
            )
    return products


def _items(chance: random.Random, members: list[User], books: list[Book]) -> list[Item]:
    notes = ("", "A name on the flyleaf.", "Spine a little faded.", "Read once.", "Pencil notes in chapter two.")
    return [
        Item(
            book=chance.choice(books),
            seller=chance.choice(members),
            condition=chance.choice(CONDITIONS),
            price=Decimal(chance.randrange(150, 900, 50)).scaleb(-2),
            note=chance.choice(notes),
            created_at=OPENING_DAY + timedelta(days=30 + number),
        )
        for number in range(ITEMS)
    ]


def _orders(chance: random.Random, members: list[User], products: list[Product]) -> list[Order]:
    orders = []
    moment = OPENING_DAY
    for _ in range(ORDERS):
        moment += timedelta(minutes=chance.randrange(20, 600))
        # Squaring leans towards the first products: a shop has bestsellers.
        chosen = {int(len(products) * chance.random() ** 2) for _ in range(chance.randrange(1, 5))}
        lines = [
            OrderLine(
                product=products[index], quantity=chance.choice((1, 1, 1, 2, 3)), unit_price=products[index].price
            )
            for index in sorted(chosen)
        ]
        orders.append(Order(user=chance.choice(members), ordered_at=moment, lines=lines))
    return orders


def _isbn(number: int) -> str:
    """A well-formed ISBN-13: the last digit makes the sum, with weights 1 and 3, a multiple of ten."""
    digits = f"97800000{number:04d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
