"""`watcher validate --online`: whether everything that the settings name is there, and is what they take it for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, get_type_hints

from watcher.chain import Chain, ChainSpec, EndpointSpec, Pinned
from watcher.config import Chat, Deployment, Escalation, Settings, Telegram, Webhook
from watcher.domain.errors import ConfigError, DeliveryError, EndpointError, ReadFailed
from watcher.domain.sequencer import Sequencer
from watcher.domain.source import Address
from watcher.oracles.sequencer import sequencer_by
from watcher.reads import Bundle
from watcher.snapshot import run

if TYPE_CHECKING:
    from watcher.notify.telegram import TelegramBot


WITHIN = 20.0
"""Seconds for one question, over all the endpoints of its chain."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing looked at. `problem` is empty where it is as it should be."""

    what: str
    problem: str = ""

    def __str__(self) -> str:
        return f"✗ {self.what}: {self.problem}" if self.problem else f"✓ {self.what}"


async def look_online(settings: Settings, tell: Callable[[Sequence[Mark]], None]) -> bool:
    """Look at every endpoint, contract and chat; `tell` is given each group in turn. Returns whether all is well.

    A chain whose endpoints all fail has nothing else looked at: that would say the same many times.
    """
    groups = [asyncio.create_task(_chain(spec, settings)) for spec in settings.chains.values()]
    if settings.telegram:
        groups.append(asyncio.create_task(look_at_telegram(settings.telegram, list(settings.chats.values()))))
    if settings.webhooks:
        groups.append(asyncio.create_task(look_at_webhooks(list(settings.webhooks.values()))))
    if settings.escalation:
        groups.append(asyncio.create_task(look_at_escalation(settings.escalation)))
    well = True
    for group in groups:
        marks = await group
        tell(marks)
        well = well and not any(mark.problem for mark in marks)
    return well


# --- Chains -----------------------------------------------------------------------------------------------------------


async def _chain(spec: ChainSpec, settings: Settings) -> list[Mark]:
    deployments = [each for each in settings.deployments if each.chain == spec.name]
    async with Chain(spec) as chain:
        marks = list(await asyncio.gather(*(_endpoint(chain, endpoint) for endpoint in spec.endpoints)))
        if all(mark.problem for mark in marks):
            unseen = ", ".join(each.title for each in deployments)
            return [*marks, Mark(f"{spec.title}: {unseen}", "not looked at, for want of an endpoint")]
        asked = [_code(chain, f"{spec.title}: Multicall3", spec.multicall3)]
        if spec.sequencer_feed is not None:
            asked.append(_sequencer(chain, spec.sequencer_feed))
        registries = {"registry of DSProxies": spec.proxy_registry, "list of DSAs": spec.dsa_list}
        asked += [_code(chain, f"{spec.title}: {name}", at) for name, at in registries.items() if at is not None]
        for deployment in deployments:
            asked += [_code(chain, f"{deployment.title}: {name}", at) for name, at in addresses_of(deployment).items()]
            asked.append(_interface(chain, deployment))
        return marks + list(await asyncio.gather(*asked))


async def _endpoint(chain: Chain, endpoint: EndpointSpec) -> Mark:
    spec = chain.spec
    what = f"{spec.title}: {endpoint.name}"
    try:
        served = await chain.chain_id(endpoint)
    except EndpointError as failure:
        return Mark(what, failure.problem)
    if served != spec.id:
        return Mark(what, f"serves chain {served}, not {spec.id}; check its URL")
    return Mark(f"{what} serves chain {served}")


async def _code(chain: Chain, what: str, address: Address) -> Mark:
    try:
        code = await chain.code_at(address, within=WITHIN)
    except EndpointError as failure:
        return Mark(f"{what} at {address}", str(failure))
    return Mark(f"{what} at {address}", "" if code else "no contract lives there")


async def _sequencer(chain: Chain, feed: Address) -> Mark:
    what = f"{chain.spec.title}: sequencer feed at {feed}"

    async def ask(pinned: Pinned) -> Sequencer | None:
        said, _, _ = await run(sequencer_by(feed), pinned)
        return said

    try:
        said = await chain.first(ask, within=WITHIN)
    except EndpointError as failure:
        return Mark(what, str(failure))
    return Mark(what, said.problem if said else "")


def addresses_of(deployment: Deployment) -> dict[str, Address]:
    """Every contract that a deployment names, by the plugin's own fields, and its oracle. Any protocol."""
    reader = deployment.reader
    kinds = get_type_hints(type(reader))
    names: list[str] = [each.name for each in fields(reader)] if is_dataclass(reader) else []
    found = {name: getattr(reader, name) for name in names if kinds[name] is Address}
    return found if deployment.oracle is None else {**found, "oracle": deployment.oracle}


async def _interface(chain: Chain, deployment: Deployment) -> Mark:
    what = f"{deployment.title}: interface{'' if deployment.oracle is None else ' and oracle'}"

    async def ask(pinned: Pinned) -> list[str]:
        expected, _, _ = await run(deployment.reader.expects(), pinned)
        return [*expected, *([] if expected else await _oracle_problems(deployment, pinned))]

    try:
        return Mark(what, "; ".join(await chain.first(ask, within=WITHIN)))
    except (EndpointError, ReadFailed) as failure:
        return Mark(what, str(failure))


async def _oracle_problems(deployment: Deployment, pinned: Pinned) -> list[str]:
    """Whether the market, as its contracts are set up now, asks the oracle that is configured, and no other instead."""
    if deployment.oracle is None:
        return []
    _, asked, _ = await run(deployment.reader.market([]), pinned)
    targets = {
        call.target for request in asked for call in (request.calls if isinstance(request, Bundle) else [request])
    }
    if deployment.oracle in targets:
        return []
    others = ", ".join(sorted(targets - set(addresses_of(deployment).values()))) or "none"
    return [f"the market does not use the oracle {deployment.oracle}; contracts that it does ask: {others}"]


# --- Telegram ---------------------------------------------------------------------------------------------------------


async def look_at_telegram(telegram: Telegram, chats: Sequence[Chat]) -> list[Mark]:
    """Whether Telegram knows the bot, and lets it write to its chats."""
    from watcher.notify.telegram import TelegramBot  # takes longer than all the rest, and most checks need none

    async with TelegramBot(telegram.token.reveal(), base_url=f"{telegram.api}/bot") as bot:
        try:
            marks = [Mark(f"Telegram: the bot is {await bot.username()}")]
        except DeliveryError as failure:
            return [Mark("Telegram: the bot's token", str(failure))]
        return [*marks, *await asyncio.gather(*(_chat(bot, chat) for chat in chats))]


async def _chat(bot: TelegramBot, chat: Chat) -> Mark:
    what = f"Telegram: chat {chat.name} ({chat.id}{'' if chat.thread is None else f', thread {chat.thread}'})"
    try:
        await bot.chat(str(chat.id), thread=chat.thread).reach()
    except DeliveryError as failure:
        return Mark(what, str(failure))
    return Mark(f"{what} can be written to")


# --- Other ways to people ---------------------------------------------------------------------------------------------


async def look_at_webhooks(webhooks: Sequence[Webhook]) -> list[Mark]:
    """Whether each takes a signed request that says nothing."""
    return list(await asyncio.gather(*(_webhook(webhook) for webhook in webhooks)))


async def _webhook(webhook: Webhook) -> Mark:
    from watcher.notify.webhook import WebhookChannel

    what = f"webhook {webhook.name} ({webhook.host})"
    try:
        await WebhookChannel(webhook).reach()
    except DeliveryError as failure:
        return Mark(what, str(failure))
    return Mark(f"{what} takes what it is sent")


async def look_at_escalation(escalation: Escalation) -> list[Mark]:
    """Whether apprise is there and knows the service. It has no way to ask it anything without telling people."""
    from watcher.notify.apprise import AppriseChannel

    try:
        await asyncio.to_thread(AppriseChannel, escalation.url)
    except ConfigError as problem:
        return [Mark("escalation", str(problem))]
    return [Mark("escalation: apprise knows the service")]
