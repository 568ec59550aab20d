"""Results that come later."""

import threading

import pytest

from rushlight import futures


def test_what_follows_from_a_result():
    first = futures.Future()
    second = first.then(lambda done: done.value() + 1)
    called = []
    second.add_done_callback(called.append)
    assert not second.done()
    first.set_result(1)
    assert second.wait() == 2
    assert called == [second]


def test_waiting_for_another_thread():
    result = futures.Future()
    timer = threading.Timer(0.01, result.set_result, ("there",))
    timer.start()
    assert result.wait() == "there"


def test_exceptions_are_raised_where_the_result_is_asked_for():
    first = futures.Future()
    second = first.then(lambda done: 1 / 0)
    first.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        first.wait()
    with pytest.raises(RuntimeError, match="when running the callback: ZeroDivisionError"):
        second.value()
    with pytest.raises(AssertionError, match="3 is of type <class 'int'>, not an Exception"):
        futures.Future().set_exception(3)


def test_a_result_is_set_once_and_not_read_before():
    result = futures.Future()
    with pytest.raises(RuntimeError, match="not ready"):
        result.value()
    result.set_result(1)
    with pytest.raises(RuntimeError, match="can only be marked completed once"):
        result.set_result(2)


def test_several():
    several = [futures.Future() for _ in range(3)]
    together = futures.collect_all(several)
    for number, each in reversed(list(enumerate(several))):
        assert not together.done()
        each.set_result(number)
    assert together.wait() == several
    assert futures.wait_all(several) == [0, 1, 2]
    assert futures.wait_all([]) == []
