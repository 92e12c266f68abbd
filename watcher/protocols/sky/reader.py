"""The Sky plugin: which reads, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Asset,
    Because,
    Numeraire,
    Position,
    PositionId,
    Refused,
    Repay,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Fixed, Price
from watcher.domain.source import Address, Holder
from watcher.protocols.reader import Place, PriceMissing
from watcher.protocols.rounding import RAY, WAD, mul_div_down
from watcher.protocols.sky import calls
from watcher.protocols.sky.ilks import Modules, read_ilk
from watcher.protocols.sky.maths import (
    Account,
    Ilk,
    Market,
    after_repay,
    after_top_up,
    bark_refusal,
    dripped,
    health_of,
    ilk_of,
    legs_of,
    owed,
    scenarios_of,
    slack_of,
    spot_of,
    state_of,
)
from watcher.protocols.sky.terms import terms_of
from watcher.reads import Bundle, Outcome, Plan, together
from watcher.reads.logs import Search

_DOLLARS = Numeraire(symbol="USD", decimals=18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """All vaults on one Vat. The fields are the contracts of those names in Sky's own list, the Chainlog.

    A vault is told by its kind and number, `ETH-A/1234`; an urn that an address holds by itself by its kind.
    """

    place: Place
    vat: Address
    spotter: Address
    jug: Address
    dog: Address
    cdp_manager: Address
    get_cdps: Address
    ilk_registry: Address
    lockstake: Address
    dai: Address

    # Where an owner has vaults

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """Vaults with anything in them: numbered ones, those of the staking engine, and the owner's own urns."""
        cdps = calls.cdps_of(self.get_cdps, self.cdp_manager, owner.account)
        count, listed = calls.urns_count(self.lockstake, owner.account), calls.ilks_listed(self.ilk_registry)
        staked = calls.engine_ilk(self.lockstake)
        got = yield [cdps, count, listed, staked]
        numbered = got[cdps]
        urns = [calls.urn_at(self.lockstake, owner.account, index) for index in range(got[count])]
        answered = yield urns
        places = [
            *zip(numbered.ilks, numbered.urns, (f"/{number}" for number in numbered.numbers), strict=True),
            *((got[staked], answered[urn], f"/{index}") for index, urn in enumerate(urns)),
            *((ilk, owner.account, "") for ilk in got[listed]),
        ]
        return (yield from self._filled(owner, places))

    def _filled(self, owner: Holder, places: Sequence[tuple[bytes, Address, str]]) -> Plan[Sequence[Holder]]:
        asked = {place: calls.urn_of(self.vat, place[0], place[1]) for place in places}
        got = yield list(asked.values())
        return tuple(
            Holder(wallet=owner.wallet, account=urn, key=calls.name_of(ilk) + number)
            for (ilk, urn, number), ask in asked.items()
            if got[ask].ink or got[ask].art
        )

    def search(self, owner: Holder) -> Search | None:
        """None: nothing has to be searched for."""
        return None

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Collateral and normalised debt; None where there is neither."""
        ilk = _ilk_of(holder)
        ask = calls.urn_of(self.vat, ilk, holder.account)
        urn = (yield [ask])[ask]
        return Account(holder=holder, ilk=ilk, ink=urn.ink, art=urn.art) if urn.ink or urn.art else None

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """The kinds of these vaults. One that fails is a value in it, and costs the others nothing."""
        live, dog_live = calls.vat_live(self.vat), calls.dog_live(self.dog)
        hole, dirt = calls.hole_of(self.dog), calls.dirt_of(self.dog)
        par, base = calls.par_of(self.spotter), calls.base_of(self.jug)
        staked, usds = calls.engine_ilk(self.lockstake), calls.engine_usds(self.lockstake)
        got = yield [live, dog_live, hole, dirt, par, base, staked, usds]
        modules = Modules(
            vat=self.vat,
            spotter=self.spotter,
            jug=self.jug,
            dog=self.dog,
            ilk_registry=self.ilk_registry,
            base=got[base],
            par=got[par],
            dai=Asset(address=self.dai, symbol="DAI", decimals=18),
            usds=Asset(address=got[usds], symbol="USDS", decimals=18),
            staked=got[staked],
        )
        ilks = list(dict.fromkeys(account.ilk for account in accounts))
        read = yield from together(read_ilk(modules, ilk, self.place.feeds) for ilk in ilks)
        kinds = dict(zip(ilks, read, strict=True))
        pinned = Price.of(Fixed(mul_div_down(got[par], WAD, RAY), "par: what the protocol takes it to be worth"))
        return Market(
            at=got.at,
            live=got[live] == 1,
            dog_live=got[dog_live] == 1,
            hole=got[hole],
            dirt=got[dirt],
            par=got[par],
            ilks={ilk: one if isinstance(one, ReadFailed) else one[0] for ilk, one in kinds.items()},
            prices={modules.dai.address: pinned, modules.usds.address: pinned, **dict(_prices(read))},
        )

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position for each vault, by the rate after a drip."""
        try:
            ilk = ilk_of(market, account)
        except PriceMissing as problem:
            return [self._unpriceable(market, account, problem)]
        rate = dripped(market, ilk)
        health = health_of(account, ilk.spot, rate)
        legs = tuple(legs_of(market, ilk, account))
        return [
            Position(
                id=self._id(account.holder),
                holder=account.holder,
                at=market.at,
                market=f"{self.place.title} {ilk.name}",
                state=state_of(market, ilk, account, health),
                health=health,
                legs=legs,
                collateral=sum(mul_div_down(account.ink, leg.price.low, WAD) for leg in legs if leg.amount >= 0),
                debt=mul_div_down(owed(account, rate), market.par, RAY),
                numeraire=_DOLLARS,
                slack=slack_of(ilk, account),
                notes=tuple(_notes(market, ilk, account)),
                terms=tuple(terms_of(market, ilk)),
                scenarios=tuple(scenarios_of(market, ilk, account)) if account.art else (),
            )
        ]

    def _id(self, holder: Holder) -> PositionId:
        where = self.place.deployment
        return PositionId(deployment=where, wallet=holder.wallet, account=holder.account, key=holder.key)

    def _unpriceable(self, market: Market, account: Account, problem: PriceMissing) -> Unreadable:
        return Unreadable(
            id=self._id(account.holder),
            holder=account.holder,
            at=market.at,
            market=self.place.title,
            because=Because.UNPRICEABLE,
            reason=str(problem),
        )

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """What `bark` would compare behind a drip: none publishes it, so the Jug itself is asked for the rate.

        A drip that is refused, as once the Vat is shut, leaves the rate as it is.
        """
        ilk = _ilk_of(holder)
        urn = calls.urn_of(self.vat, ilk, holder.account)
        bundle = Bundle((calls.drip(self.jug, ilk), calls.vat_ilk(self.vat, ilk)))
        got = yield [urn, bundle]
        _, told = got.bundle(bundle)
        if isinstance(told, ReadFailed):
            raise told
        health = Health(backing=got[urn].ink * told.spot, required=got[urn].art * told.rate)
        return Verdict(liquidatable=told.spot > 0 and health.liquidatable, health=health)

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The vault after paying back what it owes, or after locking more of its collateral; a drip comes first."""
        ilk = ilk_of(market, account)
        repaying = isinstance(action, Repay)
        if action.asset != (ilk.debt if repaying else ilk.asset).address:
            return Refused(f"{action.asset} is not what this vault {'owes' if repaying else 'takes'}")
        return (after_repay if repaying else after_top_up)(market, account, action.amount)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        """Kinds of vaults as after a poke at another price of their source. What DAI trades at is nothing to them."""
        ilks = {ilk: _poked(market, found, prices) for ilk, found in market.ilks.items()}
        return replace(market, ilks=ilks, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """All modules must work for the one Vat."""
        asked = {field: getter(getattr(self, field)) for field, getter in calls.VAT_OF.items()}
        got = yield list(asked.values())
        told = {field: got.outcome(ask) for field, ask in asked.items()}
        problems = [str(vat) for vat in told.values() if isinstance(vat, ReadFailed)]
        wrong = {field: vat for field, vat in told.items() if not isinstance(vat, ReadFailed) and vat != self.vat}
        return [*problems, *(f"{field} works for the Vat {vat}, not for {self.vat}" for field, vat in wrong.items())]


def _ilk_of(holder: Holder) -> bytes:
    return calls.ilk_named(holder.key.partition("/")[0])


def _prices(read: Sequence[Outcome[tuple[Ilk, Price | None]]]) -> Iterator[tuple[Address, Price]]:
    for one in read:
        if not isinstance(one, ReadFailed) and one[1] is not None:
            yield one[0].key, one[1]


def _poked(market: Market, ilk: Outcome[Ilk], prices: Mapping[Address, Price]) -> Outcome[Ilk]:
    """The kind after a poke at another price. At the price that it has nothing is poked: its spot may be of another."""
    if isinstance(ilk, ReadFailed) or ilk.key not in prices or prices[ilk.key] == market.prices.get(ilk.key):
        return ilk
    return replace(ilk, spot=spot_of(prices[ilk.key].low, market.par, ilk.mat))


def _notes(market: Market, ilk: Ilk, account: Account) -> Iterator[str]:
    if not market.live:
        yield "the system is shut down: no fee is taken any more"
    if account.art and (why := bark_refusal(market, ilk, account)):
        yield f"could not be liquidated now: {why}"
    if 0 < account.art * dripped(market, ilk) < ilk.dust:
        yield "it owes less than the minimum debt: it can only be paid back as a whole"
