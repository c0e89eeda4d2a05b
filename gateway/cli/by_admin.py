"""The same through a gateway's admin listener, for whoever cannot reach its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn, Self

import httpx

from gateway.change.change import Change, Move, Split
from gateway.cli.change_options import How
from gateway.cli.exit_code import BAD_REQUEST, CHANGED_UNDERNEATH, NOT_DONE
from gateway.cli.outcome import changed, fail, not_changed, nothing_changes, planned
from gateway.cli.whoami import whoami


class AdminApi:
    """The admin listener at ``url``. What goes wrong ends the command, with a sentence that says what to do."""

    def __init__(self, url: str, as_json: bool, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._as_json = as_json
        token = os.environ.get("GATEWAY_ADMIN_TOKEN") or os.environ.get("GATEWAY_ADMIN_READ_TOKEN")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            headers=headers,
            # The listener waits some seconds for its workers before it answers.
            timeout=timeout + 5.0,
            # Reading the system's certificates takes 20 ms, for nothing where there is no TLS.
            verify=self._url.startswith("https:"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: int) -> Any:
        return self._answer("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any], if_match: str = "") -> Any:
        return self._answer("POST", path, json=body, headers={"if-match": if_match} if if_match else {})

    def _answer(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._client.request(method, f"{self._url}/api/v1{path}", **request)
            answer = response.json()
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            self._fail("unreachable", f"'{self._url}' is not a URL such as http://127.0.0.1:8001", NOT_DONE)
        except httpx.HTTPError as error:
            self._fail("unreachable", f"{self._url} does not answer: {str(error) or type(error).__name__}", NOT_DONE)
        except ValueError:
            self._fail("unreachable", f"{self._url} is not the admin listener of a gateway", NOT_DONE)
        if response.is_error:
            self._refused(response.status_code, answer)
        return answer

    def _refused(self, status: int, problem: Mapping[str, Any]) -> NoReturn:
        kind, detail = problem.get("kind", ""), problem.get("detail") or problem.get("title", "")
        if kind == "nothing-changes":
            nothing_changes(detail, self._as_json)
        if status == 401:
            detail = f"{self._url} wants a token: set GATEWAY_ADMIN_TOKEN"
        message = "\n".join([*problem.get("problems", ()), detail])
        if status == 412:
            code = CHANGED_UNDERNEATH
        else:
            code = NOT_DONE if kind in ("refused", "not-live", "not-written") or status >= 500 else BAD_REQUEST
        self._fail(kind or str(status), message, code)

    def _fail(self, kind: str, message: str, code: int) -> NoReturn:
        fail(kind, message, code, self._as_json)


def carry_out_by_admin(change: Change, url: str, how: How) -> None:
    """Planned, shown and made by the gateway at ``url``. Ends the command with its exit code if that is not 0."""
    body = {"change": _body(change)}
    with AdminApi(url, how.as_json, how.timeout) as api:
        plan = api.post("/plan", body)
        digest = plan.pop("digest")
        planned(plan, how.as_json)
        if how.dry_run:
            not_changed(plan, how.as_json)
            return
        # The plan is for the text that it was made from: whatever came in between is not written over.
        made = api.post("/changes", {**body, "reason": how.reason, "user": whoami()}, f'"{digest}"')
    undo = f"gateway rollback --to {made['undo']['rollback']['version']}{how.where}"
    live = {key: made[key] for key in ("digest", "kept", "version", "live_on", "workers", "milliseconds")}
    workers = f"{made['workers']} worker{'' if made['workers'] == 1 else 's'}"
    words = f"live on {made['live_on']} of {workers} in {made['milliseconds']} ms, as version {made['version']}"
    changed({**plan, **live, "undo": undo}, words, how.as_json)


def _body(change: Change) -> dict[str, Any]:
    if isinstance(change, Move):
        return {"move": {"route": change.route, "backend": change.backend}}
    if isinstance(change, Split):
        weights = {backend: weight / 100 for backend, weight in change.weights.items()}
        return {"split": {"route": change.route, "weights": weights}}
    wanted = {"route": change.route, "version": change.version, "all": change.everything or None}
    return {"rollback": {key: value for key, value in wanted.items() if value is not None}}
