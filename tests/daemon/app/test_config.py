"""The configuration file, and the words of the command line that go before it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ebpfd.app import Settings, SettingsError
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.extensions import ExtensionSpec, Limits, Policy, Restart, module_command
from ebpfd.host.quotas import Quotas
from ebpfd_api.address import Endpoint

WHOLE = """
listen = ["unix:/run/here.sock", "unix:/run/there.sock"]
state = "/var/lib/ebpfd"
metrics = "127.0.0.1:9464"

[deadlines]
callback_s = 1
drain_s = 2.5
helper_s = 4
map_s = 0.5
local_s = 0.25

[quotas]
programs = 7
map_memory = "2 GiB"

[[extension]]
name = "first"
module = "ebpfd_extensions.sample"
args = ["--window", "64"]
env = { LEVEL = "debug", EMPTY = "" }
restart = "always"
restart_limit = 0
restart_delay_s = 0.25
start_s = 20
stop_s = 7
memory = "256 MiB"
nice = 5
cpus = [0, 1]

[[extension]]
name = "second"
command = "/bin/cat"
"""

SECOND = '[[extension]]\nname = "a"\nmodule = "b"\n'


def parse(tmp_path: Path, content: str, *words: str, listen: tuple[str, ...] = ()) -> Settings:
    """Settings from a file and the words after ``--extension``."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(content)
    return Settings.parse(listen, None, extensions=words, config=str(file))


def test_a_file_says_all_that_there_is_to_say(tmp_path: Path) -> None:
    """Each key, and what is left out is as usual."""
    assert parse(tmp_path, WHOLE) == Settings(
        listen=(Path("/run/here.sock"), Path("/run/there.sock")),
        state=Path("/var/lib/ebpfd"),
        metrics=Endpoint("127.0.0.1", 9464),
        deadlines=Deadlines(callback_s=1.0, drain_s=2.5, helper_s=4.0, map_s=0.5, local_s=0.25),
        quotas=Quotas(programs=7, map_memory=2 << 30),
        extensions=(
            ExtensionSpec(
                name="first",
                command=(sys.executable, "-m", "ebpfd_extensions.sample", "--window", "64"),
                environment={"LEVEL": "debug", "EMPTY": ""},
                limits=Limits(memory_bytes=256 << 20, nice=5, cpus=(0, 1)),
                policy=Policy(
                    restart=Restart.ALWAYS,
                    restart_limit=0,
                    restart_delay_s=0.25,
                    start_s=20.0,
                    stop_s=7.0,
                ),
            ),
            ExtensionSpec(name="second", command=("/bin/cat",)),
        ),
    )


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """Everything is as without one."""
    assert parse(tmp_path, "", listen=("unix:/a",)) == Settings.parse(("unix:/a",), None)


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    """All but extensions, which are added, under names that are free."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(WHOLE)
    settings = Settings.parse(
        ("unix:/other",),
        "/state",
        callback_s=9.0,
        extensions=("ebpfd_extensions.sample", "ebpfd_extensions.sample --window 1"),
        config=str(file),
    )
    assert settings.listen == (Path("/other"),)
    assert settings.state == Path("/state")
    file_says = Deadlines(callback_s=1.0, drain_s=2.5, helper_s=4.0, map_s=0.5, local_s=0.25)
    assert settings.deadlines == replace(file_says, callback_s=9.0)
    names = [spec.name for spec in settings.extensions]
    assert names == ["first", "second", "sample", "sample-2"]
    assert settings.extensions[-1].command[1:] == ("-m", "ebpfd_extensions.sample", "--window", "1")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("listen = [", "no TOML: "),
        ("listen = " + "[" * 5000, "no TOML: "),
        ("state = " + "1" * 5000, "no TOML: "),
        ("lisen = []", "lisen: there is no such key here; there are listen, open_to, tls, state, "),
        ("[deadlines]\ncallback = 1", "deadlines, callback: there is no such key"),
        (SECOND + "memory_limit = 1", "extension 1, memory_limit: there is no such key"),
        ('listen = "unix:/a"', "listen: this must be a list of texts"),
        ("listen = [1]", "listen: this must be a list of texts"),
        ('listen = ["/a"]', "listen /a: only unix:PATH and tls:HOST:PORT are"),
        ("state = 1", "state: this must be text"),
        ("deadlines = 1", "deadlines: this must be a table"),
        ("[deadlines]\ncallback_s = 0", "deadlines, callback_s: this must be a number of seconds"),
        ("[deadlines]\nmap_s = 1" + "0" * 400, "deadlines, map_s: this must be a number of sec"),
        ("[deadlines]\ndrain_s = inf", "deadlines, drain_s: this must be a number of seconds"),
        ("[extension]\nname = 'a'", r"extension: this must be a list of tables: \[\[extension\]\]"),
        ("extension = [1]", "extension 1: this must be a table"),
        ("[[extension]]", "extension 1, name: every extension needs one"),
        ("[[extension]]\nname = 'a b'", "extension 1, name: 'a b' is not 1 to 64 letters"),
        ("[[extension]]\nname = 'a'", "extension 1, module: an extension needs a module or a"),
        (SECOND + "command = 'c'", "extension 1, command: there is a module already"),
        (SECOND + SECOND, "extension 2, name: there are two extensions 'a'"),
        (SECOND + "args = 'a'", "extension 1, args: this must be a list of texts"),
        (SECOND + 'args = ["\\u0000"]', "extension 1, args: this must be a list of texts"),
        (SECOND + "env = { A = 1 }", "extension 1, env: this must be a table of texts"),
        (SECOND + 'env = { "A=" = "" }', "extension 1, env.A=: no variable has such a name"),
        (SECOND + "restart = 'on'", "restart: 'on' is none of on-failure, always, never"),
        (SECOND + "restart_limit = -1", "restart_limit: this must be a whole number from 0"),
        (SECOND + "restart_limit = true", "restart_limit: this must be a whole number from 0"),
        (SECOND + "nice = 20", "nice: this must be a whole number from 0 to 19"),
        (SECOND + "cpus = [-1]", "cpus: this must be a list of whole numbers from 0"),
        (SECOND + "memory = 'much'", "memory: 'much' is no amount like \"64 MiB\""),
        (SECOND + "memory = '1 KiB'", "memory: '1 KiB' is no amount"),
        (SECOND + "memory = 64", "memory: this must be text"),
        (SECOND + "start_s = '1'", "start_s: this must be a number of seconds"),
    ],
)
def test_one_clear_error_names_the_key(tmp_path: Path, content: str, complaint: str) -> None:
    """And what can be there."""
    with pytest.raises(SettingsError, match=complaint):
        parse(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(SettingsError, match=r"missing\.toml: No such file or directory"):
        Settings.parse((), None, config=str(tmp_path / "missing.toml"))


@pytest.mark.parametrize(
    ("words", "name", "command"),
    [
        ("ebpfd_sdk.anything", "anything", module_command("ebpfd_sdk.anything")),
        ("json -x 'a b'", "json", module_command("json", ("-x", "a b"))),
        ("sleep 5", "sleep", ("sleep", "5")),
        ("/bin/cat", "cat", ("/bin/cat",)),
    ],
)
def test_a_module_is_what_python_has_and_anything_else_a_command(
    words: str, name: str, command: tuple[str, ...]
) -> None:
    """With its arguments, as in a shell."""
    (spec,) = Settings.parse((), None, extensions=(words,)).extensions
    assert (spec.name, spec.command) == (name, command)


def test_a_module_of_the_working_directory_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m`` finds it there too."""
    (tmp_path / "of_mine.py").touch()
    monkeypatch.chdir(tmp_path)
    (spec,) = Settings.parse((), None, extensions=("of_mine",)).extensions
    assert spec.command == module_command("of_mine")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "it must be a module or a command"),
        ("'a", "this is no command: No closing quotation"),
        ("no_such_thing x", "no_such_thing is neither a Python module nor a command"),
        ("/no/such/thing", "/no/such/thing is neither a Python module nor a command"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(words: str, complaint: str) -> None:
    """Before anything starts."""
    with pytest.raises(SettingsError, match=complaint):
        Settings.parse((), None, extensions=(words,))


@pytest.mark.parametrize(
    ("said", "taken"), [("0.1", 0.1), ("86400", 86400.0), ("0.09", None), ("86401", None)]
)
def test_a_lease_has_the_bounds_that_it_has_on_the_command_line(
    tmp_path: Path, said: str, taken: float | None
) -> None:
    """A shorter one would take every extension for gone."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(f"[deadlines]\nlease_s = {said}\n")
    if taken is None:
        with pytest.raises(SettingsError, match=r"lease_s: .* from 0\.1 to 86400"):
            Settings.parse((), None, config=str(file))
    else:
        assert Settings.parse((), None, config=str(file)).deadlines.lease_s == taken
