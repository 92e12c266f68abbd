"""What is registered is documented, and what is documented is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watcher.config.world import load_world
from watcher.protocols.registry import PROTOCOLS

PAGE = (Path(__file__).parents[1] / "docs" / "protocols.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TOLD = {key: title for title, text in SECTIONS.items() for key in re.findall(r"^Plugin: `(\w+)`", text, re.MULTILINE)}


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_it_tells_of_every_protocol_that_is_registered(protocol: str) -> None:
    assert protocol in TOLD, f"docs/protocols.md has no section with the line: Plugin: `{protocol}`"
    text = SECTIONS[TOLD[protocol]].lower()
    for part in ("boundary", "limits"):
        assert part in text, f"the section {TOLD[protocol]} says nothing of its {part}"


def test_it_tells_of_no_protocol_that_is_not_there() -> None:
    assert set(TOLD) <= set(PROTOCOLS)


def test_every_registered_protocol_is_deployed_somewhere() -> None:
    """Benqi's comptroller is named by third parties only, so that nobody is made to trust it."""
    assert {one.protocol for one in load_world().deployments} == set(PROTOCOLS) - {"benqi"}
