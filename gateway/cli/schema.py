"""`gateway schema`: the JSON Schema of routes.yaml, for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.config.schema import schema_text


def schema(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as it does without.")] = False,
) -> None:
    """Print the JSON Schema of routes.yaml.

    Editors with yaml-language-server use it when the file begins with
    `# yaml-language-server: $schema=routes.schema.json`.
    """
    typer.echo(schema_text(), nl=False)
