"""The conformance run: what every extension must do, in whatever language it is written.

    python -m ebpfd_sdk.check MODULE
    python -m ebpfd_sdk.check -- COMMAND...

The extension runs as its users run it, found by nothing but its process and what it says on the
wire: first at a registrar without a daemon, which asks what no daemon would and holds answers
back, then at the installed daemon, under load, killed and started again.
"""

from ebpfd_sdk.check._options import Options
from ebpfd_sdk.check._report import Outcome, Report, Verdict
from ebpfd_sdk.check._run import check_extension

__all__ = ["Options", "Outcome", "Report", "Verdict", "check_extension"]
