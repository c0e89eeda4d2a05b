"""The control process checks what is live, and writes it down where the workers read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from gateway.config.loader import Loaded, load_text
from gateway.control.checks import checking
from gateway.control.live import LiveConfig
from gateway.control.messages import Ready
from gateway.control.options import board_path, text_path
from gateway.control.process import WorkerProcess
from gateway.health.board import Address, BoardReader
from gateway.telemetry.exposition import Aggregate
from tests.upstream.scripted import always, app, eventually

ILL = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


def loaded(*urls: str) -> Loaded:
    check = "{path: /healthz, every: 0.1, unhealthy_after: 1}"
    return load_text(
        f"version: 1\nbackends: {{new: {{urls: {json.dumps(urls)}, health: {check}}}}}\ndefault: new\nroutes: []\n"
    )


async def test_what_is_live_is_checked_and_what_is_live_no_more_is_not(tmp_path: Path) -> None:
    async with app(always(ILL)) as one, app(always(ILL)) as two:
        live = LiveConfig(loaded(one.url), tmp_path)
        worker = WorkerProcess(1, *cast(Any, (None, None, None, None)))
        await live.note(worker, Ready(digest=live.loaded.digest), [worker])
        numbers = Aggregate()
        reader = BoardReader(board_path(tmp_path))
        async with checking(live, tmp_path, numbers) as checker:
            await eventually(lambda: reader.down() == {Address("new", one.url)})
            assert numbers.totals()["backend_health", "new", one.url] == [2.0]
            changed = loaded(two.url)
            text_path(tmp_path, changed.digest).write_text(changed.text)
            await live.note(worker, Ready(digest=changed.digest), [worker])
            assert set(checker.checked) == {Address("new", two.url)}
            await eventually(lambda: reader.down() == {Address("new", two.url)})
        assert live.on_change == []
        assert checker.checked == {}
        assert reader.down() == frozenset()
        reader.close()
        numbers.close()
