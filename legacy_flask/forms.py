"""The forms of the pages. Flask-WTF adds the CSRF token and checks it."""

from __future__ import annotations

from decimal import Decimal

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    ColorField,
    DecimalField,
    EmailField,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Regexp

from .models import CATEGORIES
from .validation import LARGEST_AMOUNT


def _stripped(value: str | None) -> str | None:
    return value.strip() if value else value


class LoginForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    email = EmailField("E-mail", validators=[DataRequired(), Length(max=254)])
    password = PasswordField("Password", validators=[DataRequired(), Length(max=128)])
    remember = BooleanField("Stay logged in on this device")
    submit = SubmitField("Log in")


class ProductForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    name = StringField("Name", filters=[_stripped], validators=[DataRequired(), Length(max=200)])
    sku = StringField(
        "SKU",
        filters=[_stripped],
        description="Two letters, a dash and four digits, such as BK-0107.",
        validators=[DataRequired(), Regexp(r"[A-Z]{2}-[0-9]{4}\Z", message="Two letters, a dash and four digits.")],
    )
    category = SelectField("Category", choices=[(name, name.capitalize()) for name in CATEGORIES])
    price = DecimalField(
        "Price in euros", places=2, validators=[InputRequired(), NumberRange(Decimal("0.01"), LARGEST_AMOUNT)]
    )
    stock = IntegerField("In stock", default=0, validators=[InputRequired(), NumberRange(0, 100_000)])
    cover = ColorField(
        "Colour of the cover",
        default="#5b6b7a",
        validators=[Regexp(r"#[0-9a-f]{6}\Z", message="A colour such as #5b6b7a.")],
    )
    description = TextAreaField("Description", filters=[_stripped], validators=[Length(max=2000)])
    submit = SubmitField("Add to the catalogue")
