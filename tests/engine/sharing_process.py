"""What the other process does in ``test_sharing``: it runs a program that it was handed.

    sharing_process.py IMAGE GATE MAP...

Reads commands, a line each, and answers each with one line:

    run N       N invocations, one at a time, with the numbers 0 to N - 1
    batch N     one batch of N
    fork        a child that runs until it is killed; its process id
    reap        wait for that child
"""

import os
import sys
from typing import Final

from ebpfd_vm import EngineError, Program
from ebpfd_vm.sharing import Gate
from tests.engine import sample

NUMBERS: Final = 64


def main(image: int, gate: int, maps: list[int]) -> None:
    """Obey until there are no more commands."""
    program = Program.of_image(image, maps, Gate(gate))
    assert program.executor == "jit", program.executor_reason
    child = 0
    for line in sys.stdin:
        match line.split():
            case ["run", count]:
                _say(_run(program, int(count)))
            case ["batch", count]:
                _say(_batch(program, int(count)))
            case ["fork"]:
                child = os.fork()
                if child == 0:
                    _for_ever(image, gate, maps)
            case ["reap"]:
                os.waitpid(child, 0)
                _say("reaped")
            case other:
                _say(f"unknown {other}")


def _run(program: Program, count: int) -> str:
    invoke = program.invoker()
    try:
        for number in range(count):
            invoke(sample.context(number % NUMBERS))
    except EngineError as error:
        return f"code {error.code}"
    return "done"


def _batch(program: Program, count: int) -> str:
    try:
        program.run_batch(sample.context(1) * count, count)
    except EngineError as error:
        return f"code {error.code}"
    return "done"


def _for_ever(image: int, gate: int, maps: list[int]) -> None:
    """A process of its own among those that have the maps."""
    invoke = Program.of_image(image, maps, Gate(gate)).invoker()
    contexts = [sample.context(number) for number in range(NUMBERS)]
    _say(str(os.getpid()))
    while True:
        for context in contexts:
            invoke(context)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), [int(each) for each in sys.argv[3:]])
