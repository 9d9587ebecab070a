"""A module of functions that programs import by name.

Run as ``python tests/e2e/function_extension.py [--without-add | --other-lookup |
--slow-add] ADDRESS``.
"""

import asyncio
import struct
import sys

from ebpfd_sdk import U64, FunctionModule, Integer, WritableMemory, run

module = FunctionModule("8f6c1f83-ce4c-4b58-8b91-654a29e23b7c", name="sample functions")


if "--other-lookup" in sys.argv:

    @module.function()
    def sample_ebpf_extension_btf_lookup(key: U64) -> Integer:
        """Take less than it did."""
        return key

else:

    @module.function(name="sample_ebpf_extension_btf_lookup")
    def lookup(key: U64, value: WritableMemory) -> Integer:
        """Store the key as the value; return the sum of key and size."""
        value[:8] = struct.pack("<Q", key)
        return key + len(value)


if "--slow-add" in sys.argv:

    @module.function(name="add", deadline_s=0.01)
    async def slow_add(a: U64, b: U64) -> Integer:
        """Take longer than anybody waits."""
        await asyncio.sleep(3600)
        return a + b

elif "--without-add" not in sys.argv:

    @module.function()
    def add(a: U64, b: U64) -> Integer:
        """Add."""
        return a + b


if __name__ == "__main__":
    run(module, address=sys.argv[-1])
