"""What many sections of the file are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Model(BaseModel):
    """Frozen, and strict about keys: a typo in routes.yaml must never be read as a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
