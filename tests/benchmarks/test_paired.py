from __future__ import annotations

import statistics

from benchmarks.instructions import parse
from benchmarks.paired import COLUMNS, Subject
from benchmarks.server import Server

SERVER = Server("s", 1, ("127.0.0.1", 1))


def subject(name: str, cpu: list[float]) -> Subject:
    return Subject(name, SERVER, [], cpu=cpu, rate=[1000.0] * len(cpu), latencies=[0.001, 0.003])


def test_the_ratio_is_taken_inside_each_round() -> None:
    # The machine ran at half its pace in the second round: 1.1 in each round, though the medians alone would differ.
    base, other = subject("base", [10e-6, 20e-6, 10e-6]), subject("other", [11e-6, 22e-6, 11e-6])
    assert [round(ratio, 6) for ratio in other.ratios_to(base)] == [1.1, 1.1, 1.1]


def test_one_bad_round_does_not_move_the_result() -> None:
    base, other = subject("base", [10e-6] * 5), subject("other", [11e-6, 11e-6, 99e-6, 11e-6, 11e-6])
    assert round(statistics.median(other.ratios_to(base)), 6) == 1.1


def test_a_row_has_a_cell_for_every_column() -> None:
    base, other = subject("base", [10e-6] * 4), subject("other", [12e-6] * 4)
    assert other.row(base) == ["other", "12.0", "1.20", "1.20 to 1.20", "n/a", "1,000", "1.00", "3.00"]
    assert base.row(base)[:4] == ["base", "10.0", "1.00", ""]
    assert len(other.row(base)) == len(COLUMNS)


def test_reads_the_count_of_perf() -> None:
    assert parse("191246,,instructions:u,1003265,100.00,,\n") == 191246
    assert parse("# started\n\n5,,instructions:u,3,100.00,,\n") == 5


def test_no_count_where_the_machine_has_no_counter() -> None:
    assert parse("<not supported>,,instructions:u,0,100.00,,\n") is None
    assert parse("<not counted>,,instructions:u,0,0.00,,\n") is None
    assert parse("perf: command failed\n") is None
