from __future__ import annotations

from gateway.migrate.burn_down import Point, burn_down
from tests.migrate.samples import ROUTES, TARGETS, config


def test_version_by_version() -> None:
    versions = [
        (1.0, config(ROUTES.partition("routes:")[0])),
        (2.0, config()),
        (3.0, config(ROUTES.replace("{legacy: 90, new: 10}", "new"))),
    ]
    points = list(burn_down(TARGETS, versions, "legacy"))
    assert points == [Point(1.0, 0, 0, 8), Point(2.0, 3, 1, 8), Point(3.0, 4, 0, 8)]
    assert [point.left for point in points] == [8, 5, 4]
