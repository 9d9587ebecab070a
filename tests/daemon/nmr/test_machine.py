"""Random modules, calls, completions and losses: a bounded run of the machine."""

from hypothesis import HealthCheck, settings

from tests.daemon.nmr.machine import RegistrarMachine

RegistrarMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestRegistrar = RegistrarMachine.TestCase
