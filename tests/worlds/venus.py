"""Venus's core pool on a chain, from its own package: Unitroller, Diamond and facets, markets behind delegators, VAI.

Prices are those of whatever oracle the caller has. The admin is Multicall3, so that an `eth_call` can do anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from .abi import calldata
from .artifacts import Artifact, venus_core
from .chain import Address, Chain, Tx
from .own import own

UNIT = 10**18
ANYTHING = 2**256 - 1
BLOCKS_A_YEAR = 10_512_000
FACETS = ("MarketFacet", "PolicyFacet", "RewardFacet", "SetterFacet")
ACTIONS = ("MINT", "REDEEM", "BORROW", "REPAY", "SEIZE", "LIQUIDATE")
_DIAMOND = "Comptroller/Diamond"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a market is listed. Factors and rates are WAD; `kept` blocks go by before reserves are sent away."""

    limit: int
    threshold: int
    incentive: int = 11 * UNIT // 10
    base: int = UNIT // 100
    slope: int = UNIT // 10
    jump: int = 3 * UNIT
    kink: int = 8 * UNIT // 10
    reserve_factor: int = UNIT // 10
    kept: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class VMarket:
    """A market and what it lends."""

    symbol: str
    v_token: Address
    token: Address
    decimals: int


@dataclass(slots=True)
class VenusCoreWorld:
    """The verbs of one core pool. Everything that is sent mines a block of its own."""

    chain: Chain
    multicall3: Address
    oracle: Address
    permits: Address
    comptroller: Address = ""
    sink: Address = ""
    vai: Address = ""
    controller: Address = ""
    markets: dict[str, VMarket] = field(default_factory=dict)
    _delegate: Address = ""

    @property
    def admin(self) -> Address:
        return self.multicall3

    def deploy(self, artifact: Artifact, *values: object) -> Address:
        return self.chain.deploy(self.admin, artifact.creation(*values))

    def order(self, to: Address, signature: str, *values: object) -> None:
        """A transaction of the admin."""
        self.chain.send(self.admin, to, signature, *values)

    def build(self) -> VenusCoreWorld:
        """The comptroller with its facets, its lens and its switches."""
        self.comptroller = self._comptroller()
        self.sink = self.deploy(own("ReserveSink"))
        lens, bounded = (
            self.deploy(venus_core("Lens/ComptrollerLens")),
            self.deploy(own("UndeviatedOracle"), self.oracle),
        )
        self.order(self.comptroller, "_setAccessControl(address)", self.permits)
        self.order(self.comptroller, "_setComptrollerLens(address)", lens)
        self.order(self.comptroller, "_setPriceOracle(address)", self.oracle)
        self.order(self.comptroller, "setDeviationBoundedOracle(address)", bounded)
        self.order(self.comptroller, "_setCloseFactor(uint256)", UNIT // 2)
        return self

    def _comptroller(self) -> Address:
        unitroller = self.deploy(venus_core("Comptroller/Unitroller"))
        diamond = self.deploy(venus_core(f"{_DIAMOND}/Diamond"))
        self.order(unitroller, "_setPendingImplementation(address)", diamond)
        self.order(diamond, "_become(address)", unitroller)
        taken: set[bytes] = set()
        for name in FACETS:
            artifact = venus_core(f"{_DIAMOND}/facets/{name}")
            new = [selector for selector in _selectors(artifact.abi) if selector not in taken]
            taken |= set(new)
            self.order(unitroller, "diamondCut((address,uint8,bytes4[])[])", [(self.deploy(artifact), 0, new)])
        return unitroller

    def add(self, symbol: str, token: Address, decimals: int, terms: Terms) -> VMarket:
        """A market for a token that the oracle has a price of."""
        model = self.deploy(
            venus_core("InterestRateModels/JumpRateModel"),
            *(terms.base, terms.slope, terms.jump, terms.kink, BLOCKS_A_YEAR),
        )
        first_rate = 2 * 10 ** (decimals + 8)  # 0.02 of a token for one with 8 decimals
        self._delegate = self._delegate or self.deploy(venus_core("Tokens/VTokens/VBep20Delegate"))
        v_token = self.deploy(
            venus_core("Tokens/VTokens/VBep20Delegator"),
            *(
                token,
                self.comptroller,
                model,
                first_rate,
                f"v{symbol}",
                f"v{symbol}",
                8,
                self.admin,
                self._delegate,
                b"",
            ),
        )
        market = VMarket(symbol=symbol, v_token=v_token, token=token, decimals=decimals)
        self.chain.send_all([Tx(self.admin, to, data) for to, data in self._listing(v_token, terms)])
        self.markets[symbol] = market
        return market

    def _listing(self, v_token: Address, terms: Terms) -> Iterator[tuple[Address, bytes]]:
        yield v_token, calldata("setAccessControlManager(address)", self.permits)
        yield v_token, calldata("setProtocolShareReserve(address)", self.sink)
        yield v_token, calldata("setReduceReservesBlockDelta(uint256)", terms.kept)
        yield v_token, calldata("_setReserveFactor(uint256)", terms.reserve_factor)
        yield self.comptroller, calldata("_supportMarket(address)", v_token)
        yield from self.factors(0, v_token, terms)
        yield self.comptroller, calldata("setMarketSupplyCaps(address[],uint256[])", [v_token], [ANYTHING])
        yield self.comptroller, calldata("setMarketBorrowCaps(address[],uint256[])", [v_token], [ANYTHING])

    def factors(self, pool: int, v_token: Address, terms: Terms) -> Iterator[tuple[Address, bytes]]:
        """Factors and incentive of a market in a pool, in an order that the comptroller accepts."""
        yield (
            self.comptroller,
            calldata("setLiquidationIncentive(uint96,address,uint256)", pool, v_token, terms.incentive),
        )
        factor = "setCollateralFactor(uint96,address,uint256,uint256)"
        yield self.comptroller, calldata(factor, pool, v_token, terms.limit, terms.threshold)
        yield self.comptroller, calldata("setIsBorrowAllowed(uint96,address,bool)", pool, v_token, True)

    def pool(self, label: str, terms: Mapping[str, Terms], *, fallback: bool) -> int:
        """An e-mode pool with its own factors; `fallback` to the core's for markets that it does not list."""
        self.order(self.comptroller, "createPool(string)", label)
        number = int(self.chain.view(self.comptroller, "lastPoolId()(uint96)")[0])
        v_tokens = [self.markets[symbol].v_token for symbol in terms]
        self.order(self.comptroller, "addPoolMarkets(uint96[],address[])", [number] * len(v_tokens), v_tokens)
        for v_token, own_terms in zip(v_tokens, terms.values(), strict=True):
            self.chain.send_all([Tx(self.admin, to, data) for to, data in self.factors(number, v_token, own_terms)])
        if fallback:
            self.order(self.comptroller, "setAllowCorePoolFallback(uint96,bool)", number, True)
        return number

    def add_vai(self, rate: int, chain_id: int) -> None:
        """VAI, at `rate` a year (WAD)."""
        self.vai = self.deploy(venus_core("Tokens/VAI/VAI"), chain_id)
        self.controller = self.deploy(venus_core("Tokens/VAI/VAIUnitroller"))
        implementation = self.deploy(venus_core("Tokens/VAI/VAIController"))
        self.order(self.controller, "_setPendingImplementation(address)", implementation)
        self.order(implementation, "_become(address)", self.controller)
        self.order(self.vai, "rely(address)", self.controller)
        self.order(self.controller, "initialize()")
        self.order(self.controller, "_setComptroller(address)", self.comptroller)
        for setter, value in (
            ("setVAIToken(address)", self.vai),
            ("setAccessControl(address)", self.permits),
            ("setReceiver(address)", self.sink),
            ("setBaseRate(uint256)", rate),
        ):
            self.order(self.controller, setter, value)
        self.order(self.comptroller, "_setVAIController(address)", self.controller)
        self.order(self.comptroller, "_setVAIMintRate(uint256)", 10_000)

    # What users do, as transactions to be

    def supplying(self, who: Address, symbol: str, amount: int, *, enter: bool = True) -> list[Tx]:
        market = self.markets[symbol]
        calls = [
            (market.token, calldata("faucet(uint256)", amount)),
            (market.token, calldata("approve(address,uint256)", market.v_token, amount)),
            (market.v_token, calldata("mint(uint256)", amount)),
            *([(self.comptroller, calldata("enterMarkets(address[])", [market.v_token]))] if enter else []),
        ]
        return [Tx(who, to, data) for to, data in calls]

    def borrowing(self, who: Address, symbol: str, amount: int) -> list[Tx]:
        return [Tx(who, self.markets[symbol].v_token, calldata("borrow(uint256)", amount))]

    # What an `eth_call` of the admin would do, one thing after the other

    def would(self, calls: Sequence[tuple[Address, bytes]]) -> list[tuple[bool, bytes]]:
        """What each call would return at the head, seeing what those before it changed."""
        asked = [(to, True, data) for to, data in calls]
        [answers] = self.chain.view(self.multicall3, "aggregate3((address,bool,bytes)[])((bool,bytes)[])", asked)
        return [(bool(success), bytes(data)) for success, data in answers]

    def accruing(self, symbols: Sequence[str]) -> list[tuple[Address, bytes]]:
        of_vai = [(self.controller, calldata("accrueVAIInterest()"))] if self.controller else []
        return [(self.markets[one].v_token, calldata("accrueInterest()")) for one in symbols] + of_vai

    def paying(self, spender: Address, token: Address, amount: int) -> list[tuple[Address, bytes]]:
        """The admin gets a token and lets `spender` have it."""
        getting = (
            calldata("mint(address,uint256)", self.admin, amount)
            if token == self.vai
            else calldata("faucet(uint256)", amount)
        )
        return [(token, getting), (token, calldata("approve(address,uint256)", spender, amount))]

    def liquidating(self, who: Address, debt: str, seized: str, amount: int) -> list[tuple[Address, bytes]]:
        """The last call is the liquidation itself; "VAI" is a debt too."""
        collateral = self.markets[seized].v_token
        if debt == "VAI":
            call = calldata("liquidateVAI(address,uint256,address)", who, amount, collateral)
            return [*self.paying(self.controller, self.vai, amount), (self.controller, call)]
        market = self.markets[debt]
        call = calldata("liquidateBorrow(address,uint256,address)", who, amount, collateral)
        return [*self.paying(market.v_token, market.token, amount), (market.v_token, call)]


def _selectors(abi: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    for entry in abi:
        if entry["type"] == "function":
            yield keccak(text=f"{entry['name']}({','.join(map(_type, entry['inputs']))})")[:4]


def _type(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"
