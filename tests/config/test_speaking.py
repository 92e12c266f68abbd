"""Webhooks, escalation and the dead-man ping, as they are configured."""

import re
from datetime import time
from pathlib import Path

import pytest

from tests.config.conftest import WALLET, Load, Refuse
from watcher.config import Deadman, Escalation, Secret, Webhook, describe, load
from watcher.config.daily import Daily
from watcher.config.speaking import signing_key

ONE = f'[[wallets]]\naddress = "{WALLET}"\n'
KEY = "canary-key-of-sufficient-length"
URL = "https://hooks.example/in/canary"
HOOK = '[webhooks.pager]\nurl = "${env:URL}"\nsecret = "${env:SIGN}"\n'
BOT = '[telegram]\ntoken = "${env:TOKEN}"\n[chats.me]\nid = 5\n'


@pytest.fixture(autouse=True)
def secrets(environ: dict[str, str]) -> None:
    environ |= {
        "SIGN": KEY,
        "URL": URL,
        "NTFY": "ntfys://canary.example/topic",
        "SHORT": "canary",
        "BAD": "whsec_canary!",
    }


def test_it_reads_them_all(load_text: Load) -> None:
    settings = load_text(
        BOT + HOOK + '[escalation]\nurl = "${env:NTFY}"\nafter = "15m"\n'
        f'[deadman]\nurl = "https://hc.example/${{env:KEY}}"\nevery = "30s"\n{ONE}'
    )

    assert settings.webhooks == {
        "pager": Webhook(name="pager", url=Secret(URL), host="hooks.example", secret=Secret(KEY))
    }
    assert settings.escalation == Escalation(url=Secret("ntfys://canary.example/topic"), after=900)
    assert settings.deadman == Deadman(url=Secret("https://hc.example/canary-rpc-key"), host="hc.example", every=30)
    assert settings.audience == ("me", "pager")
    assert settings.wallets[0].chats == ("me", "pager")
    assert describe(settings)[-4:] == [
        "webhook pager: hooks.example",
        "Telegram: a bot at https://api.telegram.org",
        "escalation: what is critical and unacknowledged after 15m",
        "dead-man ping: hc.example, every 30s",
    ]
    assert "canary" not in repr(settings) + "\n".join(describe(settings))


def test_it_needs_none_of_them_and_has_a_time_for_each(load_text: Load) -> None:
    bare = load_text(ONE)
    timed = load_text('[escalation]\nurl = "${env:NTFY}"\n[deadman]\nurl = "https://hc.example/x"\n' + ONE)

    assert (dict(bare.webhooks), bare.escalation, bare.deadman, bare.audience) == ({}, None, None, ("console",))
    assert timed.escalation is not None
    assert timed.deadman is not None
    assert (timed.escalation.after, timed.deadman.every) == (600, 60)


def test_it_tells_the_console_where_that_is_asked_for_or_nobody_else_is_named(load_text: Load) -> None:
    asked, unasked, alone = load_text(f"{BOT}[console]\n{ONE}"), load_text(BOT + ONE), load_text(ONE)

    assert (asked.audience, asked.wallets[0].chats) == (("me", "console"), ("me", "console"))
    assert (unasked.audience, unasked.wallets[0].chats) == (("me",), ("me",))
    assert (alone.audience, alone.wallets[0].chats) == (("console",), ("console",))
    assert load_text(f'{BOT}[console]\n{ONE}chats = ["console"]').wallets[0].chats == ("console",)
    assert "console: standard output" in describe(asked)


def test_it_lets_a_wallet_choose_a_webhook(load_text: Load) -> None:
    assert load_text(BOT + HOOK + ONE + 'chats = ["pager"]').wallets[0].chats == ("pager",)


def test_it_looks_no_secret_up_for_a_single_check(load_text: Load) -> None:
    text = HOOK.replace("SIGN", "NONE") + '[escalation]\nurl = "${env:NONE}"\n[deadman]\nurl = "${env:NONE}"\n' + ONE
    settings = load_text(text + 'chats = ["pager"]', telegram=False)

    assert (dict(settings.webhooks), settings.escalation, settings.deadman) == ({}, None, None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HOOK.replace("${env:SIGN}", KEY), "webhooks.pager.secret: a secret in the file itself is refused"),
        (HOOK.replace("SIGN", "NONE"), "webhooks.pager.secret: ${env:NONE} cannot be found"),
        (HOOK.replace("SIGN", "SHORT"), "webhooks.pager.secret: what ${env:SHORT} holds is shorter than 16 bytes"),
        (HOOK.replace("SIGN", "BAD"), "what ${env:BAD} holds begins with whsec_, and what follows is not base64"),
        (
            HOOK.replace("${env:URL}", "ftp://a.b"),
            "webhooks.pager.url: the URL does not start with https:// or http://",
        ),
        (HOOK.replace("${env:URL}", "https://a:b@c.d"), "webhooks.pager.url: the URL carries a user or password"),
        (HOOK.replace("${env:URL}", "https://a.b/0123456789abcdefghij"), "url: part of the URL looks like a key"),
        (HOOK.replace("url", "uri"), 'webhooks.pager.uri: "uri" is not a known key; did you mean "url"?'),
        (
            HOOK.replace("pager", "Pager"),
            'webhooks.Pager: "Pager" cannot name a webhook; write a name of small letters',
        ),
        (HOOK + HOOK.replace("pager", "second"), "webhooks.second.url: the URL is that of pager already"),
        (BOT + HOOK.replace("pager", "me"), "webhooks.me: me is a chat already"),
        ("webhooks = 5\n", "webhooks: 5 is not a table of keys"),
        ("[webhooks.a]\n", "webhooks.a.url: missing; write a text in quotes"),
        ('[escalation]\nurl = "ntfys://a.b/c"\n', "escalation.url: the URL of a service holds its key: secrets only"),
        ('[escalation]\nurl = "${env:SHORT}"\n', "escalation.url: the URL does not begin with a service"),
        ('[escalation]\nurl = "${env:NTFY}"\nafter = 10\n', "escalation.after: 10 has no unit"),
        ('[escalation]\nurl = "${env:NTFY}"\nafter = "30s"\n', 'escalation.after: "30s" is not a duration from "1m"'),
        ('[deadman]\nevery = "5s"\nurl = "https://a.b"\n', 'deadman.every: "5s" is not a duration from "10s" to "1h"'),
        ('[deadman]\nurl = "https://hc.example/5aaeb605-3f3e-94c9-b9a0"\n', "deadman.url: part of the URL looks like"),
        ("[deadman]\n", "deadman.url: missing"),
    ],
)
def test_it_refuses_what_is_wrong_and_shows_no_secret(refusal: Refuse, text: str, told: str) -> None:
    assert told in refusal(text + ONE)


def test_it_takes_a_secret_as_written_or_in_base64() -> None:
    assert signing_key("sixteen bytes ok") == b"sixteen bytes ok"
    assert signing_key("whsec_MDEyMzQ1Njc4OWFiY2RlZg==") == b"0123456789abcdef"


def test_the_example_names_every_key_of_them(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "deploy" / "watcher.example.toml").read_text()
    path = tmp_path / "watcher.toml"
    uncommented = re.sub(r"^# (\[|url|secret|digest|quiet|zone)", r"\1", example, flags=re.MULTILINE)
    path.write_text(uncommented)

    settings = load(path, secrets=False)
    assert settings.wallets
    assert settings.console
    assert (
        "chat me: 123456789; commands (read) from 123456789; quiet 22:00-07:00 Europe/Berlin;"
        " digest 08:00 Europe/Berlin"
    ) in describe(settings)
    assert settings.chats["me"].digest == Daily(time(8), "Europe/Berlin")
    for key in ("wallets_file", "[webhooks.", "secret =", "[escalation]", "after =", "[deadman]", "every ="):
        assert key in example
