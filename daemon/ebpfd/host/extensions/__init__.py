"""Extensions that run as children of the daemon: started, watched, started again, stopped."""

from ebpfd.host.extensions.extension import HostedExtension
from ebpfd.host.extensions.hosted import Hosted
from ebpfd.host.extensions.life import Life, Policy, Restart, State
from ebpfd.host.extensions.output import OutputLine
from ebpfd.host.extensions.process import resident_bytes
from ebpfd.host.extensions.spec import ExtensionSpec, Limits, module_command

__all__ = [
    "ExtensionSpec",
    "Hosted",
    "HostedExtension",
    "Life",
    "Limits",
    "OutputLine",
    "Policy",
    "Restart",
    "State",
    "module_command",
    "resident_bytes",
]
