"""Chain access: the only package that imports web3.

In short:

    async with Chain(spec) as chain:
        returned = await chain.first(lambda pinned: pinned.read(requests))

Everything in one `work` is read at one block of one endpoint, or not at all.
"""

from watcher.chain.agreement import operator
from watcher.chain.chain import Chain
from watcher.chain.errors import BatchTooLarge, BlockUnavailable, Disagreement, ExecutionFailed, NoEndpoint
from watcher.chain.pinned import Pinned
from watcher.chain.report import EndpointReport
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.chain.transport import open_session
from watcher.chain.wire import Timeouts

__all__ = [
    "BatchTooLarge",
    "BlockUnavailable",
    "Chain",
    "ChainSpec",
    "Disagreement",
    "EndpointReport",
    "EndpointSpec",
    "ExecutionFailed",
    "NoEndpoint",
    "Pinned",
    "Timeouts",
    "open_session",
    "operator",
]
