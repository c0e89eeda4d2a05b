from __future__ import annotations

import json

from gateway.config.schema import routes_schema
from tests.cli.conftest import Invoke


def test_the_schema_is_printed(invoke: Invoke) -> None:
    for arguments in ((), ("--json",)):
        done = invoke("schema", *arguments)
        assert done.code == 0
        assert json.loads(done.out) == routes_schema()
