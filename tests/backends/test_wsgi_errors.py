from __future__ import annotations

import logging
import threading

import pytest

from gateway.backends.wsgi_errors import ErrorLog


@pytest.fixture
def stream() -> ErrorLog:
    return ErrorLog(logging.getLogger("gateway.test.errors"))


def test_a_line_is_a_record(stream: ErrorLog, caplog: pytest.LogCaptureFixture) -> None:
    stream.write("one\n")
    stream.write("two, ")
    stream.write("three\n")
    stream.writelines(["four\n", "five\n"])
    assert [record.getMessage() for record in caplog.records] == ["one", "two, three", "four", "five"]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_lines_written_at_once_stay_together(stream: ErrorLog, caplog: pytest.LogCaptureFixture) -> None:
    stream.write("Traceback:\n  at 100 %s\n")
    assert [record.getMessage() for record in caplog.records] == ["Traceback:\n  at 100 %s"]


def test_flush_ends_a_line(stream: ErrorLog, caplog: pytest.LogCaptureFixture) -> None:
    stream.write("half")
    assert not caplog.records
    stream.flush()
    stream.flush()
    assert [record.getMessage() for record in caplog.records] == ["half"]


def test_threads_do_not_mix_their_lines(stream: ErrorLog, caplog: pytest.LogCaptureFixture) -> None:
    stream.write("mine ")
    thread = threading.Thread(target=stream.write, args=("theirs\n",))
    thread.start()
    thread.join()
    stream.write("too\n")
    assert [record.getMessage() for record in caplog.records] == ["theirs", "mine too"]


def test_a_log_that_ends_up_here_again_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    # As in Flask's documentation: the root logger's handler writes to wsgi.errors.
    logger = logging.getLogger("gateway.test.loop")
    stream = ErrorLog(logger)
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        stream.write("oh no\n")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr().err == "oh no\n"
