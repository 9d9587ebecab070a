"""The sample extension with one helper's prototype changed: its argument is gone.

Run as ``python tests/e2e/changed_extension.py ADDRESS``.
"""

import sys

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Hook, Integer, ProgramType, run

sample = ProgramType(
    "f788ef4a-207d-4dc3-85cf-0f2ea107213c",
    SampleContext,
    name="sample",
    section="sample_ext",
    bpf_prog_type=999,
)
events = Hook("f788ef4b-207d-4dc3-85cf-0f2ea107213c", sample, name="sample_ext", bpf_attach_type=8)


@sample.helper(0x10004, implicit_context=True)
def sample_ebpf_extension_helper_implicit_2(ctx: SampleContext) -> Integer:
    """Read the context without any argument."""
    return ctx.helper_data_2


if __name__ == "__main__":
    run(sample, events, address=sys.argv[1])
