"""The catalogue: its pages, and the form that adds a product to it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from .api import LAST_PAGE, find_or_404
from .extensions import db
from .forms import ProductForm
from .identity import login_required
from .models import CATEGORIES, Item, Product

bp = Blueprint("catalogue", __name__)

PRODUCTS_PER_PAGE = 12


@bp.get("/")
def index() -> ResponseReturnValue:
    category = request.args.get("category")
    if category not in CATEGORIES:
        category = None
    statement = select(Product).options(joinedload(Product.book)).order_by(Product.id)
    if category:
        statement = statement.where(Product.category == category)
    page = db.paginate(
        statement,
        page=min(request.args.get("page", 1, type=int), LAST_PAGE),
        per_page=PRODUCTS_PER_PAGE,
        error_out=True,  # a page that does not exist is a 404
    )
    return render_template("index.html", page=page, category=category, categories=CATEGORIES)


@bp.get("/catalogue/<int:product_id>")
def product(product_id: int) -> ResponseReturnValue:
    found = find_or_404(Product, product_id, "product")
    statement = select(Item).where(Item.book_id == found.book_id).options(joinedload(Item.seller)).order_by(Item.price)
    copies = db.session.scalars(statement).all() if found.book_id else []
    return render_template("product.html", product=found, copies=copies)


@bp.route("/catalogue/new", methods=["GET", "POST"])
@login_required
def new_product() -> ResponseReturnValue:
    form = ProductForm()
    if form.validate_on_submit():
        added = Product()
        form.populate_obj(added)
        db.session.add(added)
        try:
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
            form.sku.errors = ["Another product has this SKU."]
        else:
            flash(f"“{added.name}” is in the catalogue.", "success")
            return redirect(url_for(".product", product_id=added.id))
    return render_template("new_product.html", form=form)
