"""/reports/: what sells. The figures name no customer, so everyone may see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, Response, render_template, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy import desc, func, select

from .extensions import db
from .models import Order, OrderLine, Product

bp = Blueprint("reports", __name__, url_prefix="/reports")

ROWS_AT_ONCE = 100
HEADINGS = ("line", "ordered_at", "sku", "product", "category", "quantity", "unit_price", "total")


@bp.get("/")
def index() -> ResponseReturnValue:
    sold = func.sum(OrderLine.quantity).label("sold")
    takings = func.sum(OrderLine.quantity * OrderLine.unit_price).label("takings")
    statement = (
        select(Product, sold, takings)
        .join(OrderLine, OrderLine.product_id == Product.id)
        .group_by(Product.id)
        .order_by(desc(sold), Product.id)
        .limit(10)
    )
    return render_template("reports.html", bestsellers=db.session.execute(statement).all())


@bp.get("/sales.csv")
def sales() -> ResponseReturnValue:
    response = Response(stream_with_context(_sales_lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=sales.csv"
    return response


def _sales_lines() -> Iterator[str]:
    """The report in pieces of a hundred rows; neither the rows nor the text are ever in memory as a whole."""
    statement = (
        select(
            OrderLine.id,
            Order.ordered_at,
            Product.sku,
            Product.name,
            Product.category,
            OrderLine.quantity,
            OrderLine.unit_price,
        )
        .join(OrderLine.order)
        .join(OrderLine.product)
        .order_by(OrderLine.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADINGS)
    for rows in db.session.execute(statement).partitions():
        for line, ordered_at, sku, name, category, quantity, unit_price in rows:
            total = quantity * unit_price
            writer.writerow((line, ordered_at.isoformat(), sku, name, category, quantity, unit_price, total))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
