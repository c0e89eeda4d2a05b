"""Percentages over backends: who gets whom.

A client's key hashes to a point on a line of 10,000 points, hundredths of a percent; every backend owns an interval of
it as long as its weight. Nothing is remembered and nothing is shared: every process and every replica agrees.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from itertools import accumulate
from random import Random

SCALE = 10_000


class Points:
    """Where keys fall, from 0 to SCALE - 1: evenly, and for every ``salt`` independently of all others.

    The salt is the name of the group or route. Without it, the same tenth of all users would be the guinea pigs of
    every canary. The first 64 bits of BLAKE2b, keyed with the salt, scaled: with 2**64 values, the remainder makes no
    point more likely than another by more than one part in 10**15.
    """

    __slots__ = ("_keyed",)

    def __init__(self, salt: str) -> None:
        salted = salt.encode("utf-8", "surrogatepass")
        if len(salted) > 64:  # the longest key that BLAKE2 takes (RFC 7693 2.1)
            salted = blake2b(salted).digest()
        # Keyed once: for each request a copy of this state costs a third of making it anew.
        self._keyed = blake2b(digest_size=8, key=salted)

    def of(self, key: str) -> int:
        state = self._keyed.copy()
        state.update(key.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big") * SCALE >> 64


def point(salt: str, key: str) -> int:
    """The point of one key, where it is asked for only once."""
    return Points(salt).of(key)


class Split:
    """Weights as intervals. Immutable.

    ``backends`` are in alphabetical order, with ``default`` at the end if it is among them, and ``weights`` in theirs;
    ``intervals`` are half-open, ``(backend, start, end)``, and leave out who owns nothing.

    With two backends, raising one's weight moves points only to it, and lowering it only away from it: nobody who has
    moved is moved back by going up, nobody new is moved by going down, through any number of steps.

    With more, for any change of weights: if the default's weight falls, no point moves to it, and if it rises, no
    point leaves it, whatever happens among the others. If one backend is raised at the cost of the default alone, it
    loses no point, and the backends before it in the alphabet keep exactly theirs; those after it stand further
    right, so some of their points change hands between them. Neighbours have to move on a line; ending with the
    default makes sure that they never move back to it.

    All of this holds while ``default`` stays the same: another one is another order.
    """

    __slots__ = ("_ends", "backends", "weights")

    def __init__(self, weights: Sequence[tuple[str, int]], default: str) -> None:
        """``weights`` in hundredths of a percent. Raises ValueError if they are negative, repeated or not 100 %."""
        shares = dict(weights)
        if len(shares) != len(weights):
            raise ValueError("a backend is there twice")
        if min(shares.values(), default=0) < 0 or sum(shares.values()) != SCALE:
            raise ValueError(f"weights are not negative and sum to {SCALE}")
        self.backends = tuple(sorted(shares, key=lambda name: (name == default, name)))
        self.weights = tuple(shares[name] for name in self.backends)
        self._ends = tuple(accumulate(self.weights))

    @property
    def intervals(self) -> tuple[tuple[str, int, int], ...]:
        owners = zip(self.backends, self.weights, self._ends, strict=True)
        return tuple((name, end - weight, end) for name, weight, end in owners if weight > 0)

    def owner(self, point: int) -> int:
        """The index in ``backends`` of the owner of ``point``, which is from 0 to SCALE - 1."""
        return bisect_right(self._ends, point)


class EvenDraw:
    """Draws indices by weight, for requests without a key: evenly, not only on average.

    After n draws an index has come up n times its share, give or take less than 1 with two weights above zero, less
    than 2 with three, less than 3.4 with any number; independent draws would stray by the square root of n. Each
    single draw is random with exactly the shares as its probabilities, also the first: a canary of 1 % does not begin
    with its hundredth request. And there is no rhythm: strict turns would, at 50 %, send every page to one side
    and its stylesheet to the other.

    One draw belongs to one process and one thread. ``seed`` is for tests.
    """

    __slots__ = ("_root",)

    def __init__(self, weights: Sequence[int], seed: int | None = None) -> None:
        """Raises ValueError if no weight is above zero, or one is below."""
        if min(weights, default=0) < 0 or not any(weights):
            raise ValueError("no weight is below zero, and one at least above it")
        random = Random(seed)  # noqa: S311 (who wins a draw is not a secret)
        # Huffman's tree: every fork halves the choice evenly, and the big shares are near the root. An index strays
        # by less than the sum, over the forks above it, of its share in each: 1 + 1 + 1/2 + 1/3 + 1/5 + ... at worst,
        # because the shares from fork to fork grow at least like Fibonacci's numbers.
        heap: list[tuple[int, int, int | _Fork]] = [(w, i, i) for i, w in enumerate(weights) if w > 0]
        heapify(heap)
        while len(heap) > 1:
            light, _, one = heappop(heap)
            heavy, order, other = heappop(heap)
            heappush(heap, (light + heavy, order, _Fork(light, heavy, one, other, random)))
        self._root = heap[0][2]

    def next(self) -> int:
        """The next index."""
        at = self._root
        while isinstance(at, _Fork):
            at = at.next()
        return at


class _Fork:
    """A draw between two.

    Deville's systematic sampling: the draws are laid side by side on a line, each as long as ``light``'s probability,
    and from every unit of that line exactly one draw, at a random place, is given to ``light``. So after n draws it has
    as many as there are whole units, or one more. A draw that lies across the border of two units belongs to both:
    if the unit that ends still needs one it is taken, otherwise with the chance left that makes its whole chance right.

    Lengths are in units of ``1 / total``, as integers: after a million draws the line is still exact.
    """

    __slots__ = ("_heavy", "_light", "_position", "_random", "_share", "_taken", "_total")

    def __init__(self, light: int, heavy: int, one: int | _Fork, other: int | _Fork, random: Random) -> None:
        self._share = light
        self._total = light + heavy
        self._light = one
        self._heavy = other
        self._random = random.random
        self._position = 0  # in the current unit
        self._taken = False  # whether the current unit has had its one

    def next(self) -> int | _Fork:
        position = self._position
        after = position + self._share
        if after < self._total:
            self._position = after
            # The chance that a unit has not had its one by ``position`` is (total - position) / total.
            if self._taken or self._random() * (self._total - position) >= self._share:
                return self._heavy
            self._taken = True
            return self._light
        self._position = after - self._total
        if not self._taken:
            return self._light
        self._taken = self._random() * position < self._position
        return self._light if self._taken else self._heavy
