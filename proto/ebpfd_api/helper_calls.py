"""How long programs wait for helpers of extensions, wherever they run."""

from typing import Final

DEADLINE_S: Final = 1.0
"""What a helper may take whose author says nothing else."""

MOST_LATE: Final = 4
"""Events of one batch for which a helper may be late; then it is not asked again for the batch."""
