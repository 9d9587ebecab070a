"""Roles in the configuration file."""

import grp
import pwd
from pathlib import Path

import pytest

from ebpfd.access import BUILT_IN, Action, Role
from ebpfd.app import Settings, SettingsError
from ebpfd.app.config import OpenTo
from ebpfd_api.npi import HOOK

WHOLE = """
open_to = "group"

[roles.admin]
who = ["owner", "uid:0"]

[roles.deployer]
who = ["uid:1000", "gid:100", "cert:ci.example"]
register = ["hook", "{F788EF4A-207D-4DC3-85CF-0F2EA107213C}"]
load = ["xdp", "f788ef4a-207d-4dc3-85cf-0f2ea107213c"]
attach = ["*"]
read = ["counters*", ".rodata", "/my/*", "own", "uid:7", "cert:alice"]
write = ["own"]
fire = ["x*"]
observe = true
admin = false

[roles.anybody]
who = ["*"]
observe = true
"""

GUID = "guid:f788ef4a-207d-4dc3-85cf-0f2ea107213c"


def parse(tmp_path: Path, content: str) -> Settings:
    """Settings from a file."""
    file = tmp_path / "ebpfd.toml"
    file.write_text(content)
    return Settings.parse((), None, config=str(file))


def test_a_file_says_all_that_there_is_to_say(tmp_path: Path) -> None:
    """Each kind of thing is meant in each way that there is."""
    settings = parse(tmp_path, WHOLE)
    assert settings.roles is not None
    assert list(settings.roles) == [
        Role("admin", frozenset({"owner", "uid:0"}), BUILT_IN["admin"].may),
        Role("anybody", frozenset({"*"}), {Action.OBSERVE: ("*",)}),
        Role(
            "deployer",
            frozenset({"uid:1000", "gid:100", "cert:ci.example"}),
            {
                Action.REGISTER: (f"guid:{HOOK}", GUID),
                Action.LOAD: ("name:xdp", GUID),
                Action.ATTACH: ("*",),
                Action.READ: (
                    "name:counters*",
                    "name:.rodata",
                    "path:BPF:\\my\\*",
                    "own",
                    "of:uid:7",
                    "of:cert:alice",
                ),
                Action.WRITE: ("own",),
                Action.FIRE: ("name:x*",),
                Action.OBSERVE: ("*",),
            },
        ),
    ]
    assert settings.open_to is OpenTo.GROUP


def test_users_and_groups_may_be_named(tmp_path: Path) -> None:
    """As this host knows them when the daemon starts."""
    user, group = pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name
    who = f'["user:{user}", "group:{group}"]'
    roles = parse(tmp_path, f"[roles.observer]\nwho = {who}").roles
    assert roles is not None
    (role,) = roles
    assert role.who == {"uid:0", "gid:0"}


def test_without_roles_the_sockets_are_the_owner_s(tmp_path: Path) -> None:
    """And who may connect may do all."""
    settings = parse(tmp_path, "")
    assert (settings.roles, settings.open_to) == (None, OpenTo.OWNER)


A_ROLE = '[roles.a]\nwho = ["*"]\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("roles = 1", "roles: this must be tables: [roles.NAME]"),
        ("[roles]", "roles: there are none, so nobody could do anything: add [roles.admin]"),
        ("[roles]\na = 1", "roles, a: this must be a table"),
        ('[roles."a b"]\nwho = ["*"]', "roles: 'a b' is not 1 to 64 letters"),
        ("[roles.a]\nobserve = true", "roles, a, who: nobody holds this role: say who does"),
        (A_ROLE, "roles, a, who: the role allows nothing: give it one of register, load, attach"),
        (A_ROLE + "lode = []", "roles, a, lode: there is no such key here; there are who, "),
        (A_ROLE + "observe = 1", "roles, a, observe: this must be true or false"),
        (A_ROLE + 'load = "xdp"', "roles, a, load: this must be a list of texts"),
        ('[roles.admin]\nwho = ["*"]\nload = ["*"]', "roles, admin, load: what admin allows is"),
        ('[roles.a]\nwho = ["root"]', "roles, a, who: 'root' is none of user:NAME, group:NAME"),
        ('[roles.a]\nwho = ["uid:4294967295"]', "who: 'uid:4294967295': numbers end at"),
        ('[roles.a]\nwho = ["user:no.such"]', "who: 'user:no.such': this host knows none of that"),
        ('[roles.a]\nwho = ["group:"]', "who: 'group:': this host knows none of that name"),
        ('[roles.a]\nwho = ["uid:-1"]', "who: 'uid:-1' is none of"),
        ('[roles.a]\nwho = ["cert:"]', "who: 'cert:' is none of"),
        (A_ROLE + 'register = ["xdp"]', "register: 'xdp' is no GUID, and none of program-inform"),
        (
            A_ROLE + 'attach = ["f788ef4a-207d-4dc3-85cf-0f2ea107213"]',
            "roles, a, attach: 'f788ef4a-207d-4dc3-85cf-0f2ea107213' is no GUID: it has 32 digits",
        ),
        (A_ROLE + 'load = [""]', "roles, a, load: '' is no name"),
        (A_ROLE + 'load = ["own:x"]', "roles, a, load: 'own:x' is no name"),
        (A_ROLE + 'read = ["/../x"]', "roles, a, read: path '/../x' leads above the root"),
        (A_ROLE + 'write = ["uid:9999999999"]', "write: 'uid:9999999999': numbers end at"),
        ('open_to = "world"', "open_to: 'world' is none of owner, group, everybody"),
        ('open_to = "everybody"', "open_to: without [roles] whoever connects may do all: add them"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, content: str, said: str) -> None:
    """The key is named, and what would do."""
    with pytest.raises(SettingsError) as caught:
        parse(tmp_path, content)
    assert said in str(caught.value)
