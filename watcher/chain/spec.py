"""What configuration says of a chain and its endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from watcher.domain.source import Address, Block


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSpec:
    """One JSON-RPC endpoint. `name` is safe to show; the URL may carry a key, so it never appears in a repr.

    The URL is of http, https, ws or wss, or `ipc:///run/geth/geth.ipc`. `rate`: most requests per second.
    """

    name: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBlock:
    """A block that this chain, and no other, has. `hash` may be the beginning of it: 16 bytes are as good as 32."""

    number: int
    hash: str

    def is_(self, block: Block) -> bool:
        """Whether that is the one."""
        return block.number == self.number and block.hash.startswith(self.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSpec:
    """One chain. Times in seconds.

    `max_age` (to the user `head_age`): a head older than this against the wall clock means that we are blind.
    `confirmations`: blocks after which a snapshot may clear an alert. `call_gas`: what one `eth_call` may spend, by
    which batches are packed.
    `wrapped`: the token that the chain's own coin can be wrapped into, where a market takes it. `sequencer_feed`: the
    contract that says whether the chain's sequencer is up, where one is published.
    `proxy_registry`: Maker's, which tells a user's DSProxy, and `dsa_list`: Instadapp's, which tells a user's DSAs.
    """

    name: str
    id: int
    title: str
    multicall3: Address
    block_time: Decimal
    max_age: int
    confirmations: int
    explorer: str
    endpoints: tuple[EndpointSpec, ...]
    call_gas: int = 40_000_000
    wrapped: Address | None = None
    sequencer_feed: Address | None = None
    proxy_registry: Address | None = None
    dsa_list: Address | None = None
    known: KnownBlock | None = None
    agreement: int = 1
