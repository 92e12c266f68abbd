"""Real Morpho Blue on a private chain, with markets whose prices the test writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from . import multicall3
from .abi import calldata
from .anvil import Anvil
from .artifacts import Artifact
from .chain import ZERO, Address, Chain, RevertError, Tx, named
from .compiled import morpho
from .own import own

ADMIN, LENDER, LIQUIDATOR = named("morpho's owner"), named("a lender"), named("a liquidator of Morpho's")
WAD: Final = 10**18
PARAMS: Final = "(address,address,address,address,uint256)"
_MAX, _GAS = 2**256 - 1, 2_000_000

TOKENS: Final = {"WETH": 18, "wstETH": 18, "WBTC": 8, "USDC": 6, "DAI": 18, "EURC": 6}
LISTED: Final = (  # collateral, loan, the price of one in the other as a fraction, LLTV in per mille, with a rate model
    ("WETH", "USDC", (2_000, 1), 860, True),
    ("wstETH", "WETH", (119, 100), 945, True),
    ("WBTC", "USDC", (43_123, 1), 770, True),
    ("EURC", "DAI", (108, 100), 915, True),
    ("USDC", "WBTC", (1, 41_000), 625, False),
)


@dataclass(frozen=True, slots=True)
class MorphoMarket:
    """A market; `params` as the contract takes them."""

    name: str
    id: str
    params: tuple[Address, Address, Address, Address, int]

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.id[2:])

    @property
    def loan(self) -> Address:
        return self.params[0]

    @property
    def collateral(self) -> Address:
        return self.params[1]

    @property
    def oracle(self) -> Address:
        return self.params[2]


@dataclass
class MorphoWorld:
    """Amounts are base units, prices as `IOracle.price` gives them. Tokens come from thin air."""

    anvil: Anvil
    chain: Chain
    multicall3: Address
    morpho: Address
    irm: Address
    factory: Address
    tokens: dict[str, Address]
    markets: dict[str, MorphoMarket] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[MorphoWorld]:
        """A fresh Morpho with the markets of `LISTED`, each with plenty to borrow."""
        with Anvil() as anvil:
            chain, built = anvil.chain, morpho()
            core = chain.deploy(ADMIN, built["Morpho"].creation(ADMIN))
            world = cls(
                anvil=anvil,
                chain=chain,
                multicall3=multicall3.install(chain),
                morpho=core,
                irm=chain.deploy(ADMIN, own("MorphoGrowingRate").creation(core)),
                factory=chain.deploy(ADMIN, own("MorphoPreLiquidationFactory").creation(core)),
                tokens={name: chain.deploy(ADMIN, own("MorphoToken").creation(name, n)) for name, n in TOKENS.items()},
            )
            world._open()
            yield world

    @property
    def url(self) -> str:
        return self.anvil.url

    def deploy(self, artifact: Artifact, *values: object) -> Address:
        return self.chain.deploy(ADMIN, artifact.creation(*values))

    def send(self, sender: Address, signature: str, *values: object) -> None:
        """To Morpho itself."""
        self.chain.send(sender, self.morpho, signature, *values)

    def _open(self) -> None:
        for irm in (ZERO, self.irm):
            self.send(ADMIN, "enableIrm(address)", irm)
        for per_mille in sorted({row[3] for row in LISTED}):
            self.send(ADMIN, "enableLltv(uint256)", per_mille * 10**15)
        for collateral, loan, (above, below), per_mille, rated in LISTED:
            oracle = self.deploy(morpho()["OracleMock"])
            self.chain.send(
                ADMIN,
                oracle,
                "setPrice(uint256)",
                above * 10 ** (36 + TOKENS[loan] - TOKENS[collateral]) // below,
            )
            self.create(f"{collateral}/{loan}", oracle, per_mille, self.irm if rated else ZERO)
        approvals = [
            Tx(who, token, calldata("approve(address,uint256)", self.morpho, _MAX), _GAS)
            for who in (LENDER, LIQUIDATOR)
            for token in self.tokens.values()
        ]
        approvals += [self.minting(token, LIQUIDATOR, 10**40) for token in self.tokens.values()]
        self.chain.send_all(approvals)
        for market in self.markets.values():
            self.lend(market, 10 ** (8 + self.decimals(market.loan)))

    def decimals(self, token: Address) -> int:
        [name] = [name for name, address in self.tokens.items() if address == token]
        return TOKENS[name]

    def create(self, name: str, oracle: Address, per_mille: int, irm: Address | None = None) -> MorphoMarket:
        """A market of "collateral/loan", perhaps with more behind it in its name."""
        collateral, loan = name.split()[0].split("/")
        rate = self.irm if irm is None else irm
        params = (self.tokens[loan], self.tokens[collateral], oracle, rate, per_mille * 10**15)
        self.send(ADMIN, f"createMarket({PARAMS})", params)
        market = MorphoMarket(name, f"0x{keccak(encode([PARAMS], [params])).hex()}", params)
        self.markets[name] = market
        return market

    # What people do

    def minting(self, token: Address, to: Address, amount: int) -> Tx:
        return Tx(to, token, calldata("mint(address,uint256)", to, amount), _GAS)

    def _spending(self, who: Address, token: Address, amount: int) -> list[Tx]:
        approval = calldata("approve(address,uint256)", self.morpho, _MAX)
        return [self.minting(token, who, amount), Tx(who, token, approval, _GAS)]

    def _acting(self, who: Address, signature: str, *values: object) -> Tx:
        return Tx(who, self.morpho, calldata(signature, *values), _GAS)

    def lend(self, market: MorphoMarket, amount: int) -> None:
        act = self._acting(
            LENDER, f"supply({PARAMS},uint256,uint256,address,bytes)", market.params, amount, 0, LENDER, b""
        )
        self.chain.send_all([*self._spending(LENDER, market.loan, amount), act])

    def supplying(self, who: Address, market: MorphoMarket, amount: int) -> list[Tx]:
        signature = f"supplyCollateral({PARAMS},uint256,address,bytes)"
        act = self._acting(who, signature, market.params, amount, who, b"")
        return [*self._spending(who, market.collateral, amount), act]

    def borrowing(self, who: Address, market: MorphoMarket, amount: int) -> list[Tx]:
        signature = f"borrow({PARAMS},uint256,uint256,address,address)"
        return [self._acting(who, signature, market.params, amount, 0, who, who)]

    def repaying(self, who: Address, market: MorphoMarket, amount: int, shares: int = 0) -> list[Tx]:
        signature = f"repay({PARAMS},uint256,uint256,address,bytes)"
        act = self._acting(who, signature, market.params, 0 if shares else amount, shares, who, b"")
        return [*self._spending(who, market.loan, amount), act]

    def pricing(self, oracle: Address, price: int) -> Tx:
        return Tx(ADMIN, oracle, calldata("setPrice(uint256)", price), _GAS)

    def liquidating(self, who: Address, market: MorphoMarket) -> Tx:
        """One share: the least that anybody can repay."""
        signature = f"liquidate({PARAMS},address,uint256,uint256,bytes)"
        return self._acting(LIQUIDATOR, signature, market.params, who, 0, 1, b"")

    def pre_liquidating(self, who: Address, contract: Address) -> Tx:
        """A thousandth of the debt, by the liquidator, who pays for anything."""
        [key] = self.chain.view(contract, "ID()(bytes32)")
        [market] = [market for market in self.markets.values() if market.key == key]
        shares = max(self.held(market, who)[0] // 1000, 1)
        data = calldata("preLiquidate(address,uint256,uint256,bytes)", who, 0, shares, b"")
        return Tx(LIQUIDATOR, contract, data, _GAS)

    def set_collateral(self, market: MorphoMarket, who: Address, amount: int) -> None:
        """Written into the storage: `position` is the mapping in slot 2, its second word collateral over shares."""
        inner = keccak(encode(["bytes32", "uint256"], [market.key, 2]))
        slot = int.from_bytes(keccak(encode(["address", "bytes32"], [who, inner])), "big") + 1
        shares = int.from_bytes(self.chain.stored(self.morpho, slot)[16:], "big")
        word = f"0x{amount << 128 | shares:064x}"
        self.chain.rpc.request("anvil_setStorageAt", self.morpho, f"0x{slot:064x}", word)
        self.chain.mine()

    def authorise(self, who: Address, contract: Address, given: bool = True) -> None:
        self.send(who, "setAuthorization(address,bool)", contract, given)

    def pre_liquidation(
        self, market: MorphoMarket, per_mille: int, oracle: Address | None = None, factory: Address | None = None
    ) -> Address:
        """A new one of the market, from this LTV on, by this oracle or the market's own."""
        factory = factory or self.factory
        signature = "createPreLiquidation(bytes32,(uint256,uint256,uint256,uint256,uint256,address))"
        factors = (per_mille * 10**15, WAD // 10, WAD, WAD, 102 * WAD // 100, oracle or market.oracle)
        self.chain.send(ADMIN, factory, signature, market.key, factors)
        [made] = self.chain.view(factory, "last()(address)")
        approval = calldata("approve(address,uint256)", made, _MAX)
        self.chain.send_all([Tx(LIQUIDATOR, market.loan, approval, _GAS)])
        return str(made)

    # What can be seen

    def price(self, oracle: Address) -> int:
        [price] = self.chain.view(oracle, "price()(uint256)")
        return int(price)

    def held(self, market: MorphoMarket, who: Address) -> tuple[int, int]:
        """Borrow shares and collateral."""
        _, shares, collateral = self.chain.view(
            self.morpho, "position(bytes32,address)(uint256,uint128,uint128)", market.key, who
        )
        return int(shares), int(collateral)

    def goes_through(self, *txs: Tx) -> bool:
        """Whether all of them succeed in the next block, which then has never been."""
        with self.chain.undone():
            try:
                self.chain.send_all(txs)
            except RevertError:
                return False
        return True

    def fill(self, random: Random, accounts: int) -> Sequence[Address]:
        """Borrowers in one to three markets each, from dust to as much as they may; a few with collateral alone."""
        people = [named(f"borrower {number} of Morpho's") for number in range(accounts)]
        for who in people:
            for name in random.sample(sorted(self.markets), random.randint(1, 3)):
                self._borrower(random, who, self.markets[name])
        return people

    def _borrower(self, random: Random, who: Address, market: MorphoMarket) -> None:
        unit = 10 ** self.decimals(market.collateral)
        amount = random.choice([random.randint(1, 1000), random.randint(unit // 1000, 50 * unit)])
        most = amount * self.price(market.oracle) // 10**36 * market.params[4] // WAD
        txs = self.supplying(who, market, amount)
        most = max(most - 1, 0)  # a borrow is rounded up, and so the very most may be one too many
        wanted = random.choice([0, most, most, random.randint(0, most), most * 99 // 100])
        if wanted:
            txs += self.borrowing(who, market, wanted)
        self.chain.send_all(txs)

    def wander(self, random: Random, *, days: int, per_mille: int) -> None:
        """Time goes by, some markets accrue in between, and every price moves."""
        self.chain.increase_time(random.randint(1, days * 86_400))
        for market in random.sample(list(self.markets.values()), 2):
            self.send(LENDER, f"accrueInterest({PARAMS})", market.params)
        self.chain.increase_time(random.randint(1, days * 86_400))
        for oracle in {market.oracle: None for market in self.markets.values()}:
            move = 1000 + random.randint(-per_mille, per_mille // 2)
            self.chain.send_all([self.pricing(oracle, self.price(oracle) * move // 1000 + random.randint(0, 9))])
