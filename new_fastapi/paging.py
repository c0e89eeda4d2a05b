"""Pages of rows: ?page= and ?per_page=."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic import BeforeValidator
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Base

PER_PAGE = 20
MOST_PER_PAGE = 100
LAST_PAGE = 1_000_000  # beyond any table here, and far below what OFFSET can hold

Row = TypeVar("Row", bound=Base)


def int_or(default: int | None) -> BeforeValidator:
    """What is no number counts as not given: in a query string the Flask app forgives it."""

    def check(value: Any) -> int | None:
        try:
            return int(value)
        except (TypeError, ValueError):
            return default

    return BeforeValidator(check)


@dataclass(frozen=True)
class Paging:
    """A page number from 1, and how many rows a page has."""

    page: int
    per_page: int

    async def of(self, rows: Select[Row], db: AsyncSession, name: str) -> dict[str, Any]:
        """The rows of this page under ``name``, and where in the whole they are."""
        found = await db.scalars(rows.limit(self.per_page).offset((self.page - 1) * self.per_page))
        total = await db.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0
        return {
            name: found.all(),
            "page": self.page,
            "per_page": self.per_page,
            "pages": -(-total // self.per_page),
            "total": total,
        }


async def paging(
    page: Annotated[int, int_or(1), Query(description="from 1")] = 1,
    per_page: Annotated[int, int_or(PER_PAGE), Query(description=f"at most {MOST_PER_PAGE}")] = PER_PAGE,
) -> Paging:
    page = min(page, LAST_PAGE)
    per_page = min(per_page, MOST_PER_PAGE)
    return Paging(max(page, 1), per_page if per_page >= 1 else PER_PAGE)


PageAsked = Annotated[Paging, Depends(paging)]
