from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.change.moving import Weights, moves, redrawn
from gateway.config.backend import BackendConfig
from gateway.config.model import SCALE, Config, RouteConfig
from gateway.routing.split import Split

NAMES = ("legacy", "new", "third")


def config(weights: Weights, default: str = "legacy", **more: str) -> tuple[RouteConfig, Config]:
    to = {name: weight / 100 for name, weight in weights}
    route = RouteConfig(path="/books", to=to, **more)  # type: ignore[arg-type]
    backends = {name: BackendConfig(app="shop:app") for name in NAMES}
    return route, Config(version=1, backends=backends, default=default, routes=(route,))


def two(new: int) -> tuple[RouteConfig, Config]:
    return config((("legacy", SCALE - new), ("new", new)))


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    one = draw(st.integers(0, SCALE))
    other = draw(st.integers(0, SCALE - one))
    return (("legacy", one), ("new", other), ("third", SCALE - one - other))


@given(weights(), weights(), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_it_is_what_happens_to_every_point_of_the_line(old: Weights, new: Weights, one: str, other: str) -> None:
    """The data plane asks a split for the owner of a point; here each of the 10,000 is asked for."""
    before, after = Split(old, one), Split(new, other)
    counted: dict[tuple[str, str], int] = {}
    for point in range(SCALE):
        way = before.backends[before.owner(point)], after.backends[after.owner(point)]
        if way[0] != way[1]:
            counted[way] = counted.get(way, 0) + 1
    told = moves(*config(old, one), *config(new, other))
    assert {(source, target): share for source, target, share in told} == counted
    assert [share for *_, share in told] == sorted((share for *_, share in told), reverse=True)


@given(st.integers(0, SCALE), st.integers(0, SCALE))
def test_raising_moves_nobody_back_and_lowering_nobody_new(old: int, new: int) -> None:
    told = moves(*two(old), *two(new))
    if new > old:
        assert told == (("legacy", "new", new - old),)
    elif new < old:
        assert told == (("new", "legacy", old - new),)
    else:
        assert told == ()


def test_another_key_draws_everybody_anew() -> None:
    old, new = config((("legacy", 9000), ("new", 1000))), config((("legacy", 5000), ("new", 5000)), sticky="ip")
    assert redrawn(*old, *new)
    assert moves(*old, *new) == (("legacy", "new", 4500), ("new", "legacy", 500))


def test_another_group_draws_everybody_anew() -> None:
    assert redrawn(*two(10), *config((("legacy", SCALE - 10), ("new", 10)), group="catalogue"))


def test_where_all_go_one_way_no_key_matters() -> None:
    old, new = config((("legacy", SCALE),)), config((("legacy", 5000), ("new", 5000)), sticky="ip")
    assert not redrawn(*old, *new)
    assert moves(*old, *new) == (("legacy", "new", 5000),)
