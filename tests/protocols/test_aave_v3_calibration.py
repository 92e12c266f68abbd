"""Forks keep a revision number and change the rounding: the variant is the one that the contract's answers agree with.

No such fork can be deployed here, so a real v3.0 market is read through a node that answers `getUserAccountData` as
the fork would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from eth_abi.abi import encode

from tests.protocols.worlds import Numbers, look, ours, spec_of, watched_in
from tests.worlds.aave_v30 import AaveV30World
from watcher.chain import Chain, Pinned
from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Check, Position, State
from watcher.domain.source import Address, Block
from watcher.protocols.aave.state import Market, Variant
from watcher.protocols.aave_v3 import calls
from watcher.protocols.aave_v3.variants import VARIANTS, variants_of
from watcher.reads import Request, Returned
from watcher.snapshot import Snapshot, take

PLAIN, SPARK = VARIANTS[1]
WALLETS = 80


@dataclass
class Fork:
    """A pinned block where `getUserAccountData` answers otherwise for some accounts."""

    pinned: Pinned
    pool: Address
    says: Mapping[Address, Numbers]

    @property
    def block(self) -> Block:
        return self.pinned.block

    @property
    def endpoint(self) -> str:
        return self.pinned.endpoint

    async def read(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        forged: dict[Request, Sequence[Returned]] = {
            calls.account_data_of(self.pool, wallet): [Returned(True, _account_data(*numbers))]
            for wallet, numbers in self.says.items()
        }
        honest = await self.pinned.read(requests)
        return {request: forged.get(request, returned) for request, returned in honest.items()}


def _account_data(collateral: int, debt: int, factor: int) -> bytes:
    return encode(["uint256"] * 6, [collateral, debt, 0, 0, 0, factor])


async def look_at_fork(world: AaveV30World, says: Mapping[Address, Numbers]) -> Snapshot:
    wallets = world.accounts[:WALLETS]
    async with Chain(spec_of(world)) as chain:
        return await chain.first(
            lambda pinned: take(Fork(pinned, Address(world.pool), says), [watched_in(world, wallets)])
        )


async def computed(world: AaveV30World, variant: Variant) -> dict[Address, Numbers]:
    """What a market of this variant would say of each account."""
    said = {}
    for held in (await look(world, world.accounts[:WALLETS])).held:
        market: Market = replace(held.market, variant=variant)
        [position] = held.reader.positions(market, held.account)
        assert isinstance(position, Position)
        said[position.id.wallet] = ours(position)
    return said


async def test_it_takes_the_plain_variant_where_the_contract_is_plain(v30: AaveV30World) -> None:
    snapshot = await look(v30, v30.accounts[:WALLETS])
    assert {held.market.variant for held in snapshot.held} == {PLAIN}


async def test_it_takes_the_variant_that_the_contract_agrees_with(v30: AaveV30World) -> None:
    says = await computed(v30, SPARK)
    assert says != await computed(v30, PLAIN)
    snapshot = await look_at_fork(v30, says)
    assert {held.market.variant for held in snapshot.held} == {SPARK}
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    assert {position.id.wallet: ours(position) for position in snapshot.positions} == says


@pytest.mark.parametrize("variant", [PLAIN, SPARK], ids=["plain", "fork"])
async def test_it_shows_the_contract_s_numbers_where_no_variant_explains_them(
    v30: AaveV30World, variant: Variant
) -> None:
    """One account that differs by a unit, one that the contract finds liquidatable: the others stay verified."""
    says = await computed(v30, variant)
    healthy = [wallet for wallet, (_, debt, factor) in says.items() if debt and factor > 15 * 10**17]
    odd, sunk = healthy[:2]
    collateral, debt, factor = says[odd]
    says |= {odd: (collateral, debt, factor + 1), sunk: (says[sunk][0], says[sunk][1], 9 * 10**17)}
    found = {position.id.wallet: position for position in (await look_at_fork(v30, says)).positions}
    assert {wallet for wallet in found if found[wallet].check is Check.MISMATCH} == {odd, sunk}
    assert {position.check for position in found.values()} == {Check.MISMATCH, Check.VERIFIED}
    assert {wallet: ours(position) for wallet, position in found.items()} == says
    assert found[odd].state is State.HEALTHY
    assert found[sunk].state is State.LIQUIDATABLE
    assert found[sunk].health == Health(backing=9 * 10**17, required=10**18)
    assert "the contract's numbers are shown" in " ".join(found[odd].notes)


async def test_it_tells_a_mismatch_where_nothing_agrees(v30: AaveV30World) -> None:
    says = {w: (c, d + (1 if d else 0), h) for w, (c, d, h) in (await computed(v30, PLAIN)).items()}
    snapshot = await look_at_fork(v30, says)
    assert {p.check for p in snapshot.positions if p.debt} == {Check.MISMATCH}
    assert {p.id.wallet: ours(p) for p in snapshot.positions} == says


def test_it_refuses_a_revision_that_no_pool_has() -> None:
    with pytest.raises(ReadFailed, match="revision 0 is none of Aave v3"):
        variants_of(0)
    assert variants_of(99) == variants_of(max(VARIANTS))
