"""The gateway as an ASGI application: what every request passes through, in seven numbered steps.

1. One snapshot, from start to end.
2. One path, for the table and for the app.
3. Who asks, and as which request.
4. The route.
5. The backend.
6. Forward: one answer, whole or visibly broken.
7. Record.

The first five decide, here, and nothing in them waits; the last two are in request.py. Step 6 has a shorter way without
a task (direct.py) and a longer one with a fallback (attempt.py).
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from gateway.dataplane import failure
from gateway.dataplane.attempt import Attempt
from gateway.dataplane.body_limit import limit_body
from gateway.dataplane.choose import choose
from gateway.dataplane.direct import DirectForward, GuardedForward, ServerExchange, shed
from gateway.dataplane.exchange import NOT_SHARED, NOT_STORED, SET_COOKIE, Added, WebSocketExchange
from gateway.dataplane.inbound import admit
from gateway.dataplane.lifecycle import Lifecycle
from gateway.dataplane.observer import ObservedRequest, why
from gateway.dataplane.override import UnknownBackend
from gateway.dataplane.problem_json import NOT_STARTED, Refused, bad_request, body_too_large
from gateway.dataplane.request import Request
from gateway.dataplane.snapshot import Lane, Route, Snapshot
from gateway.dataplane.websockets import OpenWebSocket
from gateway.routing.path import PathError, canonical
from gateway.routing.readings import read_otherwise


class Gateway(Lifecycle):
    """Forwards each request to the backend that routes.yaml names for it.

    An ASGI application: it runs in ``gateway run``, under any other ASGI server, mounted in an app, and in tests.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(receive, send)
            return
        begun = perf_counter()

        # 1. One snapshot, from start to end: a reload in between does not touch this request.
        snapshot = self._runtime.snapshot or await self._late_start()
        try:
            request = self._decide(snapshot, scope, begun)
        except Refused as refused:
            await self._refuse(refused, begun, scope, receive, send)
            return
        request.begin()
        websocket = request.websocket
        if websocket is None:
            await request.forward(scope, receive, send)
            return
        exchange = websocket.exchange = WebSocketExchange(send, request.added)
        self._websockets.add(websocket)
        try:
            await request.carry(receive, exchange)
        finally:
            self._websockets.remove(websocket)

    def direct(self, server: ServerExchange) -> None:
        """As ``__call__``, for a server that has a whole head and does not need a task (gateway/server/direct.py)."""
        begun = perf_counter()
        snapshot = self._runtime.snapshot
        try:
            request = self._decide(snapshot, server.scope, begun)
        except Refused as refused:
            server.start(self if snapshot is None else partial(self._refuse, refused, begun))
            return
        request.begin()
        app = request.app
        upstream = request.lane.upstream
        places = request.lane.places
        if places is not None and type(app) is not Attempt:
            full = places.full()
            if full is not None and shed(request, full, server):
                return
        if upstream is None or not server.request_complete or not (places is None or places.enter()):
            server.start(request.forward)
            return
        shorter: DirectForward
        if type(app) is Attempt:
            shorter = GuardedForward(upstream, request, server, app)
        else:
            shorter = DirectForward(upstream, request, server)
        shorter.places = places
        if shorter.ask(server.body):
            server.take(shorter)
        else:
            if places is not None:
                places.leave()
            server.start(request.forward)

    def _decide(self, snapshot: Snapshot | None, scope: Scope, begun: float) -> Request:
        """Steps 2 to 5. A plain function, for nothing in it waits. Raises Refused."""
        request_id = self._ids.next()
        if snapshot is None:
            raise Refused(NOT_STARTED, request_id)

        # 2. One path, for the table and for the app.
        try:
            path, raw_path = canonical(scope.get("raw_path") or _encoded(scope["path"]))
        except PathError as error:
            raise Refused(bad_request(str(error)), request_id) from None

        # 3. Who asks, and as which request.
        trace = None
        if snapshot.traces is not None:
            scope, trace = snapshot.traces.enter(scope, snapshot.trusted)
        scope, client, request_id = admit(scope, path, raw_path, snapshot.trusted, snapshot.forwarded, request_id)
        root_path = scope.get("root_path")
        if root_path:
            path = _below(path, root_path)

        # 4. The route.
        headers = scope["headers"]
        query = scope["query_string"]
        http = scope["type"] == "http"
        route = snapshot.table.match(scope["method"] if http else "GET", path, headers, query) or snapshot.default
        if route.max_body is not None and http and not limit_body(scope, route.max_body):
            raise Refused(body_too_large(route.max_body), request_id)

        # 5. The backend.
        fresh = detour = None
        added: Added | None = None
        lane = route.only
        if snapshot.override is not None:
            try:
                detour = snapshot.override.chosen(headers, client)
            except UnknownBackend:
                raise Refused(bad_request("The override names no known backend."), request_id) from None
            headers = scope["headers"] = snapshot.override.without(headers)
            if detour is not None:
                lane = snapshot.detour(route, detour)
                added = [NOT_STORED]
        if lane is None:
            lane, fresh = choose(route, headers, client, snapshot.sticky_cookie)
            if fresh is not None:
                cookie = snapshot.set_cookie(fresh, secure=scope["scheme"] in ("https", "wss"))
                added = [(SET_COOKIE, cookie), NOT_SHARED]
        if lane.served_by is not None:
            added = [lane.served_by, *(added or ())]
        guard = lane.guard
        if path[:2] == "//" or "%2F" in path or not path.isascii():
            self._refuse_another_reading(snapshot, route, lane, scope, path, request_id)
        if snapshot.observer is None:
            request = Request(scope, lane, added, request_id, begun)
        else:
            reason = why(route, headers, client, snapshot.sticky_cookie, fresh, detour)
            request = ObservedRequest(
                scope, lane, added, request_id, begun, snapshot.observer, client, route.label, reason, trace
            )
        if http:
            if guard is not None:
                guard.admit(request)
        else:
            request.websocket = OpenWebSocket(
                lane.backend, path, query, list(headers), client, fresh, detour is not None
            )
        return request

    async def _refuse(self, refused: Refused, begun: float, scope: Scope, _: Receive, send: Send) -> None:
        self._none.begin()
        try:
            await failure.refuse(scope, send, refused.problem, refused.request_id)
        finally:
            self._none.end(scope.get("method", "GET"), refused.problem.status, perf_counter() - begun)
            snapshot = self._runtime.snapshot
            if snapshot is not None and snapshot.observer is not None:
                snapshot.observer.refused(scope, refused, begun)

    def _refuse_another_reading(
        self, snapshot: Snapshot, route: Route, lane: Lane, scope: Scope, path: str, request_id: str
    ) -> None:
        """An app may not be asked, by another spelling, for what the table sends elsewhere.

        Where all readings lead to the same route the request goes on as it is: there are clients that join
        "https://host/" and "/path", and names with a slash in them.
        """
        readers = {lane.backend.interface}
        if lane.guard is not None:
            readers.add(lane.guard.instead.backend.interface)
        method = scope.get("method", "GET")
        for reading in read_otherwise(path, readers):
            other = snapshot.table.match(method, reading, scope["headers"], scope["query_string"]) or snapshot.default
            if other is not route:
                raise Refused(bad_request("The path can be read in more than one way."), request_id)


def _below(path: str, root_path: str) -> str:
    """The path inside the mount point: what the routes speak of."""
    if path.startswith(root_path) and path[len(root_path) : len(root_path) + 1] in ("", "/"):
        return path[len(root_path) :] or "/"
    return path


def _encoded(path: str) -> bytes:
    """The raw path for a server that gives none (ASGI has it as optional)."""
    return quote(path, safe="/!$&'()*+,;=:@~").encode()
