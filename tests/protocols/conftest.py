"""Worlds full of accounts, one per version and module; every test undoes what it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocols.worlds import give_means
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v2 import AaveV2World
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world

KINDS = (AaveV30World, AaveV36World)
ACCOUNTS, SEED = 500, 7


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def opened(request: pytest.FixtureRequest) -> Iterator[AaveWorld]:
    with open_world(request.param, accounts=ACCOUNTS, seed=SEED) as world:
        give_means(world)
        yield world


@pytest.fixture
def world(opened: AaveWorld) -> Iterator[AaveWorld]:
    with opened.chain.undone():
        yield opened


@pytest.fixture(scope="module")
def opened_v30() -> Iterator[AaveV30World]:
    with open_world(AaveV30World, accounts=ACCOUNTS, seed=SEED) as world:
        give_means(world)
        yield world


@pytest.fixture
def v30(opened_v30: AaveV30World) -> Iterator[AaveV30World]:
    with opened_v30.chain.undone():
        yield opened_v30


@pytest.fixture(scope="module")
def opened_v36() -> Iterator[AaveV36World]:
    with open_world(AaveV36World, accounts=ACCOUNTS, seed=SEED) as world:
        give_means(world)
        yield world


@pytest.fixture
def v36(opened_v36: AaveV36World) -> Iterator[AaveV36World]:
    with opened_v36.chain.undone():
        yield opened_v36


@pytest.fixture(scope="module")
def opened_v2() -> Iterator[AaveV2World]:
    with open_world(AaveV2World, accounts=ACCOUNTS, seed=SEED) as world:
        give_means(world)
        yield world


@pytest.fixture
def v2(opened_v2: AaveV2World) -> Iterator[AaveV2World]:
    with opened_v2.chain.undone():
        yield opened_v2
