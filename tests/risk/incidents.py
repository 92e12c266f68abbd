"""Twelve failures of oracles as they were to be seen from a chain, block by block.

The numbers that an incident is known for are published, and `source` says where. What lies between them (the calm
before, the steps in between, heartbeats that are no longer published) is made up, within what is told. Those that
happened elsewhere than on an EVM chain are told as the same path of a feed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.risk.prices import feed, named, position, price, says
from watcher.domain.doubt import Suspicion
from watcher.domain.position import Numeraire, Position
from watcher.domain.price import Cap, Fixed, Leaf, Opaque, Product, Rate
from watcher.domain.sequencer import Running, Sequencer

STALE, SEQUENCER, HEAD = "stale price", "sequencer", "head too old"
WAD = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one evaluation at wall-clock time `clock` read at a block of time `at`."""

    at: int
    positions: tuple[Position, ...]
    clock: int
    sequencer: Sequencer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """`found`: by which check at which step; before the first of them nothing may be said at all."""

    name: str
    source: str
    steps: tuple[Step, ...]
    found: tuple[tuple[int, str], ...]


def _path(start: int, every: int, values: tuple[Any, ...], made: Callable[[Any, int], Position]) -> tuple[Step, ...]:
    times = [start + every * place for place in range(len(values))]
    return tuple(
        Step(at=at, clock=at + 2, positions=(made(value, at),)) for at, value in zip(times, values, strict=True)
    )


def luna() -> Incident:
    paused = 1_652_400_000

    def at_venus(market: float, at: int) -> Position:
        age = max(at - paused, 0) + 10
        beside = says("LUNA / USD elsewhere", market, at, feed=named("elsewhere"))
        low = round(0.10 * 10**8)
        return position(price(feed("LUNA / USD", 0.107, at, age=age, beside=beside, lowest=low)), at=at)

    late = (0.0107,) * 2
    return Incident(
        name="LUNA on Venus, 12 May 2022",
        source="cryptonews.com.au, 'DeFi Protocols Report Significant Losses Amid Luna Price Exploit' (0.107 where the "
        "market was at 0.01; Venus lost 11.2 M); medium.com/venusprotocol, 'Venus LUNA Incident Update 3'; the feed's "
        "least answer 0.10: BeInCrypto as told there. Heartbeat and steps are ours.",
        steps=(
            *_path(paused - 600, 300, (0.109, 0.108, 0.107, 0.104, 0.102, 0.05, 0.01), at_venus),
            *_path(paused + 3600, 400, late, at_venus),
        ),
        found=((4, Suspicion.DEVIATES), (8, STALE)),
    )


def mango() -> Incident:
    def at_mango(answer: float, at: int) -> Position:
        return position(price(feed("MNGO / USD", answer, at)), at=at)

    return Incident(
        name="Mango Markets, 11 October 2022",
        source="insurace.io, 'Hack Review: Mango Markets'; CertiK, 'Mango Market Incident Analysis' (0.0382 to 0.91 "
        "within minutes). On Solana: the same path of a feed.",
        steps=_path(1_665_526_740, 60, (0.0380, 0.0382, 0.0382, 0.0381, 0.91), at_mango),
        found=((4, Suspicion.JUMP),),
    )


def _halted(begins: int, minutes: int, *, tell_down: bool) -> tuple[Step, ...]:
    """A rollup whose newest block stays the same, as a wall clock sees it; and its first blocks when it is back."""

    def there(at: int, updated: int) -> tuple[Position, ...]:
        one = feed("USDC / USD", 1, at, age=at - updated, heartbeat=255)
        return (position(price(one), at=at),)

    ends = begins + 60 * minutes
    up, back = Sequencer(state=Running.UP, since=begins - 10**6), Sequencer(state=Running.UP, since=ends)
    down = Sequencer(state=Running.DOWN, since=begins + 60)
    frozen = [Step(at=begins, clock=begins + late, positions=there(begins, begins), sequencer=up) for late in (2, 58)]
    frozen += [Step(at=begins, clock=begins + 62, positions=there(begins, begins), sequencer=up)]
    first = Step(at=ends, clock=ends + 2, positions=there(ends, begins - 200), sequencer=down if tell_down else back)
    settling = Step(at=ends + 3600, clock=ends + 3602, positions=there(ends + 3600, ends + 3500), sequencer=back)
    return (*frozen, first, settling)


def arbitrum() -> Incident:
    return Incident(
        name="Arbitrum's sequencer, 15 December 2023",
        source="cointelegraph.com/news/arbitrum-network-goes-offline-december-15 (from 10:29 ET, for 78 minutes); "
        "heartbeat of USDC / USD there: feeds.csv.",
        steps=_halted(1_702_654_140, 78, tell_down=False),
        found=((2, HEAD), (3, STALE), (3, SEQUENCER), (4, SEQUENCER)),
    )


def base() -> Incident:
    return Incident(
        name="Base's sequencer, 5 August 2025",
        source="base-l2.statuspage.io/incidents/kdq3t8s13gfs (from 6:07 UTC, for 33 minutes).",
        steps=_halted(1_754_374_020, 33, tell_down=True),
        found=((2, HEAD), (3, SEQUENCER), (4, SEQUENCER)),
    )


def wusdm() -> Incident:
    def at_venus(rate: float, at: int) -> Position:
        share = Rate(source=named("wUSDM"), what="wUSDM in USDM", value=round(rate * WAD), decimals=18)
        whole = Product(above=(share, Leaf(feed("USDM / USD", 1, at))), over=WAD)
        return position(price(whole), at=at)

    return Incident(
        name="wUSDM on Venus (ZKsync), 27 February 2025",
        source="The Block, 'Analysis of $700k oracle manipulation exploit highlights vulnerabilities in DeFi vaults', "
        "after the post-mortem of Chaos Labs (rate 1.06 to 1.7 by one donation; Venus lost 717 k).",
        steps=_path(1_740_614_400, 60, (1.06, 1.06, 1.06001, 1.7), at_venus),
        found=((3, Suspicion.GROWTH),),
    )


def the() -> Incident:
    def at_venus(seen: tuple[float, float], at: int) -> Position:
        supplied, answer = seen
        share = Rate(source=named("vTHE"), what="vTHE in THE", value=round(supplied / 12.18 * WAD), decimals=18)
        whole = Product(above=(share, Leaf(feed("THE / USD", answer, at))), over=WAD)
        return position(price(whole), at=at)

    values = ((12.18, 0.27), (12.18, 0.271), (12.18, 0.27), (49.5, 0.272), (53.2, 0.53))
    return Incident(
        name="THE on Venus, 15 March 2026",
        source="blocksec.com/blog/venus-thena-donation-attack; Allez Labs as told by Cointelegraph (84 % of a cap of "
        "14.5 M THE supplied; 49.5 M at 12:00 and 53.2 M at 12:42 UTC by tokens sent to vTHE; 0.27 to nearly 0.53).",
        steps=_path(1_773_576_000, 600, values, at_venus),
        found=((3, Suspicion.GROWTH), (4, Suspicion.JUMP)),
    )


def deusd() -> Incident:
    def at_euler(answer: float, at: int) -> Position:
        beside = says("deUSD / USD elsewhere", 1.0, at, feed=named("elsewhere"))
        owed = feed("deUSD / USD", answer, at, heartbeat=86_400, deviation=Decimal("0.5"), beside=beside)
        return position(price(feed("USDC / USD", 1, at, heartbeat=86_400)), price(owed), at=at)

    return Incident(
        name="deUSD on Euler (Avalanche), 29 May 2025",
        source="forklog.com, 'Euler user loses $500,000 due to temporary deUSD spike on Avalanche'; unchainedcrypto.com"
        " (1.028 for three minutes, by a trade of 210 k in one Curve pool).",
        steps=_path(1_748_520_000, 60, (1.0, 1.001, 1.0005, 1.0283), at_euler),
        found=((3, Suspicion.DEVIATES),),
    )


def usde() -> Incident:
    def at_venue(seen: tuple[float, float], at: int) -> Position:
        own, elsewhere = seen
        beside = says("USDe / USD elsewhere", elsewhere, at)
        book = Opaque(named("venue"), round(own * 10**8), "its own book")
        return position(price(book, beside=beside), at=at)

    values = ((1.0, 1.0), (0.998, 0.999), (0.99, 0.992), (0.65, 0.9))
    return Incident(
        name="USDe on Binance, 10 October 2025",
        source="bitcoinethereumnews.com, 'USDe depeg on Binance' (0.65 by its own book, above 0.90 elsewhere; 283 M "
        "repaid, 21:36 to 22:16 UTC). A venue: the same as a source that nobody can see through.",
        steps=_path(1_760_132_160, 60, values, at_venue),
        found=((3, Suspicion.DEVIATES),),
    )


def xusd() -> Incident:
    def at_market(pool: float, at: int) -> Position:
        beside = says("xUSD / USD in a pool", pool, at, heartbeat=None)
        return position(price(Fixed(126_000_000, "its issuer's rate"), beside=beside), at=at)

    return Incident(
        name="xUSD of Stream Finance, 3 and 4 November 2025",
        source="theblockbeats.news, Omer Goldberg (1.26 by its issuer and its oracles, 1.15 in the market); "
        "en.coinotag.com (0.26; 285 M of debt on it).",
        steps=_path(1_762_128_000, 3600, (1.26, 1.258, 1.25, 1.15, 0.26), at_market),
        found=((3, Suspicion.DEVIATES), (4, Suspicion.DEVIATES)),
    )


def moonwell() -> Incident:
    dollars = Numeraire(symbol="USD", decimals=18)

    def at_moonwell(enacted: bool, at: int) -> Position:
        ratio = Leaf(feed("cbETH / ETH", 1.12, at, decimals=18, heartbeat=86_400))
        ether = Leaf(feed("ETH / USD", 1964.3, at))
        whole = ratio if enacted else Product(above=(ratio, ether), over=10**8)
        return position(price(whole, "wrapper" if enacted else "composite"), at=at, numeraire=dollars)

    return Incident(
        name="cbETH on Moonwell, 15 February 2026",
        source="forum.moonwell.fi/t/mip-x43-cbeth-oracle-incident-summary/2068 (1.12 instead of 2,200 from 18:01 UTC, "
        "the feed of cbETH / ETH without that of ETH / USD; 1.78 M of bad debt).",
        steps=_path(1_771_178_400, 30, (False, False, True), at_moonwell),
        found=((2, Suspicion.MISSING_FACTOR), (2, Suspicion.CHANGED)),
    )


def capo() -> Incident:
    def at_aave(most: float, at: int) -> Position:
        ratio = Rate(source=named("wstETH"), what="wstETH in stETH", value=round(1.2282 * WAD), decimals=18)
        cap = Cap(of=ratio, at=Fixed(round(most * WAD), "CAPO"), source=named("CAPO"), what="wstETH in stETH")
        whole = Product(above=(cap, Leaf(feed("ETH / USD", 2000, at))), over=WAD)
        ether = price(feed("ETH / USD", 2000, at), "ether")
        return position(price(whole), ether, at=at)

    return Incident(
        name="CAPO of wstETH on Aave, 10 March 2026",
        source="cryptotimes.io, 'Aave oracle glitch causes $26M wrongful liquidations', after Chaos Labs (the ratio "
        "1.2282, a cap that came to 2.85 % less; 34 accounts). The cap before is ours.",
        steps=_path(1_773_144_000, 12, (1.24, 1.24, 1.1932), at_aave),
        found=((2, Suspicion.CAPPED),),
    )


def regression() -> Incident:
    phase = 5 << 64

    def at_market(seen: tuple[int, float], at: int) -> Position:
        number, answer = seen
        return position(price(feed("ETH / USD", answer, at, round=phase + number)), at=at)

    values = ((900, 2000), (900, 2000), (901, 2004), (901, 2004), (901, 2004), (850, 1990))
    return Incident(
        name="A round that goes back",
        source="docs.chain.link/data-feeds/historical-data (round ids grow, with the phase above bit 64); liquity/dev, "
        "PriceFeed.sol, which asks the round before the last for the same reason. No one incident: a path.",
        steps=_path(1_700_000_000, 60, values, at_market),
        found=((5, Suspicion.ROUND_BACK),),
    )


INCIDENTS = [one() for one in (luna, mango, arbitrum, base, wusdm, the, deusd, usde, xusd, moonwell, capo, regression)]
