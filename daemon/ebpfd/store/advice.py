"""What the system does not let us do with a file, and what whoever runs the daemon can do."""

import errno
import os
import pwd
import re
from typing import Final

_ADVICE: Final = {
    errno.EMFILE: "raise `LimitNOFILE=` of the unit, or `ulimit -n`",
    errno.ENFILE: "raise fs.file-max of this host",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EROFS: "name a place that can be written",
}

_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")


def told(error: OSError, place: object = None) -> str:
    """*error* in one line: the file, or *place* if it names none, why, and what can be done."""
    where = error.filename or place
    why = error.strerror or str(error)
    line = f"{where}: {why}" if where else why
    advice = advice_for(error.errno)
    return f"{line}: {advice}" if advice else line


def told_by_engine(message: str) -> str:
    """What the engine says of an error, which may be the system's, and what can be done."""
    advice = advice_for(os_error_number(message))
    return f"{message}: {advice}" if advice else message


def os_error_number(message: str) -> int | None:
    """The number of the system's error of which the engine speaks, if it is one."""
    number = _OS_ERROR.search(message)
    return int(number[1]) if number else None


def advice_for(number: int | None) -> str:
    """What can be done about an error of the system; nothing, if nobody knows."""
    if number in (errno.EACCES, errno.EPERM):
        return f"give the files to user {_user()}"
    return _ADVICE.get(number or 0, "")


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
