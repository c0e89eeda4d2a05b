"""Spans by OpenTelemetry, made when a request has ended and sent by a thread of the SDK, many at once.

The one module that imports OpenTelemetry, and nobody imports it unless ``tracing.spans`` is on. Where spans go, and
under which name, is said by the variables that the SDK reads itself: ``OTEL_EXPORTER_OTLP_ENDPOINT``,
``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_BSP_*``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Thread
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context

from gateway.version import __version__

NAME: Final = "strangler-gateway"

# Seconds for which the end waits for the receiver.
_PATIENCE: Final = 2.0


class _Ids(IdGenerator):
    """Gives the ids that the request was passed on with."""

    trace_id = 0
    span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class Spans:
    """One process' spans. Its provider is not the global one: an app in this process may have its own."""

    def __init__(self) -> None:
        resource = Resource.create({SERVICE_VERSION: __version__})
        if not _is_named():
            resource = resource.merge(Resource({SERVICE_NAME: NAME}))
        self._ids = _Ids()
        # What is to be sampled is decided when the request begins: who asks for a span here gets it.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(NAME, __version__)

    def add(
        self,
        name: str,
        trace_id: int,
        span_id: int,
        parent_id: int,
        begun: int,
        ended: int,
        attributes: Mapping[str, str | int],
        *,
        failed: bool,
    ) -> None:
        """A span of kind server. ``parent_id`` is 0 for the first of its trace; times are nanoseconds of the epoch."""
        self._ids.trace_id = trace_id
        self._ids.span_id = span_id
        context = Context()
        if parent_id:
            parent = SpanContext(trace_id, parent_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(parent), context)
        span = self._tracer.start_span(name, context, SpanKind.SERVER, attributes, start_time=begun)
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def stop(self) -> None:
        """Send what is left, unless the receiver takes too long for that. Blocks."""
        # The SDK would wait for half a minute, and its thread keep the process alive.
        end = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        end.start()
        end.join(_PATIENCE)


def _is_named() -> bool:
    named = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return bool(os.environ.get("OTEL_SERVICE_NAME")) or f"{SERVICE_NAME}=" in named
