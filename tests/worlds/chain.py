"""A chain that moves only when told to: every block is mined by us, at a time that we choose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from .abi import calldata, results, revert_reason
from .rpc import Rpc, RpcError

Address = str
Block = int | str  # a number, or a name such as "latest"

ZERO: Address = "0x" + "00" * 20
SECONDS_PER_BLOCK = 12
TRANSACTIONS_PER_BLOCK = 80  # anvil's receipts cost quadratic time in the size of a block
_GAS = 16_000_000  # enough to deploy the largest contract; nobody pays for it


def named(label: str) -> Address:
    """An address of its own for every label: nobody holds a key, anvil impersonates it."""
    return to_checksum_address(keccak(text=label)[-20:])


class RevertError(Exception):
    """A call or transaction that the contract refused; the message is its reason."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction to be; `to` is None for a deployment. Gas is explicit: an estimate can be short a second later."""

    sender: Address
    to: Address | None
    data: bytes
    gas: int = _GAS

    def request(self, nonce: int) -> dict[str, str]:
        fields = {
            "from": self.sender,
            "data": "0x" + self.data.hex(),
            "gas": hex(self.gas),
            "gasPrice": "0x0",
            "nonce": hex(nonce),
        }
        return fields if self.to is None else {**fields, "to": self.to}


@dataclass(frozen=True, slots=True)
class Header:
    number: int
    hash: str
    timestamp: int


@dataclass(slots=True)
class Chain:
    """The verbs of a local node. Any sender is impersonated; gas is free."""

    rpc: Rpc
    error_names: dict[bytes, str] = field(default_factory=dict)  # selector of a custom error -> its name

    def head(self) -> Header:
        block = self.rpc.request("eth_getBlockByNumber", "latest", False)
        return Header(int(block["number"], 16), block["hash"], int(block["timestamp"], 16))

    def next_timestamp(self) -> int:
        """The time that the next block will carry unless told otherwise."""
        return self.head().timestamp + SECONDS_PER_BLOCK

    def call(self, to: Address, data: bytes, *, sender: Address | None = None, block: Block = "latest") -> bytes:
        fields = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        try:
            answer = self.rpc.request("eth_call", fields, hex(block) if isinstance(block, int) else block)
        except RpcError as error:
            raise RevertError(self._reason(error.data) if error.data else str(error)) from error
        return bytes.fromhex(answer[2:])

    def view(self, to: Address, signature: str, *arguments: object, block: Block = "latest") -> tuple[Any, ...]:
        """Call `name(arguments)(results)` and decode the results, always as a tuple."""
        return results(signature, self.call(to, calldata(signature, *arguments), block=block))

    def views(self, to: Address, signature: str, each: Sequence[Sequence[object]]) -> list[tuple[Any, ...]]:
        """The same view for many argument lists, in one batch."""
        asked = [
            ("eth_call", ({"to": to, "data": "0x" + calldata(signature, *arguments).hex()}, "latest"))
            for arguments in each
        ]
        return [results(signature, bytes.fromhex(answer[2:])) for answer in self.rpc.batch(asked)]

    def send(self, sender: Address, to: Address, signature: str, *arguments: object) -> None:
        """One transaction in a block of its own. Raises `RevertError` with the contract's reason."""
        self.send_all([Tx(sender, to, calldata(signature, *arguments))])

    def deploy(self, sender: Address, creation: bytes) -> Address:
        [receipt] = self._mine_together([Tx(sender, None, creation)])
        return to_checksum_address(receipt["contractAddress"])

    def send_all(self, txs: Sequence[Tx]) -> None:
        """Any number of transactions in order, `TRANSACTIONS_PER_BLOCK` to a block; raises on a revert."""
        for start in range(0, len(txs), TRANSACTIONS_PER_BLOCK):
            self._mine_together(txs[start : start + TRANSACTIONS_PER_BLOCK])

    def mine(self, *, timestamp: int | None = None) -> Header:
        """Mine what is pending in one block."""
        self.rpc.request("evm_mine", {"timestamp": timestamp if timestamp is not None else self.next_timestamp()})
        return self.head()

    def increase_time(self, seconds: int) -> Header:
        """Mine one block, `seconds` after the last."""
        return self.mine(timestamp=self.head().timestamp + seconds)

    def set_code(self, address: Address, runtime: bytes) -> None:
        self.rpc.request("anvil_setCode", address, "0x" + runtime.hex())

    def code(self, address: Address) -> bytes:
        return bytes.fromhex(self.rpc.request("eth_getCode", address, "latest")[2:])

    def stored(self, address: Address, slot: int) -> bytes:
        """One word of a contract's storage."""
        return bytes.fromhex(self.rpc.request("eth_getStorageAt", address, hex(slot), "latest")[2:])

    def snapshot(self) -> str:
        return str(self.rpc.request("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        if not self.rpc.request("evm_revert", snapshot):
            raise RpcError(f"evm_revert: no snapshot {snapshot} (each can be used once)")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside has never happened afterwards."""
        snapshot = self.snapshot()
        try:
            yield
        finally:
            self.revert(snapshot)

    def _mine_together(self, txs: Sequence[Tx]) -> list[dict[str, Any]]:
        nonces = self._nonces({tx.sender for tx in txs})
        requests = []
        for tx in txs:
            requests.append(("eth_sendTransaction", (tx.request(nonces[tx.sender]),)))
            nonces[tx.sender] += 1
        hashes = self.rpc.batch(requests)
        self.mine()
        receipts: list[dict[str, Any]] = self.rpc.request("eth_getBlockReceipts", "latest")
        mined = {receipt["transactionHash"]: receipt for receipt in receipts}
        return [self._checked(hash_, mined) for hash_ in hashes]

    def _nonces(self, senders: set[Address]) -> dict[Address, int]:
        ordered = sorted(senders)
        counts = self.rpc.batch([("eth_getTransactionCount", (sender, "latest")) for sender in ordered])
        return {sender: int(count, 16) for sender, count in zip(ordered, counts, strict=True)}

    def _checked(self, hash_: str, mined: dict[str, dict[str, Any]]) -> dict[str, Any]:
        if hash_ not in mined:
            raise RpcError(f"transaction {hash_} was not mined: the gas limits of its block are exhausted")
        if int(mined[hash_]["status"], 16) != 1:
            trace = self.rpc.request("debug_traceTransaction", hash_, {"tracer": "callTracer"})
            output = bytes.fromhex(trace.get("output", "0x")[2:])
            raise RevertError(self._reason(output) if output else str(trace.get("error", "reverted without a reason")))
        return mined[hash_]

    def _reason(self, data: bytes) -> str:
        return revert_reason(data, self.error_names)
