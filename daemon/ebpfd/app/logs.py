"""Logs go to standard error: lines for people on a terminal, JSON for everybody else."""

import atexit
import logging
import sys
from typing import Any, Final

import structlog
from structlog.dev import RichTracebackFormatter
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

from ebpfd.app.log_lines import LogLines

LAST_LINES_S: Final = 1.0
"""What the last lines may take to be written when the process ends."""

_lines: LogLines | None = None


def configure_logs(*, verbose: bool = False) -> None:
    """Set structlog up for this process: once."""
    global _lines  # noqa: PLW0603 (as structlog's own configuration is)
    people = sys.stderr.isatty()
    render = [structlog.processors.add_log_level, _timestamp(), *_rendering(people=people)]
    lines = _lines = LogLines(sys.stderr.fileno(), lambda lost: _lost_line(lost, render))
    atexit.register(lines.close, LAST_LINES_S)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *render],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=lambda *_: _Logger(lines),
        cache_logger_on_first_use=True,
    )


def lost_log_lines() -> int:
    """Lines of the log that could not be written."""
    return 0 if _lines is None else _lines.lost


class _Logger:
    """What structlog gives its lines to."""

    def __init__(self, lines: LogLines) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = lines.add


def _timestamp() -> Processor:
    return structlog.processors.TimeStamper(fmt="iso", utc=True)


def _rendering(*, people: bool) -> list[Processor]:
    """Without the variables of functions that failed: contents of maps and keys are among them."""
    if people:
        formatter = RichTracebackFormatter(show_locals=False)
        return [structlog.dev.ConsoleRenderer(exception_formatter=formatter)]
    tracebacks = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [tracebacks, structlog.processors.JSONRenderer()]


def _lost_line(lost: int, render: list[Processor]) -> str:
    line: Any = {"event": f"{lost} lines lost: the log could not be written"}
    for each in render:
        line = each(None, "warning", line)
    return str(line)
