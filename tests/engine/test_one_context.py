"""A test run has one context, whatever the number of its runs."""

import ebpfd_vm
from tests.conformance.assembler import assemble
from tests.conformance.elf import object_file
from tests.engine.sample import CONTEXT_SIZE, INFORMATION

COUNTS = """
    ldxw %r0, [%r1+16]
    add %r0, 1
    stxw [%r1+16], %r0
    exit
"""


def test_all_runs_of_a_test_run_have_one_context() -> None:
    """What one run leaves in it, the next one finds."""
    (spec,) = ebpfd_vm.parse_object(object_file(assemble(COUNTS).code, [0])).programs
    program = ebpfd_vm.Program(spec, [], INFORMATION)
    code, result, context, _, _ = program.test_run(bytes(CONTEXT_SIZE), b"", 0, 3)
    assert (code, result) == (0, 3)
    assert context[16:20] == (3).to_bytes(4, "little")
