"""The plugins: each a comptroller of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.protocols.compound_v2 import calls
from watcher.protocols.compound_v2.maths import Common, Rule, Version
from watcher.protocols.compound_v2.reader import Family
from watcher.protocols.compound_v2.rules import LIQUIDATE, guarded, of_core, of_pool
from watcher.protocols.compound_v2.shared import asset_of, venus_market_price
from watcher.reads import Call, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class CompoundV2(Family):
    """Compound's own, on Ethereum: it counts blocks, and can deprecate a market."""

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        return guarded(self.comptroller, c_token, deprecates=True, caps=False)

    def marks(self) -> Sequence[Call[object]]:
        return (calls.seizure_paused(self.comptroller), calls.deprecated(self.comptroller, ZERO_ADDRESS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moonwell(Family):
    """Moonwell: it counts seconds, and caps supply."""

    per_second: ClassVar[bool] = True

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        return guarded(self.comptroller, c_token, deprecates=False, caps=True)

    def marks(self) -> Sequence[Call[object]]:
        return (calls.seizure_paused(self.comptroller), calls.supply_cap(self.comptroller, ZERO_ADDRESS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Benqi(Family):
    """Benqi: it counts seconds, and caps no supply."""

    per_second: ClassVar[bool] = True

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        return guarded(self.comptroller, c_token, deprecates=False, caps=False)

    def marks(self) -> Sequence[Call[object]]:
        return (calls.seizure_paused(self.comptroller),)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenusCore(Family):
    """Venus's core pool on BNB Smart Chain: e-mode pools, VAI, a pause for everything, a liquidator of its own."""

    version: ClassVar[Version] = Version(skips_empty=True, caps_by_shares=True)

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        return of_core(self.comptroller, user, c_token)

    def common(self) -> Plan[Common]:
        paused, only = calls.all_paused(self.comptroller), calls.liquidator(self.comptroller)
        yield [paused, only, calls.vai_controller(self.comptroller)]
        common = yield from Family.common(self)
        got = yield [paused, only]
        common = replace(common, all_paused=got[paused], liquidator=got[only])
        controller = yield from self.controller()
        if controller is None:
            return common
        stopped, token = calls.action_paused(self.comptroller, controller, LIQUIDATE), calls.vai_token(controller)
        got = yield [stopped, token]
        return replace(common, vai_paused=got[stopped], vai=(yield from asset_of(got[token])))

    def controller(self) -> Plan[Address | None]:
        ask = calls.vai_controller(self.comptroller)
        told = (yield [ask])[ask]
        return None if told == ZERO_ADDRESS else told

    def pool(self, user: Address) -> Plan[int]:
        ask = calls.pool_of(self.comptroller, user)
        return (yield [ask])[ask]

    def explained(self, oracle: Address, c_token: Address, value: int) -> Plan[Price]:
        return venus_market_price(oracle, c_token, value, self.place.feeds)

    def marks(self) -> Sequence[Call[object]]:
        return (calls.all_paused(self.comptroller), calls.pool_of(self.comptroller, ZERO_ADDRESS))


@dataclass(frozen=True, slots=True, kw_only=True)
class VenusPool(Family):
    """One of Venus's pools elsewhere: bad debt counts into the rate, and small accounts are liquidated as a whole."""

    version: ClassVar[Version] = Version(weighs_last=True, caps_by_shares=True)
    pools: ClassVar[bool] = True

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        return of_pool(self.comptroller, c_token)

    def common(self) -> Plan[Common]:
        least = calls.least_collateral(self.comptroller)
        yield [least, calls.oracle_of(self.comptroller), calls.close_factor(self.comptroller)]
        common = yield from Family.common(self)
        return replace(common, least_collateral=(yield [least])[least])

    def explained(self, oracle: Address, c_token: Address, value: int) -> Plan[Price]:
        return venus_market_price(oracle, c_token, value, self.place.feeds)

    def marks(self) -> Sequence[Call[object]]:
        return (calls.least_collateral(self.comptroller),)
