from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close

from gateway.websocket.end import Cause, Closed, End, fitting, may_be_sent


def library_sends(code: int) -> bool:
    try:
        Close(code, "").serialize()
    except Exception:
        return False
    return True


def test_what_may_be_sent_is_what_the_library_sends() -> None:
    assert [code for code in range(6000) if may_be_sent(code)] == [code for code in range(6000) if library_sends(code)]


def test_1004_1005_1006_and_1015_are_never_sent() -> None:
    assert not any(may_be_sent(code) for code in (1004, 1005, 1006, 1015))


@given(st.text())
def test_a_reason_fits_and_is_cut_at_a_character(reason: str) -> None:
    cut = fitting(reason)
    assert len(cut.encode(errors="replace")) <= 123
    assert reason.startswith(cut)
    if len(reason.encode(errors="replace")) <= 123:
        assert cut == reason


def test_closed_says_who_ended_it_and_how() -> None:
    assert str(Closed(End(4000, "bye", Cause.PEER))) == "the peer sent a close frame: 4000 bye"
    assert str(Closed(End(1006, "", Cause.LOST))) == "the connection ended without a close frame: 1006"
