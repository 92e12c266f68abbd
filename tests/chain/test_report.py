"""What is counted of each endpoint, and that it is told as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.rpc_stand_in import SECRETS, Head, RpcStandIn, error, raw
from watcher.chain import Chain, EndpointReport, EndpointSpec
from watcher.chain.report import wire_of
from watcher.domain.errors import EndpointError


def of(chain: Chain, name: str) -> EndpointReport:
    return next(one for one in chain.reports() if one.name == name)


async def test_it_counts_answers_failures_by_kind_and_times(node: RpcStandIn, clock: Clock) -> None:
    async with Chain(spec_of(node.endpoint), clock=clock, wall_clock=lambda: node.head.timestamp + 7.0) as chain:
        [before] = chain.reports()
        assert (before.requests, before.answered, before.p50, before.head, before.lag) == (0, 0, None, None, None)
        await chain.first(lambda pinned: pinned.read([call(1)]))
        [well] = chain.reports()
        assert well.requests == well.answered == node.count("eth_chainId") + node.count("eth_call") + 1
        assert well.head is not None
        assert (well.head.number, well.head_age, well.lag, well.trouble) == (node.head.number, 7.0, 0.0, "")
        assert well.pins_by_hash
        node.faults["eth_call"] = raw("slow down", status=429, Retry_After="30")
        with pytest.raises(EndpointError):
            await chain.first(lambda pinned: pinned.read([call(1)]))
        clock.now += 10
        [tired] = chain.reports()
        assert (tired.errors, tired.resting, tired.problem_age) == ({"limited": 1}, 20.0, 10.0)
        assert tired.trouble.startswith("asked us to wait, 20 s of that are left; HTTP 429")
        node.faults["eth_chainId"] = error(-32000, f"no {SECRETS[1]}")
        clock.now += 30
        for _ in range(3):
            with pytest.raises(EndpointError):
                await chain.first(lambda pinned: pinned.read([call(1)]))
        [broken] = chain.reports()
        assert broken.broken
        assert broken.trouble == "failed several times in a row; error -32000: no …"


async def test_it_tells_the_usual_time_from_the_longest(node: RpcStandIn, clock: Clock) -> None:
    async with Chain(spec_of(node.endpoint), clock=clock) as chain:
        for seconds in range(1, 101):
            chain.conditions["alpha"].answer(float(seconds))
        [told] = chain.reports()
    assert (told.p50, told.p99) == (50.0, 99.0)


async def test_it_measures_a_lag_by_when_each_showed_its_block(node: RpcStandIn, clock: Clock) -> None:
    async with RpcStandIn("beta") as other:
        other.head = Head(number=node.head.number - 1, timestamp=node.head.timestamp - 12)
        async with Chain(spec_of(node.endpoint, other.endpoint), clock=clock) as chain:
            await chain.pin(node.endpoint)
            clock.now += 5
            await chain.pin(other.endpoint)
            assert (of(chain, "alpha").lag, of(chain, "beta").lag) == (0.0, 17.0)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.example", "http"),
        ("HTTP://a.example", "http"),
        ("wss://a.example/k", "ws"),
        ("/run/geth.ipc", "ipc"),
    ],
)
def test_it_names_what_carries_our_requests(url: str, told: str) -> None:
    assert wire_of(replace(EndpointSpec(name="a", url=""), url=url)) == told
