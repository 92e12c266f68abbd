"""Tokens as their contracts describe themselves, and those that do it badly."""

from __future__ import annotations

import pytest

from tests.oracles.node import node
from tests.worlds.artifacts import chainlink
from tests.worlds.own import own
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Asset
from watcher.protocols.assets import asset_of
from watcher.reads import Answers


def test_it_calls_a_token_by_its_symbol_and_one_without_by_its_address() -> None:
    with node() as there:
        token = there.deploy(own("MorphoToken"), "WBTC", 8)
        nameless = there.deploy(chainlink("MockV3Aggregator"), 6, 1)
        assert there.run(asset_of(token)) == Asset(address=token, symbol="WBTC", decimals=8)
        short = f"{nameless[:6]}…{nameless[-4:]}"
        assert there.run(asset_of(nameless)) == Asset(address=nameless, symbol=short, decimals=6)


def test_it_cannot_count_what_has_no_decimals() -> None:
    with node() as there:
        oracle = there.deploy(own("MorphoStrange"))
        with pytest.raises(ReadFailed, match="decimals"):
            there.run(asset_of(oracle))


def test_it_asks_a_token_once_a_day() -> None:
    with node() as there:
        token = there.deploy(own("MorphoToken"), "WBTC", 8)
        answers = Answers(there.block)
        there.finished(asset_of(token), answers)
        asked = len(there.asked)
        answers.returned.clear()
        there.finished(asset_of(token), answers)
        assert len(there.asked) == asked
