"""The host's parts put together: who is given whom.  No wire, no order of start and stop."""

from dataclasses import dataclass

from ebpfd.contracts import KnownContracts
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.chains import Chains
from ebpfd.host.contracts import Contracts
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.helpers import HelperCalls
from ebpfd.host.hooks import Hooks
from ebpfd.host.hosted_hooks import HostedHooks
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper, Store
from ebpfd.host.links import Links
from ebpfd.host.local_runs import LocalRuns
from ebpfd.host.map_room import MapRoom
from ebpfd.host.maps import Maps
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.owners import Owners
from ebpfd.host.pins import Pins
from ebpfd.host.program_elements import ProgramElements
from ebpfd.host.programs import Programs
from ebpfd.host.recordings import Recordings
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.restorer import Restorer
from ebpfd.host.services import Services
from ebpfd.host.shadows import Shadows
from ebpfd.host.targets import Targets
from ebpfd.host.verification import Verifier
from ebpfd.objects import Objects
from ebpfd.store import KeptContracts


@dataclass(frozen=True, slots=True)
class Parts:
    """What a daemon is made of, behind its servicers."""

    registrar: RegistrarHost
    known: KnownContracts
    contracts: Contracts
    objects: Objects
    keeper: Keeper
    targets: Targets
    chains: Chains
    programs: Programs
    links: Links
    maps: Maps
    owners: Owners
    pins: Pins
    hooks: Hooks
    hosted_hooks: HostedHooks
    recordings: Recordings
    shadows: Shadows
    local_runs: LocalRuns
    room: MapRoom


def assembled(
    services: Services,
    verifier: Verifier,
    executor: Executor,
    kept: KeptContracts | None,
    deadlines: Deadlines | None = None,
    store: Store | None = None,
    *,
    local: bool = False,
) -> Parts:
    """All parts of one daemon, on these that run; *local* ones share maps with processes."""
    deadlines = deadlines or Deadlines()
    registrar = RegistrarHost(services, deadlines)
    new_maps = NewMaps(store.files if store else None, shared=local)
    known = KnownContracts(registrar.is_provided)
    objects, targets = Objects(), Targets()
    keeper = Keeper(objects=objects, services=services, verifier=verifier, store=store)
    custom_maps = CustomMaps(
        registrar=registrar,
        objects=objects,
        services=services,
        deadlines=deadlines,
        new_maps=new_maps,
        survives=keeper.survives,
        guard=executor.guard,
    )
    helper_calls = HelperCalls(
        deadlines.helper_s,
        executor.guard,
        ProgramElements(custom_maps, services, deadlines.map_s),
    )
    programs = Programs(
        helper_calls=helper_calls,
        registrar=registrar,
        contracts=known,
        objects=objects,
        verifier=verifier,
        executor=executor,
        services=services,
        custom_maps=custom_maps,
        new_maps=new_maps,
        keeper=keeper,
    )
    links = Links(
        registrar=registrar,
        contracts=known,
        objects=objects,
        programs=programs,
        targets=targets,
        executor=executor,
        keeper=keeper,
    )
    maps = Maps(
        objects=objects,
        programs=programs,
        custom=custom_maps,
        new_maps=new_maps,
        keeper=keeper,
        executor=executor,
    )
    contracts = Contracts(registrar=registrar, known=known, kept=kept)
    chains = Chains(targets=targets, contracts=known, executor=executor)
    return Parts(
        registrar=registrar,
        known=known,
        contracts=contracts,
        objects=objects,
        keeper=keeper,
        targets=targets,
        chains=chains,
        programs=programs,
        links=links,
        maps=maps,
        owners=Owners(objects=objects, links=links),
        pins=Pins(objects=objects, links=links, custom_maps=custom_maps, keeper=keeper),
        hooks=Hooks(registrar),
        hosted_hooks=HostedHooks(
            registrar=registrar,
            contracts=contracts,
            known=known,
            objects=objects,
            chains=chains,
            targets=targets,
            services=services,
        ),
        recordings=Recordings(targets=targets, objects=objects, executor=executor, maps=maps),
        shadows=Shadows(targets=targets, objects=objects),
        local_runs=LocalRuns(
            targets=targets,
            new_maps=new_maps,
            helper_calls=helper_calls,
            services=services,
            patience_s=deadlines.local_s,
        ),
        room=new_maps.room,
    )


def restorer(
    parts: Parts, store: Store, verifier: Verifier, executor: Executor, *, local: bool = False
) -> Restorer:
    """What fills *parts* with all that *store* has kept."""
    return Restorer(
        store=store,
        keeper=parts.keeper,
        objects=parts.objects,
        programs=parts.programs,
        links=parts.links,
        custom_maps=parts.maps.custom,
        registrar=parts.registrar,
        verifier=verifier,
        executor=executor,
        local=local,
    )
