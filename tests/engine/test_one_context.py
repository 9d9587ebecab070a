"""A test run has one context, whatever the number of its runs."""

import ebpfd_vm
from tests.engine import sample

COUNTS = """
    ldxw %r0, [%r1+16]
    add %r0, 1
    stxw [%r1+16], %r0
    exit
"""


def test_all_runs_of_a_test_run_have_one_context() -> None:
    """What one run leaves in it, the next one finds."""
    program = ebpfd_vm.Program(sample.assembled(COUNTS), [], sample.INFORMATION)
    code, result, context, _, _ = program.test_run(sample.context(0), b"", 0, 3)
    assert (code, result) == (0, 3)
    assert context[16:20] == (3).to_bytes(4, "little")
