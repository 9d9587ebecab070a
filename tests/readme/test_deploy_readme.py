"""What the README about services shows works as it stands there."""

import re
from pathlib import Path

from ebpfd.app.config import Config, read_config
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.extensions import Policy

README = (Path(__file__).parents[2] / "deploy" / "README.md").read_text()


def test_the_configuration_file_is_one(tmp_path: Path) -> None:
    """Its policy and its deadlines are those that hold when nothing is said."""
    found = re.search(r"<!-- ebpfd.toml -->\n```toml\n(.*?)```", README, re.DOTALL)
    assert found
    file = tmp_path / "ebpfd.toml"
    file.write_text(found[1])
    read = read_config(file)
    usual = Deadlines()
    said = read.callback_s, read.drain_s, read.lease_s
    assert said == (usual.callback_s, usual.drain_s, usual.lease_s)
    (extension,) = read.extensions
    assert extension.policy == Policy()
    assert read != Config()
