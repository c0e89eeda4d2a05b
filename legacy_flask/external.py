"""/external-data: exchange rates from a third party that is slow and sometimes away."""

from __future__ import annotations

import requests
from flask import Blueprint, abort, current_app
from flask.typing import ResponseReturnValue

bp = Blueprint("external", __name__)


@bp.get("/external-data")
def external_data() -> ResponseReturnValue:
    url = f"{current_app.config['THIRD_PARTY_URL']}/rates"
    try:
        with requests.Session() as session:
            session.trust_env = False  # a service of ours: not by way of the proxy for the outside world
            answer = session.get(url, timeout=current_app.config["THIRD_PARTY_TIMEOUT"])
        answer.raise_for_status()
        rates = answer.json()
        return {"base": rates["base"], "date": rates["date"], "rates": rates["rates"]}
    except requests.Timeout:
        abort(504, "The exchange-rate service did not answer in time.")
    except requests.ConnectionError:
        abort(502, "The exchange-rate service cannot be reached.")
    except (requests.RequestException, KeyError, TypeError):
        # An error status, no JSON, or JSON of another kind.
        abort(502, "The exchange-rate service gave an answer we cannot use.")
