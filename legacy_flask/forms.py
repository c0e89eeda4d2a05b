"""The forms of the pages. Flask-WTF adds the CSRF token and checks it."""

from __future__ import annotations

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
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Regexp, ValidationError

from .models import CATEGORIES
from .validation import NOT_AN_AMOUNT, whole_cents


def _plain(value: str | None) -> str | None:
    """Without the blanks around it, and without NUL, which PostgreSQL refuses in text."""
    return value.replace("\0", "").strip() if value else value


def _amount(form: FlaskForm, field: DecimalField) -> None:
    # Instead of NumberRange, which fails on a "sNaN" rather than refusing it.
    if field.data is not None and whole_cents(field.data) is None:
        raise ValidationError(NOT_AN_AMOUNT)


class LoginForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    email = EmailField("E-mail", filters=[_plain], validators=[DataRequired(), Length(max=254)])
    password = PasswordField("Password", validators=[DataRequired(), Length(max=128)])
    remember = BooleanField("Stay logged in on this device")
    submit = SubmitField("Log in")


class ProductForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    name = StringField("Name", filters=[_plain], validators=[DataRequired(), Length(max=200)])
    sku = StringField(
        "SKU",
        filters=[_plain],
        description="Two letters, a dash and four digits, such as BK-0107.",
        validators=[DataRequired(), Regexp(r"[A-Z]{2}-[0-9]{4}\Z", message="Two letters, a dash and four digits.")],
    )
    category = SelectField("Category", choices=list(CATEGORIES))
    price = DecimalField("Price in euros", places=2, validators=[InputRequired(), _amount])
    stock = IntegerField("In stock", default=0, validators=[InputRequired(), NumberRange(0, 100_000)])
    cover = ColorField(
        "Colour of the cover",
        default="#5b6b7a",
        validators=[Regexp(r"#[0-9a-f]{6}\Z", message="A colour such as #5b6b7a.")],
    )
    description = TextAreaField("Description", filters=[_plain], validators=[Length(max=2000)])
    submit = SubmitField("Add to the catalogue")
