"""A program that was kept, made again of its row: as it was verified, without asking anybody anew.

Its providers need not be there: it waits for them as after their loss, and what they offer must
equal what it was verified against.  Its verdict is taken from what judges have answered before, if
nothing that weighs in it has changed; otherwise it is judged again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from ebpfd.contracts import ContractError, ProgramData
from ebpfd.contracts.json_codec import decode_json
from ebpfd.host.fitting import fitted
from ebpfd.host.helpers import HelperBridge, HelperCalls
from ebpfd.host.invocation import Executor
from ebpfd.host.kept_rows import functions_of
from ebpfd.host.loading import JudgedProgram, Loading, make, program_of
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.program_clients import ProgramClients, clients_of
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.verification import Subject, Verifier
from ebpfd.host.verification_frames import Verdict
from ebpfd.objects import MapObject, Program, ProgramSource
from ebpfd.store import KeptProgram, StoreError
from ebpfd.store.kept_objects import Blob
from ebpfd_vm import EngineError, Object, ProgramSpec, parse_object

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Judged:
    """A program on its way back, with its verdict."""

    row: KeptProgram
    parsed: Object
    loading: Loading
    bridge: HelperBridge
    verdict: Verdict
    maps: Mapping[int, MapObject]
    """Those that it uses, by their places in its file."""

    @property
    def clients(self) -> ProgramClients:
        """Its registrations, which are yet to be made if it may run at all."""
        return self.loading.clients


class ProgramRestorer:
    """Makes programs of rows; ``blobs`` are the bytes that rows refer to."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        verifier: Verifier,
        executor: Executor,
        helper_calls: HelperCalls,
        blobs: Mapping[Blob, bytes],
        engine: bytes,
    ) -> None:
        self._registrar = registrar
        self._verifier = verifier
        self._executor = executor
        self._helper_calls = helper_calls
        self._blobs = blobs
        self._engine = engine
        self._contracts: dict[Blob, ProgramData] = {}
        self._files: dict[Blob, Object] = {}

    async def judge(self, number: int, row: KeptProgram, maps: Mapping[int, MapObject]) -> Judged:
        """Program *number*, which uses *maps*, by id; ``StoreError`` if its row makes none."""
        try:
            contract, parsed = self._contract(row.contract), self._parsed(row.file)
            loading = self._loading(number, row, parsed.programs[row.index], contract)
            helpers = contract.program_info.shipped()
            loading.spec = spec = fitted(loading.spec, contract.context_btf, helpers)
        except (ContractError, EngineError, IndexError) as error:
            raise StoreError(f"program {number} cannot be made again: {error}") from None
        if row.engine == self._engine:
            self._verifier.remember((key, self._blobs[blob]) for key, blob in row.answers)
        subject = Subject(self._blobs[row.file], parsed, row.index, spec, contract.context_btf)
        verdict = await self._verifier.verify(subject, loading.information())
        loading.judged = JudgedProgram(spec, contract, verdict)
        if verdict.rejection is not None:
            reason = verdict.rejection.reason
            loading.clients.provider.reason = (
                f"the verifier of this ebpfd refuses it: {reason}; load it anew"
            )
            _log.error("kept program refused", program=number, reason=reason)
        by_place = {place: maps[each] for place, each in row.maps.items()}
        loading.ask_providers(by_place)
        bridge = loading.bridge(self._helper_calls)
        bridge.know_maps([(each.program_map, each.id) for each in by_place.values()])
        return Judged(row, parsed, loading, bridge, verdict, by_place)

    def make(self, judged: Judged, maps: Mapping[int, MapObject]) -> Program:
        """Machine code, and the object; it takes its time."""
        row, loading = judged.row, judged.loading
        try:
            (engine,) = make(
                judged.parsed,
                [loading],
                [judged.bridge],
                self._executor.trace.engine,
                row.execution,
                {place: each.program_map for place, each in judged.maps.items()},
                NewMaps(),
            ).engines
        except EngineError as error:
            message = f"program {loading.program_id} cannot be made again: {error.message}"
            raise StoreError(message) from None
        content = self._blobs[row.file]
        source = ProgramSource(content, row.index, row.execution, row.follows_contract, row.flags)
        file_maps = tuple(maps[each] for each in row.file_maps)
        return program_of(loading, engine, judged.maps, file_maps, row.file_name, source)

    def _loading(
        self, number: int, row: KeptProgram, spec: ProgramSpec, contract: ProgramData
    ) -> Loading:
        clients = clients_of(self._registrar, contract.program_type, spec, number)
        digest = clients.seal_again(contract, functions_of(self._blobs[row.functions]))
        return Loading(row.index, spec, number, clients, contract, digest)

    def _contract(self, blob: Blob) -> ProgramData:
        if blob not in self._contracts:
            self._contracts[blob] = decode_json(self._blobs[blob])
        return self._contracts[blob]

    def _parsed(self, blob: Blob) -> Object:
        if blob not in self._files:
            self._files[blob] = parse_object(self._blobs[blob])
        return self._files[blob]
