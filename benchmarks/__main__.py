"""`python -m benchmarks` runs all of them; `python -m benchmarks NAME ...` the named ones.

The exit status is 0 when every goal is met, 1 when one is missed or an answer was wrong.
"""

from __future__ import annotations

import importlib
import sys
import time

from benchmarks.load import WrongAnswerError
from benchmarks.server import StartError, environment_note

NAMES = (
    *("routing", "embedded_fastapi", "embedded_flask", "slow_flask", "overload", "reload"),
    *("proxies", "access_log", "large_bodies", "idle_connections", "wire_matrix"),
)


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if not sys.platform.startswith("linux"):
        print("the benchmarks read CPU time from /proc: they run on Linux only", file=sys.stderr)
        return 2
    print(environment_note())
    outcomes = {name: run(name) for name in arguments or NAMES}
    print("\n" + ", ".join(f"{name}: {outcome}" for name, outcome in outcomes.items()))
    return 0 if all(outcome == "goals met" for outcome in outcomes.values()) else 1


def run(name: str) -> str:
    """Run one benchmark's ``main() -> bool``, and say how it went."""
    started = time.perf_counter()
    try:
        met = importlib.import_module(f"benchmarks.{name}").main()
    except (WrongAnswerError, StartError) as error:
        print(f"\n{name} failed: {error}")
        return "failed"
    print(f"  ({time.perf_counter() - started:.0f} s)")
    return "goals met" if met else "NOT MET"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
