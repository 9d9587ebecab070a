"""Running several links on one batch, in order, by the rules of their program type."""

from collections.abc import Sequence
from uuid import UUID

from ebpfd.contracts import ChainRule, KnownContracts
from ebpfd.errors import RequestError
from ebpfd.host.invocation import Columns, Executor, RefusalError, Target
from ebpfd.host.modules import Module
from ebpfd.host.targets import Targets
from ebpfd.objects.chains import Batch, Chain, ChainOutcome
from ebpfd.objects.links import invocation_order
from ebpfd.objects.origin import Origin
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.attachments import code_of_nobody
from ebpfd_api.result import Result


class ChainTarget:
    """What a message for several links runs; asked as a ``Target`` is."""

    def __init__(self, targets: Sequence[Target], executor: Executor, rule: ChainRule) -> None:
        self._targets = targets
        self._executor = executor
        self._rule = rule

    def run_now(self, columns: Columns, origin: Origin | None = None) -> ChainOutcome | None:
        """Run a batch at once; None: it must queue (``enqueue``, then ``run_queued``)."""
        self._targets[0].check_breaker(columns.count)
        if any(target.queued for target in self._targets):
            return None
        if not self._executor.fits_loop((each.link.program for each in self._targets), columns):
            return None
        chain = self._begin(columns)
        for index, target in enumerate(self._targets):
            if chain.batch is None:
                break
            try:
                chain.ran(target.run_here(chain.batch, origin))
            except RefusalError as error:
                self._fail(chain, index, error)
        return chain.outcome()

    def enqueue(self, count: int = 1, size_bytes: int = 0) -> None:
        """Take a place for *count* events at every link; all or none."""
        taken: list[Target] = []
        try:
            for target in self._targets:
                target.enqueue(count, size_bytes)
                taken.append(target)
        except RequestError:
            for target in taken:
                target.dequeue(size_bytes)
            raise

    async def run_queued(
        self,
        columns: Columns,
        origin: Origin | None = None,
        *,
        size_bytes: int = 0,
        deadline: float | None = None,
    ) -> ChainOutcome:
        """Run a batch that has been given its places, in the order of these calls.

        What waits until *deadline* is refused: all of it, or what a later link was to run.
        """
        chain = self._begin(columns)
        turns = [target.turns.take() for target in self._targets]
        try:
            for turn in turns:
                await self._targets[0].wait_for(turn, columns.count, deadline)
            for index, target in enumerate(self._targets):
                if chain.batch is None:
                    break
                try:
                    chain.ran(await target.run_in_turn(chain.batch, origin, deadline))
                except RefusalError as error:
                    self._fail(chain, index, error)
        finally:
            for turn, target in zip(turns, self._targets, strict=True):
                turn.leave()
                target.dequeue(size_bytes)
        return chain.outcome()

    def lose(self, count: int) -> None:
        """Count events whose answers reached nobody: at the first link, whose policy they meet."""
        self._targets[0].lose(count)

    def _fail(self, chain: Chain, index: int, error: RefusalError) -> None:
        """A program could not run; before any has, that is the answer to the whole message."""
        if index == 0:
            raise error
        chain.failed(error.code, error.result)

    def _begin(self, columns: Columns) -> Chain:
        batch = Batch(
            columns.count or 1,
            columns.contexts,
            columns.data,
            columns.data_lengths,
            columns.meta_lengths,
        )
        return Chain(batch, self._rule)


class Chains:
    """Who is run by messages that name a chain, or a hook and a parameter."""

    def __init__(self, *, targets: Targets, contracts: KnownContracts, executor: Executor) -> None:
        self._targets = targets
        self._contracts = contracts
        self._executor = executor

    def of_bindings(self, bindings: Sequence[int], owner: Module) -> Target | ChainTarget:
        """The links of *owner*'s bindings, which are of one hook and in invocation order."""
        targets = [self._targets.find(binding, owner) for binding in bindings]
        if not targets:
            raise RequestError(Result.INVALID_ARGUMENT, "chain.bindings: name one at least")
        hooks = {target.link.attach_type for target in targets}
        ids = [invocation_order(target.link) for target in targets]
        if len(hooks) > 1 or ids != sorted(set(ids)):
            message = (
                "chain.bindings: name links of one hook, each once, in invocation order "
                "(`ebpfctl hook show`)"
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        return self._of(targets)

    def of_event(self, attach_type: UUID, parameter: bytes, owner: Module) -> Target | ChainTarget:
        """Whatever an event of *owner*'s hook reaches; OBJECT_NOT_FOUND, KEY_NOT_FOUND: nothing."""
        targets = self._targets.of_event(owner, attach_type, parameter)
        if targets:
            return self._of(targets)
        known = self._contracts.attach_type(attach_type)
        capability = AttachCapability.UNSPECIFIED if known is None else known.capability
        anybody = self._targets.any_of(owner, attach_type)
        code = code_of_nobody(capability, parameter, anybody=anybody)
        whom = "with this parameter" if code is Result.KEY_NOT_FOUND else "for this event"
        hook = self._contracts.name_of(attach_type)
        raise RequestError(code, f'nothing is attached to "{hook}" {whom}')

    def _of(self, targets: Sequence[Target]) -> Target | ChainTarget:
        if len(targets) == 1:
            return targets[0]
        program_type = targets[0].link.program.program_type
        contract = self._contracts.program_type(program_type) or targets[0].link.program.contract
        return ChainTarget(targets, self._executor, contract.chain_rule())
