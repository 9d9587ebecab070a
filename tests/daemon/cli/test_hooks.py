"""What ``ebpfctl hook fire`` says of events that failed."""

from ebpfd.cli.hooks import failure_of, not_run, outcomes_of
from ebpfd_sdk import Columns, Result

RESULTS = bytes([2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0])


def test_one_event_that_failed_has_the_result_of_its_policy() -> None:
    """With no word of the program's, where to look for one."""
    error = failure_of(
        outcomes_of(Columns(Result.SUCCESS, "", bytes([Result.FAILED]), RESULTS[:4])), ""
    )
    assert error.code is Result.FAILED
    assert error.message.endswith("result 2 (chosen by --on-failure)")
    assert "`ebpfctl trace`" in error.message


def test_events_that_failed_are_counted_by_code_and_result() -> None:
    """Beside those that did not."""
    columns = Columns(
        Result.SUCCESS, "it divided by zero", bytes([Result.FAILED, 0, Result.FAILED]), RESULTS
    )
    said = failure_of(outcomes_of(columns), columns.message).message.splitlines()
    assert said == [
        "it divided by zero",
        "  FAILED: result 2 (chosen by --on-failure): 2 times",
        "  SUCCESS: result 0: 1 times",
    ]


def test_events_that_met_no_program_have_a_result_too() -> None:
    """It is said if it is not nought, which is what it would be without a word."""
    late = Columns(Result.TIMEOUT, "it took too long", failure_result=5)
    assert not_run(late).message == "it took too long; result 5"
    assert not_run(Columns(Result.TIMEOUT)).message == "TIMEOUT"
