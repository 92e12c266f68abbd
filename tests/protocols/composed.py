"""An Aave market whose wrapped ether is priced by a real adapter over the feed of plain ether, and read as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.protocols.worlds import HEARTBEAT, look
from tests.worlds.aave import AaveWorld
from tests.worlds.deployment import ADMIN
from tests.worlds.own import own
from watcher.domain.price import Cap, FeedReading, Fixed, Leaf, Price, Product, Rate
from watcher.domain.source import Address
from watcher.snapshot import Held

WAD = 10**18
RATE = 1_180_000_000_000_000_001


@dataclass(frozen=True)
class Adapted:
    """The adapter that wstETH is priced by, and what it is made of."""

    world: AaveWorld
    adapter: Address
    ratio: Address
    most: int

    @property
    def feed(self) -> Address:
        return Address(self.world.tokens["WETH"].feed)

    def price(self) -> Price:
        """The tree of the adapter."""
        [_, answer, _, updated_at, _] = self.world.chain.view(
            self.feed, "latestRoundData()(uint80,int256,uint256,uint256,uint80)"
        )
        plain = FeedReading(
            feed=self.feed, pair="WETH / USD", answer=answer, decimals=8, updated_at=updated_at, heartbeat=HEARTBEAT
        )
        rate = Rate(source=self.ratio, what="wstETH in WETH", value=RATE, decimals=18)
        cap = Cap(of=rate, at=Fixed(self.most, "the most that its adapter allows"))
        return Price.of(Product(above=(Leaf(plain), cap), over=WAD), source=self.adapter)

    async def look(self, wallets: Sequence[str]) -> list[Held]:
        """What a snapshot sees of these wallets, with this price seen through."""
        snapshot = await look(self.world, wallets)
        assert not snapshot.unreadable
        return [self._seen(held) for held in snapshot.held]

    def _seen(self, held: Held) -> Held:
        wsteth = Address(self.world.tokens["wstETH"].address)
        prices: Mapping[Address, Price] = held.market.prices
        if wsteth not in prices:
            return held
        composed = self.price()
        assert composed.low == prices[wsteth].low, "the tree comes to what the contract answers"
        market = held.reader.repriced(held.market, {wsteth: composed})
        seen = replace(held, market=market)
        return replace(seen, position=replace(seen.of_account(held.account), check=held.position.check))


def adapt(world: AaveWorld, *, most: int = 2 * WAD) -> Adapted:
    """Put the adapter before wstETH."""
    ratio = world.chain.deploy(ADMIN, own("FixedRate").creation(RATE))
    feed = world.tokens["WETH"].feed
    adapter = world.chain.deploy(ADMIN, own("CappedAdapter").creation(feed, ratio, most))
    source = [world.tokens["wstETH"].address], [adapter]
    world.chain.send(ADMIN, world.oracle, "setAssetSources(address[],address[])", *source)
    return Adapted(world, Address(adapter), Address(ratio), most)
