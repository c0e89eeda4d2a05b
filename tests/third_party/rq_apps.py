"""RQ's dashboard twice: its Flask original, and the one on FastAPI that others have written to take its place."""

from __future__ import annotations

import os

from fastapi import FastAPI
from flask import Flask


def legacy() -> Flask:
    import rq_dashboard
    from rq_dashboard.web import setup_rq_connection

    app = Flask(__name__)
    app.config.from_object(rq_dashboard.default_settings)
    app.config["RQ_DASHBOARD_REDIS_URL"] = os.environ["RQ_REDIS"]
    setup_rq_connection(app)
    app.register_blueprint(rq_dashboard.blueprint, url_prefix="/old")
    return app


def new() -> FastAPI:
    from rq_dashboard_fast import RedisQueueDashboard

    app = FastAPI()
    app.mount("/rq", RedisQueueDashboard(os.environ["RQ_REDIS"], "/rq"))
    return app
