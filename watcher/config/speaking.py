"""Where alerts go: `[telegram]` and its chats, `[webhooks]`, `[console]`, `[escalation]`, and `[deadman]`'s ping."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from watcher.config.daily import Daily, TimeOfDay
from watcher.config.forms import NAME_WORDS, Template, Url, duration, is_name, whole
from watcher.config.localtime import Zone
from watcher.config.quiet import Quiet, QuietHours
from watcher.config.refusal import Form, Problems, Right, inside, shown
from watcher.config.secrets import FORMS, References, Secret, literal_part, mentions_secret
from watcher.config.settings import CONSOLE, Chat, Deadman, Escalation, Role, Telegram, Webhook
from watcher.config.urls import host_of

BOT_API = "https://api.telegram.org"
SHORTEST_SECRET = 16
"""Bytes; fewer can be guessed by whoever sees one signed request."""
BASE64_SECRET = "whsec_"
"""How the Standard Webhooks specification begins a secret that is written in base64."""

_LARGEST_CHAT = 2**52 - 1  # "at most 52 significant bits", Bot API, Chat.id
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+]*://.+", re.IGNORECASE)

Thread = Annotated[int, Right("the number of a topic, 1 or more", whole(1, 2**31 - 1))]
After = Annotated[int, Right('a duration from "1m" to "1d", such as "10m"', duration(60, 86_400))]
Every = Annotated[int, Right('a duration from "10s" to "1h", such as "60s"', duration(10, 3600))]


def _chat_id(value: object) -> int | None:
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is a text; write the chat's number, without quotes")
    found = whole(-_LARGEST_CHAT, _LARGEST_CHAT)(value)
    return found if found != 0 else None


def _users(value: object) -> tuple[int, ...] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
    one = whole(1, _LARGEST_CHAT)
    if not isinstance(value, list) or any(one(each) is None for each in value):
        return None
    return tuple(dict.fromkeys(value))


def _role(value: object) -> Role | None:
    return Role(value) if isinstance(value, str) and value in tuple(Role) else None


ChatId = Annotated[int, Right("a Telegram chat id: a whole number such as 123456789, or -1001234567890", _chat_id)]
Users = Annotated[
    tuple[int, ...], Right("a list of the numbers of Telegram users, such as [123456789]; names are not taken", _users)
]
Speaking = Annotated[Role, Right('"read" or "act"', _role)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramForm(Form):
    """`[telegram]`."""

    token: Template
    api: Url = BOT_API


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatForm(Form):
    """`[chats.<name>]`."""

    id: ChatId
    thread: Thread | None = None
    users: Users = ()
    role: Speaking = Role.READ
    quiet: QuietHours | None = None
    digest: TimeOfDay | None = None
    zone: Zone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookForm(Form):
    """`[webhooks.<name>]`."""

    url: Template
    secret: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleForm(Form):
    """`[console]`, which has no keys: that it stands there is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationForm(Form):
    """`[escalation]`."""

    url: Template
    after: After = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadmanForm(Form):
    """`[deadman]`."""

    url: Template
    every: Every = 60


def read_telegram(
    table: Mapping[str, Any] | None, references: References, problems: Problems, *, wanted: bool
) -> Telegram | None:
    """The bot; None where there is none, or its token is not `wanted`."""
    form = None if table is None else problems.fill(TelegramForm, table, "telegram")
    if form is None:
        return None
    if literal_part(form.token).strip() or not mentions_secret(form.token):
        problems.add(
            "telegram.token", f"a token in the file itself is refused: secrets only by reference; write {FORMS}"
        )
        return None
    if not wanted:
        return None
    token = _resolved(form.token, "telegram.token", references, problems)
    if token is not None and not _TOKEN.fullmatch(token):
        problems.add("telegram.token", f"what {form.token} holds is no bot token; it has the form 123456789:letters")
    return None if token is None else Telegram(token=Secret(token), api=form.api)


def read_chats(tables: Mapping[str, Any], problems: Problems, *, bot: bool) -> dict[str, Chat]:
    """The chats that are in order, by name. `bot`: whether there is one to write to them."""
    chats: dict[str, Chat] = {}
    for name, table in tables.items():
        where = inside("chats", name)
        if not _can_name(name, "chat", where, problems):
            continue
        chat = problems.fill(ChatForm, table, where)
        if chat is None:
            continue
        twin = next((each.name for each in chats.values() if (each.id, each.thread) == (chat.id, chat.thread)), None)
        if twin is not None:
            problems.add(inside(where, "id"), f"{chat.id} is the chat {twin} already; write each chat once")
        _refuse_half_times(chat, where, problems)
        chats[name] = Chat(
            name=name,
            id=chat.id,
            thread=chat.thread,
            users=chat.users,
            role=chat.role,
            quiet=Quiet(chat.quiet, chat.zone) if chat.quiet and chat.zone else None,
            digest=Daily(chat.digest, chat.zone) if chat.digest is not None and chat.zone else None,
        )
    if tables and not bot:
        problems.add(
            "chats", 'there is no bot to write to them; write [telegram] token = "${credential:telegram_token}"'
        )
    if bot and not tables:
        problems.add(
            "telegram", "there is no chat to write to; write [chats.me] on a line, and id = 123456789 below it"
        )
    return chats


def _can_name(name: str, what: str, where: str, problems: Problems) -> bool:
    if not is_name(name):
        problems.add(where, f"{shown(name)} cannot name a {what}; write {NAME_WORDS}")
    elif name == CONSOLE:
        problems.add(where, f"{CONSOLE} is what standard output is called; write another name")
    return is_name(name) and name != CONSOLE


def _refuse_half_times(form: ChatForm, where: str, problems: Problems) -> None:
    """A time is nothing without a zone, nor is a zone without a time."""
    timed = form.quiet is not None or form.digest is not None
    if timed and form.zone is None:
        problems.add(inside(where, "zone"), 'missing; write whose clock it is, such as zone = "Europe/Berlin"')
    if form.zone is not None and not timed:
        problems.add(
            inside(where, "zone"), 'is for times; write quiet = "22:00-07:00" or digest = "08:00" too, or leave it out'
        )


def read_webhooks(
    tables: Mapping[str, Any], chats: Collection[str], references: References, problems: Problems, *, wanted: bool
) -> dict[str, Webhook]:
    """The webhooks that are in order, by name; none where their secrets are not `wanted`."""
    webhooks: dict[str, Webhook] = {}
    for name, table in tables.items():
        where = inside("webhooks", name)
        if not _can_name(name, "webhook", where, problems):
            continue
        if name in chats:
            problems.add(where, f"{name} is a chat already; write a name of its own")
        form = problems.fill(WebhookForm, table, where)
        webhook = None if form is None else _webhook(name, form, where, references, problems, wanted=wanted)
        if webhook is None:
            continue
        twin = next((each.name for each in webhooks.values() if each.url == webhook.url), None)
        if twin is not None:
            problems.add(inside(where, "url"), f"the URL is that of {twin} already; write each webhook once")
        webhooks[name] = webhook
    return webhooks


def read_console(table: Mapping[str, Any] | None, problems: Problems) -> bool:
    """Whether alerts go to standard output as well."""
    if table is not None:
        problems.fill(ConsoleForm, table, CONSOLE)
    return table is not None


def read_escalation(
    table: Mapping[str, Any] | None, references: References, problems: Problems, *, wanted: bool
) -> Escalation | None:
    """The second way to people; None where there is none, or its secret is not `wanted`."""
    form = None if table is None else problems.fill(EscalationForm, table, "escalation")
    if form is None:
        return None
    if not mentions_secret(form.url):
        problems.add(
            "escalation.url", f"the URL of a service holds its key: secrets only by reference; write {FORMS} in it"
        )
        return None
    if not wanted:
        return None
    url = _resolved(form.url, "escalation.url", references, problems)
    if url is not None and not _SCHEME.fullmatch(url):
        problems.add("escalation.url", "the URL does not begin with a service, such as ntfys:// or mailtos://")
    return None if url is None else Escalation(url=Secret(url), after=form.after)


def read_deadman(
    table: Mapping[str, Any] | None, references: References, problems: Problems, *, wanted: bool
) -> Deadman | None:
    """Who misses us when we are silent; None where nobody does, or the URL's secret is not `wanted`."""
    form = None if table is None else problems.fill(DeadmanForm, table, "deadman")
    if form is None or not wanted:
        return None
    found = _url(form.url, "deadman.url", references, problems)
    return None if found is None else Deadman(url=found[0], host=found[1], every=form.every)


def signing_key(secret: str) -> bytes:
    """The bytes that a webhook's secret stands for. Raises `ValueError` for one that cannot be used."""
    if not secret.startswith(BASE64_SECRET):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(BASE64_SECRET), validate=True)
        except ValueError:  # not chained: it belongs to a secret
            raise ValueError(f"begins with {BASE64_SECRET}, and what follows is not base64") from None
    if len(key) < SHORTEST_SECRET:
        raise ValueError(f"is shorter than {SHORTEST_SECRET} bytes; make one with: openssl rand -base64 32")
    return key


def _webhook(
    name: str, form: WebhookForm, where: str, references: References, problems: Problems, *, wanted: bool
) -> Webhook | None:
    at = inside(where, "secret")
    if literal_part(form.secret).strip() or not mentions_secret(form.secret):
        problems.add(at, f"a secret in the file itself is refused: secrets only by reference; write {FORMS}")
        return None
    if not wanted:
        return None
    url = _url(form.url, inside(where, "url"), references, problems)
    secret = _resolved(form.secret, at, references, problems)
    if url is None or secret is None:
        return None
    try:
        signing_key(secret)
    except ValueError as problem:
        problems.add(at, f"what {form.secret} holds {problem}")
    return Webhook(name=name, url=url[0], host=url[1], secret=Secret(secret))


def _url(written: str, where: str, references: References, problems: Problems) -> tuple[Secret, str] | None:
    """A URL that a request can be sent to, and what to call it."""
    try:
        url = references.resolve(written)
        return Secret(url.text), host_of(written, url)
    except ValueError as problem:
        problems.add(where, str(problem))
    return None


def _resolved(written: str, where: str, references: References, problems: Problems) -> str | None:
    try:
        return references.resolve(written).text
    except ValueError as problem:
        problems.add(where, str(problem))
    return None
