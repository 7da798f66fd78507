# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, and the two ways a test may end early."""
import time


class Skip(Exception):
    """The test cannot run here; the text says why."""


class Timeout(AssertionError):
    """A condition did not come true in time."""


def wait_for(condition, timeout, what, interval=0.05):
    """Call `condition` until what it gives is true, and give that; fail after `timeout` seconds.

    `what` names the awaited thing. An exception from the condition counts as not yet; the failure shows the last value or
    exception, so that a log of the test is enough to see what was wrong.
    """
    start = time.monotonic()
    while True:
        try:
            value = condition()
            last = repr(value)
            if value:
                return value
        except Skip:
            raise
        except Exception as e:  # noqa: BLE001 - whatever it is, it is shown if it stays
            last = f'{type(e).__name__}: {e}'
        if time.monotonic() - start > timeout:
            raise Timeout(f'waited {timeout} s for {what}; last seen: {last[:2000]}')
        time.sleep(interval)


def hold(condition, seconds, what, interval=0.05):
    """Fail as soon as `condition` is not true within the next `seconds`."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        value = condition()
        if not value:
            raise AssertionError(f'{what} did not hold: {value!r} after {time.monotonic() - start:.2f} s')
        time.sleep(interval)
