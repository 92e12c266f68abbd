"""Asking somebody else the same: what two endpoints of different operators say of one block has to be equal."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import BlockUnavailable, Disagreement
from watcher.chain.pinned import Pinned
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.domain.errors import EndpointError
from watcher.reads.call import Bundle, Request, Returned

PATIENCE: Final = 3.0
"""Seconds that another endpoint has to come to know a block that one knows."""
_AGAIN: Final = 0.5
_WORD: Final = 32


def operator(endpoint: EndpointSpec) -> str:
    """Who runs it, as far as its name tells: the last two labels of a host; an address, with its port, as it is."""
    host = endpoint.name.partition("#")[0]
    bare = host.rpartition(":")[0] or host
    try:
        ipaddress.ip_address(bare.strip("[]"))
    except ValueError:
        return ".".join(bare.split(".")[-2:])
    return host


async def agree(pinned: Pinned, others: Sequence[Endpoint], chain: ChainSpec) -> None:
    """Has `chain.agreement` operators in all say what `pinned` was told. Of each operator one is enough.

    Raises `Disagreement` where one says something else, `EndpointError` where too few say anything.
    """
    wanted = chain.agreement - 1
    heard = {operator(pinned.spec)}
    silent: list[EndpointError] = []
    for other in others:
        if not wanted:
            return
        if operator(other.spec) in heard:
            continue
        try:
            await _same(pinned, Pinned(chain, other, pinned.block))
        except Disagreement:
            raise
        except EndpointError as problem:
            silent.append(problem)
        else:
            heard.add(operator(other.spec))
            wanted -= 1
    if wanted:
        told = "; ".join(map(str, silent)) or "no other operator's is configured"
        raise EndpointError(
            chain.name,
            f"agreement of {chain.agreement} operators is asked for, and {len(heard)} could be heard ({told})",
        )


async def _same(one: Pinned, other: Pinned) -> None:
    await _has_block(one, other)
    said, theirs = one.returned, await other.read(list(one.returned))
    if differ := [request for request, returned in said.items() if theirs[request] != returned]:
        shown = min(differ, key=str)  # the same one each time, whatever the order in which they were asked
        raise Disagreement(one.endpoint, other.endpoint, _difference(one, other, shown, theirs))


async def _has_block(one: Pinned, other: Pinned) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while (found := await other.block_hash(one.block.number)) is None:
        if asyncio.get_running_loop().time() >= deadline:
            raise BlockUnavailable(other.endpoint, f"has no block {one.block.number:,} yet")
        await asyncio.sleep(_AGAIN)
    if found != one.block.hash:
        raise Disagreement(
            one.endpoint,
            other.endpoint,
            f"block {one.block.number:,} is {one.block.hash[:12]}… to the one, {found[:12]}… to the other",
        )


def _difference(one: Pinned, other: Pinned, request: Request, theirs: Mapping[Request, Sequence[Returned]]) -> str:
    """Which call, and the first word of its return data that is not the same."""
    calls: tuple[object, ...] = request.calls if isinstance(request, Bundle) else (request,)
    for call, left, right in zip(calls, one.returned[request], theirs[request], strict=True):
        if left != right:
            said, heard = _told(left, right), _told(right, left)
            return f"{call} at block {one.block.number:,}: {said} to the one, {heard} to the other"
    raise AssertionError("equal after all")


def _told(returned: Returned, beside: Returned) -> str:
    if not returned.success:
        return "a failure"
    at = next(
        (
            at
            for at in range(0, len(returned.data), _WORD)
            if returned.data[at : at + _WORD] != beside.data[at : at + _WORD]
        ),
        0,
    )
    return f"{int.from_bytes(returned.data[at : at + _WORD], 'big')}" if returned.data else "nothing"
