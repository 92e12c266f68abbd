"""What can be done in a world with an Aave market, whatever its version."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from . import multicall3
from .abi import calldata
from .anvil import Anvil, Settings
from .artifacts import aave_core
from .chain import Address, Block, Chain, Header, RevertError, Tx, named
from .deployment import ADMIN, Deployment, Market, Token
from .listings import LISTINGS, Category

MAX = 2**256 - 1
STABLE, VARIABLE = 1, 2  # DataTypes.InterestRateMode

LIQUIDITY_PROVIDER = named("liquidity provider")
_LIQUIDITY = 2 * 10**9  # dollars of each asset that can be borrowed
_UTILISATION = 40  # per cent of it that is borrowed from the start, so that interest runs

_GAS_TOKEN = 200_000
_GAS_POOL = 2_000_000

_ACCOUNT_DATA = "getUserAccountData(address)(uint256,uint256,uint256,uint256,uint256,uint256)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a liquidation went through, and if not, why: the contract's reason."""

    succeeded: bool
    reason: str = ""


class AaveWorld:
    """A market on a private chain. Amounts are in the token's base units, prices in 8 decimals, risk in basis points.

    Tokens come from thin air: `supply`, `repay` and `liquidate` mint what they spend. A refused action raises
    `RevertError` with the contract's own reason.
    """

    name: ClassVar[str]
    deployment: ClassVar[type[Deployment]]
    supply_verb: ClassVar[str] = "supply"
    sources_slot: ClassVar[int] = 0
    """Where AaveOracle stores `assetsSources`: first of all in v3."""

    def __init__(self, anvil: Anvil, market: Market, accounts: tuple[Address, ...] = ()) -> None:
        self.anvil = anvil
        self.chain: Chain = anvil.chain
        self.market = market
        self.accounts = accounts  # those that `fill` opened
        self.multicall3 = multicall3.MULTICALL3
        self.chain.error_names = self.error_names()

    @classmethod
    def error_names(cls) -> dict[bytes, str]:
        """Names of the custom errors by selector; versions that revert with strings have none."""
        return {}

    @classmethod
    @contextmanager
    def start(cls, *, chain_id: int = 31337, kept_blocks: int | None = None) -> Iterator[Self]:
        """A fresh world with liquidity and no other accounts."""
        with Anvil(Settings(chain_id=chain_id, kept_blocks=kept_blocks)) as anvil:
            multicall3.install(anvil.chain)
            anvil.chain.error_names = cls.error_names()
            world = cls(anvil, cls.deployment(anvil.chain).run())
            world._provide_liquidity()
            yield world

    @property
    def url(self) -> str:
        return self.anvil.url

    @property
    def tokens(self) -> dict[str, Token]:
        return self.market.tokens

    @property
    def provider(self) -> Address:
        return self.market.provider

    @property
    def pool(self) -> Address:
        return self.market.pool

    @property
    def oracle(self) -> Address:
        return self.market.oracle

    @property
    def categories(self) -> dict[int, Category]:
        return {category.number: category for category in self.deployment.categories}

    # What a user does

    def mint(self, symbol: str, to: Address, amount: int) -> None:
        self.chain.send_all([self.minting(symbol, to, amount)])

    def supply(self, user: Address, symbol: str, amount: int) -> None:
        self.chain.send_all(self.supplying(user, symbol, amount))

    def withdraw(self, user: Address, symbol: str, amount: int = MAX) -> None:
        self._act(user, "withdraw(address,uint256,address)", self.tokens[symbol].address, amount, user)

    def borrow(self, user: Address, symbol: str, amount: int, rate_mode: int = VARIABLE) -> None:
        self.chain.send_all([self.borrowing(user, symbol, amount, rate_mode)])

    def repay(self, user: Address, symbol: str, amount: int = MAX, rate_mode: int = VARIABLE) -> None:
        token = self.tokens[symbol]
        spent = amount if amount != MAX else 2 * self.debt(user, symbol) + 1
        repayment = calldata("repay(address,uint256,uint256,address)", token.address, amount, rate_mode, user)
        self.chain.send_all([*self._prepared(user, token, spent), Tx(user, self.pool, repayment)])

    def set_collateral(self, user: Address, symbol: str, enabled: bool) -> None:
        self._act(user, "setUserUseReserveAsCollateral(address,bool)", self.tokens[symbol].address, enabled)

    def set_emode(self, user: Address, category: int) -> None:
        self._act(user, "setUserEMode(uint8)", category)

    def liquidate(
        self, liquidator: Address, user: Address, *, collateral: str, debt: str, amount: int = MAX
    ) -> Outcome:
        """Repay `amount` of the user's debt (by default as much as the protocol allows) for their collateral."""
        seized, owed = self.tokens[collateral], self.tokens[debt]
        spent = amount if amount != MAX else 2 * self.debt(user, debt) + 1
        self.chain.send_all(self._prepared(liquidator, owed, spent))
        arguments = (seized.address, owed.address, user, amount, False)
        try:
            self._act(liquidator, "liquidationCall(address,address,address,uint256,bool)", *arguments)
        except RevertError as refusal:
            return Outcome(False, refusal.reason)
        return Outcome(True)

    # What the market and its feeds do

    def set_price(self, symbol: str, answer: int) -> None:
        """A new round, dated with the block that carries it."""
        self.set_prices({symbol: answer})

    def set_prices(self, answers: Mapping[str, int]) -> None:
        """New rounds of several feeds in one block."""
        now = self.chain.next_timestamp()
        aggregators = {self.tokens[symbol].aggregator: answer for symbol, answer in answers.items()}
        self.chain.send_all([self._round(aggregator, answer, now) for aggregator, answer in aggregators.items()])

    def set_round(self, aggregator: Address, answer: int, updated_at: int) -> None:
        """A round with any answer (zero and negative ones too) and any date."""
        self.chain.send_all([self._round(aggregator, answer, updated_at)])

    def touch_feeds(self, *symbols: str) -> None:
        """Confirm the answers of these feeds (of all, if none is named) in a new round each, in one block."""
        self.set_prices({symbol: self.answer(symbol) for symbol in symbols or self.tokens})

    def answer(self, symbol: str) -> int:
        [answer] = self.chain.view(self.tokens[symbol].feed, "latestAnswer()(int256)")
        return int(answer)

    def pass_time(self, seconds: int) -> Header:
        return self.chain.increase_time(seconds)

    def wander(self, rng: Random, *, days: int = 60, per_mille: int = 60) -> None:
        """Let up to `days` pass, then move every price by up to `per_mille` in either direction."""
        self.pass_time(rng.randrange(1, days * 86_400))
        moves = {symbol: 10**6 + rng.randint(-1000 * per_mille, 1000 * per_mille) for symbol in self.tokens}
        self.set_prices({symbol: self.answer(symbol) * move // 10**6 for symbol, move in moves.items()})

    def configure_collateral(self, symbol: str, *, ltv: int, threshold: int, bonus: int) -> None:
        signature = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
        self._configure(signature, self.tokens[symbol].address, ltv, threshold, bonus)

    def set_liquidation_threshold(self, symbol: str, threshold: int) -> None:
        """Change the threshold alone; the LTV follows down where it would exceed it."""
        signature = "getReserveConfigurationData(address)(uint256,uint256,uint256,uint256)"
        _, ltv, _, bonus = self.chain.view(self.market.data_provider, signature, self.tokens[symbol].address)
        self.configure_collateral(symbol, ltv=min(ltv, threshold), threshold=threshold, bonus=bonus)

    def pause(self, symbol: str, paused: bool = True) -> None:
        self._configure("setReservePause(address,bool)", self.tokens[symbol].address, paused)

    def freeze(self, symbol: str, frozen: bool = True) -> None:
        self._configure("setReserveFreeze(address,bool)", self.tokens[symbol].address, frozen)

    def install_sentinel(self, *, grace_period: int) -> Address:
        """Put a PriceOracleSentinel in front of borrowing and early liquidation; returns its sequencer oracle."""
        sequencer = self.chain.deploy(ADMIN, aave_core("mocks/oracle/SequencerOracle").creation(ADMIN))
        artifact = aave_core("protocol/configuration/PriceOracleSentinel")
        sentinel = self.chain.deploy(ADMIN, artifact.creation(self.provider, sequencer, grace_period))
        self.chain.send(ADMIN, self.provider, "setPriceOracleSentinel(address)", sentinel)
        return sequencer

    def set_sequencer(self, sequencer: Address, *, down: bool, since: int) -> None:
        """Report the sequencer down, or up since a time; its grace period starts there."""
        self.chain.send(ADMIN, sequencer, "setAnswer(bool,uint256)", down, since)

    # What can be seen

    def account_data(self, user: Address, block: Block = "latest") -> tuple[int, ...]:
        """Collateral, debt, available borrows (base units), average threshold and LTV (bps), health factor (wad)."""
        return self.chain.view(self.pool, _ACCOUNT_DATA, user, block=block)

    def accounts_data(self, users: Sequence[Address]) -> list[tuple[int, ...]]:
        """The same for many, in one batch."""
        return self.chain.views(self.pool, _ACCOUNT_DATA, [[user] for user in users])

    def balance(self, token: Address, user: Address) -> int:
        [balance] = self.chain.view(token, "balanceOf(address)(uint256)", user)
        return int(balance)

    def debt(self, user: Address, symbol: str) -> int:
        """Owed at both rates, with interest."""
        token = self.tokens[symbol]
        stable = self.balance(token.stable_debt, user) if token.stable_debt else 0
        return stable + self.balance(token.variable_debt, user)

    # The same actions as transactions, for many in one block

    def minting(self, symbol: str, to: Address, amount: int) -> Tx:
        return Tx(to, self.tokens[symbol].address, calldata("mint(address,uint256)", to, amount), gas=_GAS_TOKEN)

    def supplying(self, user: Address, symbol: str, amount: int) -> list[Tx]:
        token = self.tokens[symbol]
        data = calldata(f"{self.supply_verb}(address,uint256,address,uint16)", token.address, amount, user, 0)
        return [*self._prepared(user, token, amount), Tx(user, self.pool, data, gas=_GAS_POOL)]

    def borrowing(self, user: Address, symbol: str, amount: int, rate_mode: int = VARIABLE) -> Tx:
        asset = self.tokens[symbol].address
        data = calldata("borrow(address,uint256,uint256,uint16,address)", asset, amount, rate_mode, 0, user)
        return Tx(user, self.pool, data, gas=_GAS_POOL)

    def entering_emode(self, user: Address, category: int) -> Tx:
        return Tx(user, self.pool, calldata("setUserEMode(uint8)", category), gas=_GAS_POOL)

    def switching_collateral(self, user: Address, symbol: str, enabled: bool) -> Tx:
        asset = self.tokens[symbol].address
        data = calldata("setUserUseReserveAsCollateral(address,bool)", asset, enabled)
        return Tx(user, self.pool, data, gas=_GAS_POOL)

    def _prepared(self, user: Address, token: Token, amount: int) -> list[Tx]:
        """Mint and approve."""
        approval = calldata("approve(address,uint256)", self.pool, MAX)
        return [self.minting(token.symbol, user, amount), Tx(user, token.address, approval, gas=_GAS_TOKEN)]

    def _act(self, user: Address, signature: str, *arguments: object) -> None:
        self.chain.send(user, self.pool, signature, *arguments)

    def _configure(self, signature: str, *arguments: object) -> None:
        self.chain.send_all([self._configuring(calldata(signature, *arguments))])

    def _configuring(self, data: bytes) -> Tx:
        return Tx(ADMIN, self.market.configurator, data)

    def _round(self, aggregator: Address, answer: int, updated_at: int) -> Tx:
        [latest] = self.chain.view(aggregator, "latestRound()(uint256)")
        signature = "updateRoundData(uint80,int256,uint256,uint256)"
        return Tx(ADMIN, aggregator, calldata(signature, latest + 1, answer, updated_at, updated_at))

    def _provide_liquidity(self) -> None:
        provider, txs = LIQUIDITY_PROVIDER, []
        amounts = {listing.symbol: _LIQUIDITY * 10 ** (8 + listing.decimals) // listing.price for listing in LISTINGS}
        for symbol, amount in amounts.items():
            txs += self.supplying(provider, symbol, amount)
        txs += [self.borrowing(provider, symbol, amount * _UTILISATION // 100) for symbol, amount in amounts.items()]
        self.chain.send_all(txs)
