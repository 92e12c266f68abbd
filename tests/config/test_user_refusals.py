"""Every way to get a watcher.toml wrong, and the words that put it right."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.config.conftest import OTHER_WALLET, PRIVATE_KEY, WALLET, Refuse
from watcher.config import load
from watcher.domain.errors import ConfigError


class Bad(NamedTuple):
    """A watcher.toml, the key that is wrong in it, and fragments of the refusal: the value, and the right form."""

    text: str
    key: str
    fragments: tuple[str, ...]


def bad(text: str, key: str, *fragments: str) -> Bad:
    return Bad(text, key, fragments)


def wallet(more: str = "", address: str = WALLET) -> str:
    return f'[[wallets]]\naddress = "{address}"\n{more}\n'


ONE = wallet()
BOT = '[telegram]\ntoken = "${env:TOKEN}"\n'
ME = "[chats.me]\nid = 5\n"

KEYS = [
    bad(f'intervall = "12s"\n{ONE}', "intervall", '"intervall" is not a known key', 'did you mean "interval"?'),
    bad(f"[rulez]\nwarn = 2\n{ONE}", "rulez", 'did you mean "rules"?'),
    bad(f"[rules]\nwarning = 2\n{ONE}", "rules.warning", 'did you mean "warn"?'),
    bad(f"[rules]\nxyzzy = 2\n{ONE}", "rules.xyzzy", "known: warn, critical, target"),
    bad(wallet('lable = "a"'), "wallets[1].lable", 'did you mean "label"?'),
    bad(wallet('"a b\\n" = 1'), 'wallets[1]."a b\\n"', "is not a known key"),
    bad(f'{ONE}{BOT}chat = "me"\n{ME}', "telegram.chat", "known: token, api"),
    bad(f"{ONE}{BOT}[chats.me]\nid = 5\ntopic = 3", "chats.me.topic", "known: id, thread"),
    bad(f"wallets = {{}}\n{BOT}", "wallets", "a table is not a list of tables", "[[wallets]]"),
    bad(f'[wallets]\naddress = "{WALLET}"', "wallets", "[[wallets]], with two brackets"),
    bad("wallets = [5]", "wallets[1]", "5 is not a table of keys"),
    bad(f"rules = 5\n{ONE}", "rules", "5 is not a table of keys"),
    bad(f"endpoints = []\n{ONE}", "endpoints", "an empty list is not a table of keys"),
    bad(f"{ONE}{BOT}[chats]\nid = 5", "chats.id", "5 is not a table of keys; write [chats.id]"),
    bad(f"rules = 2020-01-01\n{ONE}", "rules", '"2020-01-01" is not a table'),
]

HEADS = [
    bad(f'{ONE}[chains.basse]\nhead_age = "2m"', "chains.basse", 'did you mean "base"?'),
    bad(f"{ONE}[chains.base]\nhead_age = 120", "chains.base.head_age", "120 has no unit", '"120s"'),
    bad(f'{ONE}[chains.base]\nmax_age = "2m"', "chains.base.max_age", "is not a known key", "head_age"),
    bad(f'{ONE}[chains.ethereum]\nhead_age = "24s"', "chains.ethereum.head_age", "a block comes every 12 s"),
    bad(f"{ONE}[chains.ethereum]\nagreement = 0", "chains.ethereum.agreement", "from 1 to 5, such as 2"),
    bad(
        f'public_endpoints = false\n{ONE}[endpoints]\nethereum = ["https://a.one.com", "https://b.one.com"]\n'
        "[chains.ethereum]\nagreement = 2",
        "chains.ethereum.agreement",
        "2 operators are to agree, and the endpoints are of 1 (one.com)",
    ),
]

ADDRESSES = [
    bad(wallet(address=WALLET.lower()), "wallets[1].address", "is not a checksummed address", f'write "{WALLET}"'),
    bad(wallet(address="0x" + WALLET[2:].upper()), "wallets[1].address", f'write "{WALLET}"'),
    bad(
        wallet(address=WALLET.replace("3F3E", "3F3F")), "wallets[1].address", "a character is mistyped", "Copy it again"
    ),
    bad(wallet(address=WALLET.replace("aAe", "AAe")), "wallets[1].address", "does not fit its checksum", WALLET),
    bad(wallet(address=WALLET[:-1]), "wallets[1].address", "39 characters after 0x", "0x and 40 hex digits"),
    bad(wallet(address=WALLET[2:]), "wallets[1].address", "is not an address", "0x and 40 hex digits"),
    bad(wallet(address="treasury.eth"), "wallets[1].address", '"treasury.eth" is a name', "0x and 40 hex digits"),
    bad(wallet(address="0x" + "0" * 40), "wallets[1].address", "zero address", "write the address of the wallet"),
    bad(wallet(address=""), "wallets[1].address", '""', "0x and 40 hex digits"),
    bad(f"[[wallets]]\naddress = {WALLET}", "wallets[1].address", "is not an address: 0x and 40 hex digits"),
    bad("[[wallets]]\naddress = true", "wallets[1].address", "true is not an address"),
    bad('[[wallets]]\nlabel = "a"', "wallets[1].address", "missing; write an address: 0x and 40 hex digits"),
    bad(wallet(address="${env:TOKEN}"), "wallets[1].address", "refers to a secret", "write the value itself"),
]

WALLETS = [
    bad("", "wallets", "none is given", "[[wallets]]"),
    bad("wallets = []", "wallets", "none is given", "[[wallets]]"),
    bad(ONE + ONE, "wallets[2].address", f'"{WALLET}" is wallets[1] already', "write each wallet once"),
    bad(
        wallet('label = "Desk"') + wallet('label = "desk"', OTHER_WALLET),
        "wallets[2].label",
        '"desk" is the label of wallets[1] already',
        "write one that tells them apart",
    ),
    bad(wallet('label = ""'), "wallets[1].label", '"" is not a text of 1 to 64 visible characters'),
    bad(wallet(f'label = "{"x" * 65}"'), "wallets[1].label", "xxx…", "1 to 64 visible characters"),
    bad(wallet('label = "a\\nb"'), "wallets[1].label", '"a\\nb" is not a text', "on one line"),
    bad(wallet('label = "a\\u202eb"'), "wallets[1].label", '"a\\u202eb" is not a text'),
    bad(wallet('label = "${env:TOKEN}"'), "wallets[1].label", "refers to a secret", "in telegram.token"),
    bad(wallet('chains = ["etherium"]'), "wallets[1].chains", '"etherium"', 'did you mean "ethereum"?'),
    bad(wallet('chains = ["solana"]'), "wallets[1].chains", '"solana"', "known: ethereum, arbitrum"),
    bad(wallet('chains = "base"'), "wallets[1].chains", '"base" is not a list; write ["base"]'),
    bad(wallet("chains = [1]"), "wallets[1].chains", 'a list is not a list of names, such as ["ethereum", "base"]'),
    bad(wallet("chains = []"), "wallets[1].chains", "leave the key out for all of them"),
    bad(wallet('chains = ["base", "base"]'), "wallets[1].chains", '"base" is given twice; write it once'),
    bad(wallet('protocols = ["aave3"]'), "wallets[1].protocols", 'did you mean "aave_v3"?'),
    bad(wallet('protocols = ["spark"]'), "wallets[1].protocols", '"spark"', 'did you mean "spark_ethereum"?'),
    bad(wallet('protocols = ["sparklend"]'), "wallets[1].protocols", 'did you mean "spark_ethereum"?'),
    bad(wallet('protocols = ["X-Layer"]'), "wallets[1].protocols", 'did you mean "aave_v3_xlayer"?'),
    bad(wallet('protocols = ["v3"]'), "wallets[1].protocols", "known: aave_v3, "),
    bad(f"[rules.sparklend]\nwarn = 2\n{ONE}", "rules", 'did you mean "spark_ethereum"?'),
    bad(wallet('chains = ["base"]\nprotocols = ["spark_ethereum"]'), "wallets[1]", "no deployment of spark_ethereum"),
    bad(BOT + ME + wallet('chats = ["mee"]'), "wallets[1].chats", '"mee" is not a known chat; did you mean "me"?'),
    bad(wallet('chats = ["me"]'), "wallets[1].chats", '"me" is not a known chat; known: console'),
]  # fmt: skip

LIMITS = [
    bad(f"[rules]\nwarn = 1\n{ONE}", "rules.warn", "1 is not a health above 1", "such as 1.30"),
    bad(f"[rules]\nwarn = 0.9\n{ONE}", "rules.warn", "0.9 is not a health above 1"),
    bad(f"[rules]\ncritical = -1.5\n{ONE}", "rules.critical", "-1.5 is not a health above 1"),
    bad(f"[rules]\nwarn = nan\n{ONE}", "rules.warn", "NaN is not a health above 1"),
    bad(f"[rules]\ntarget = inf\n{ONE}", "rules.target", "Infinity is not a health", "at most 100"),
    bad(f"[rules]\ntarget = 1e900\n{ONE}", "rules.target", "1E+900 is not a health", "at most 100"),
    bad(f"[rules]\ntarget = {'9' * 99}\n{ONE}", "rules.target", "0x", "at most 100"),
    bad(f'[rules]\nwarn = "1.3"\n{ONE}', "rules.warn", '"1.3" is a text; write the number without quotes'),
    bad(f"[rules]\nwarn = true\n{ONE}", "rules.warn", "true is not a health above 1"),
    bad(f"[rules]\nwarn = 1.05\n{ONE}", "rules.warn", "critical 1.10 (not set here) is not below warn 1.05",
        "1 < critical < warn < target"),
    bad(f"[rules]\nwarn = 1.2\ncritical = 1.2\n{ONE}", "rules.critical", "critical 1.2 is not below warn 1.2"),
    bad(f"[rules]\ntarget = 1.2\n{ONE}", "rules.target", "warn 1.30 (not set here) is not below target 1.2"),
    bad(wallet("warn = 1.6"), "wallets[1].warn", "warn 1.6 is not below target 1.50 (not set here)", "warn < target"),
    bad(f"[rules]\ndistance_warn = 1\n{ONE}", "rules.distance_warn", "1 is not a fraction above 0 and below 1"),
    bad(f"[rules]\ndrop = 0\n{ONE}", "rules.drop", "0 is not a fraction above 0", "0.15"),
    bad(f'[rules]\ndrop_within = "2d"\n{ONE}', "rules.drop_within", '"2d" is not a duration from "1m" to "1d"'),
    bad(f"[rules]\ndistance_warn = 0.1\ndistance_critical = 0.1\n{ONE}", "rules.distance_critical",
        "distance_critical 0.1 is not below distance_warn 0.1; write distance_critical < distance_warn"),
    bad(f"[rules]\nclear = 0.5\n{ONE}", "rules.clear", "0.5 is not a fraction from 0 to below 0.5"),
    bad(f"[rules]\nclear = -0.01\n{ONE}", "rules.clear", "-0.01 is not a fraction from 0"),
    bad(f"[rules]\ngood_reads = 0\n{ONE}", "rules.good_reads", "0 is not a whole number from 1 to 100"),
    bad(f"[rules]\ngood_reads = 101\n{ONE}", "rules.good_reads", "101 is not a whole number from 1 to 100"),
    bad(f"[rules]\ngood_reads = 2.0\n{ONE}", "rules.good_reads", "2.0 is not a whole number"),
    bad(f"[rules]\nremind = 3600\n{ONE}", "rules.remind", "3600 has no unit", '"3600s"'),
    bad(f'[rules]\nremind = "30s"\n{ONE}', "rules.remind", '"30s" is not a duration from "1m" to "30d"'),
    bad(f'[rules]\nstale = "yes"\n{ONE}', "rules.stale", '"yes" is not true or false, without quotes'),
]  # fmt: skip

PLAIN = [
    bad(f'interval = "0s"\n{ONE}', "interval", '"0s" is not a duration from "1s" to "1h"'),
    bad(f'min_interval = "0s"\n{ONE}', "min_interval", '"0s" is not a duration from "1s" to "1h"'),
    bad(f'min_interval = "13s"\n{ONE}', "min_interval", "13s is longer than interval, which is 12s", "write a shorter"),
    bad(f'interval = "61m"\n{ONE}', "interval", '"61m" is not a duration from "1s" to "1h"'),
    bad(f"interval = 12\n{ONE}", "interval", "12 has no unit", '"12s"'),
    bad(f'interval = "12 seconds"\n{ONE}', "interval", '"12 seconds" is not a duration', 'such as "12s"'),
    bad(f'interval = ""\n{ONE}', "interval", '"" is not a duration'),
    bad(f'interval = "-5s"\n{ONE}', "interval", '"-5s" is not a duration'),
    bad(f"interval = true\n{ONE}", "interval", "true is not a duration"),
    bad(f'state = "."\n{ONE}', "state", '"." is a directory', "write the file in it"),
    bad(f'state = "none/such/w.db"\n{ONE}', "state", "lies in no directory", "make "),
    bad(f'state = ""\n{ONE}', "state", '"" is not a text'),
    bad(f'public_endpoints = "no"\n{ONE}', "public_endpoints", '"no" is not true or false'),
    bad(f'protocols_file = "gone.toml"\n{ONE}', "protocols_file", '"gone.toml" is no file: looked for /'),
    bad(
        f"public_endpoints = false\n{ONE}", "endpoints", "none for ethereum, arbitrum", 'write ethereum = ["https://…"]'
    ),
]

TELEGRAM = [
    bad(f"{ONE}{ME}", "chats", "there is no bot to write to them", "[telegram] token ="),
    bad(f"{ONE}{BOT}", "telegram", "there is no chat to write to", "[chats.me]"),
    bad(f"{ONE}[telegram]\n{ME}", "telegram.token", "missing; write a text"),
    bad(
        f'{ONE}[telegram]\ntoken = "1:canary"\n{ME}',
        "telegram.token",
        "secrets only by reference",
        "${credential:NAME}",
    ),
    bad(f'{ONE}[telegram]\ntoken = "1:${{env:TOKEN}}"\n{ME}', "telegram.token", "secrets only by reference"),
    bad(f'{ONE}[telegram]\ntoken = ""\n{ME}', "telegram.token", '"" is not a text'),
    bad(f'{ONE}[telegram]\ntoken = "${{env:NO_TOKEN}}"\n{ME}', "telegram.token", "no bot token", "123456789:letters"),
    bad(f'{ONE}[telegram]\ntoken = "${{env:GONE}}"\n{ME}', "telegram.token", "environment variable GONE is not set"),
    bad(f'{ONE}{BOT}api = "api.telegram.org"\n{ME}', "telegram.api", '"api.telegram.org"', "http:// or https://"),
    bad(f'{ONE}{BOT}api = "https://me:canary@a.b"\n{ME}', "telegram.api", "write it without user and password"),
    bad(f"{ONE}{BOT}[chats.me]\nid = 0", "chats.me.id", "0 is not a Telegram chat id", "-1001234567890"),
    bad(f"{ONE}{BOT}[chats.me]\nid = 1.5", "chats.me.id", "1.5 is not a Telegram chat id"),
    bad(f"{ONE}{BOT}[chats.me]\nid = true", "chats.me.id", "true is not a Telegram chat id"),
    bad(f'{ONE}{BOT}[chats.me]\nid = "5"', "chats.me.id", '"5" is a text', "without quotes"),
    bad(f"{ONE}{BOT}[chats.me]\nid = {2**53}", "chats.me.id", f"{2**53} is not a Telegram chat id"),
    bad(f"{ONE}{BOT}[chats.me]\n", "chats.me.id", "missing; write a Telegram chat id"),
    bad(f"{ONE}{BOT}{ME}thread = 0", "chats.me.thread", "0 is not the number of a topic, 1 or more"),
    bad(f"{ONE}{BOT}{ME}users = 7", "chats.me.users", "7 is not a list", "write [7]"),
    bad(f'{ONE}{BOT}{ME}users = ["@ann"]', "chats.me.users", "is not a list of the numbers of Telegram users"),
    bad(f"{ONE}{BOT}{ME}users = [-100]", "chats.me.users", "is not a list of the numbers of Telegram users"),
    bad(f'{ONE}{BOT}{ME}role = "admin"', "chats.me.role", '"admin" is not "read" or "act"'),
    bad(f"{ONE}{BOT}{ME}[chats.us]\nid = 5", "chats.us.id", "5 is the chat me already", "write each chat once"),
    bad(f'{ONE}{BOT}{ME}quiet = "22:00"\nzone = "UTC"', "chats.me.quiet", '"22:00" is not two times', "22:00-07:00"),
    bad(f'{ONE}{BOT}{ME}quiet = "22:00-07:00"', "chats.me.zone", "missing; write whose clock it is", "Europe/Berlin"),
    bad(f'{ONE}{BOT}{ME}digest = "08:00"', "chats.me.zone", "missing; write whose clock it is", "Europe/Berlin"),
    bad(f'{ONE}{BOT}{ME}zone = "UTC"', "chats.me.zone", "is for times", 'digest = "08:00"', "or leave it out"),
    bad(f'{ONE}{BOT}{ME}digest = "8:00"\nzone = "UTC"', "chats.me.digest", '"8:00" is not a time of day', '"08:00"'),
    bad(f'{ONE}{BOT}{ME}digest = "24:00"\nzone = "UTC"', "chats.me.digest", '"24:00" is not a time', '"23:59"'),
    bad(f"{ONE}{BOT}{ME}digest = 08:00:00\nzone = 'UTC'", "chats.me.digest", '"08:00:00" is not a time of day'),
    bad(f"{ONE}{BOT}{ME}digest = true\nzone = 'UTC'", "chats.me.digest", "true is not a time of day", '"08:00"'),
    bad(f'{ONE}{BOT}{ME}digest = "08:00"\nzone = "CEST"', "chats.me.zone", '"CEST" is not a known time zone'),
    bad(f'{ONE}{BOT}{ME}digest = "08:00"\nzone = 2', "chats.me.zone", "2 is not a time zone of the IANA database"),
    bad(f"{ONE}{BOT}[chats.console]\nid = 5", "chats.console", "is what standard output is called", "another name"),
    bad(f"{ONE}[webhooks.console]\n", "webhooks.console", "is what standard output is called", "another name"),
    bad(f"console = true\n{ONE}", "console", "true is not a table of keys"),
    bad(f'{ONE}[console]\ncolour = "red"', "console.colour", '"colour" is not a known key; known: none'),
    bad(BOT + ME + wallet('chats = ["console"]'), "wallets[1].chats", "console is standard output", "write [console]"),
    bad(f'{ONE}{BOT}[chats."My chat"]\nid = 5', 'chats."My chat"', "cannot name a chat", "small letters"),
]  # fmt: skip


NOT_SHOWN = "accepts none"
SECRETS_IN_FILE = [
    bad(wallet(f'private_key = "0x{PRIVATE_KEY}"'), "line 3 (private_key)", "64 hex digits", NOT_SHOWN),
    bad(wallet(f'label = "{PRIVATE_KEY.upper()}"'), "line 3 (label)", "64 hex digits", "remove it"),
    bad(f"{ONE}# 0x{PRIVATE_KEY}", "line 4", "64 hex digits", NOT_SHOWN),
    bad(wallet(f"{PRIVATE_KEY} = 1"), "line 3", "64 hex digits", NOT_SHOWN),
    bad(f"x = 0x{PRIVATE_KEY} this is not TOML", "line 1 (x)", "64 hex digits"),
    bad(f'[telegram]\ntoken = "123456789:{"canary" * 6}"\n', "line 2 (token)", "only by reference", "${credential:"),
]

TOML = [
    bad("wallets = [", "not valid TOML", "Invalid value (at end of document)"),
    bad("a = 1\nb = = 2\n", "not valid TOML", "line 2, column 5"),
    bad("a = 1\na = 2\n", "not valid TOML", "line 2"),
    bad("x = " + "[" * 100_000, "not valid TOML", "nested too deeply"),
    bad("x = " + "9" * 5000, "not valid TOML", "too large", "16 digits"),
    bad("x = 1e99999999999999999999", "not valid TOML", "too large"),
    bad("address: 0x", "not valid TOML", "line 1"),
    bad(f"\0{ONE}", "not valid TOML", "line 1"),
]

EVERYTHING = KEYS + HEADS + ADDRESSES + WALLETS + LIMITS + PLAIN + TELEGRAM + SECRETS_IN_FILE + TOML


@pytest.mark.parametrize("case", EVERYTHING, ids=lambda case: f"{case.key}-{case.fragments[0][:30]}")
def test_it_refuses_with_file_key_value_and_the_right_form(case: Bad, refusal: Refuse) -> None:
    assert_told(case, refusal(case.text))


def assert_told(case: Bad, told: str) -> None:
    line = next((line for line in told.splitlines() if f"watcher.toml: {case.key}: " in line), told)
    assert f"watcher.toml: {case.key}: " in line
    assert [fragment for fragment in case.fragments if fragment not in line] == []


def test_it_has_more_than_sixty_ways_to_be_wrong() -> None:
    assert len(EVERYTHING) == len(set(EVERYTHING)) > 60


def test_it_tells_all_problems_of_a_file_at_once(refusal: Refuse) -> None:
    told = refusal(
        f'interval = "1y"\nspeed = 9\n[rules]\nwarn = 1.05\n{BOT}[chats.me]\nid = 0\n[endpoints]\nbase = ["ftp://a.b"]\n'
        + wallet("warn = 9\nstale = 1", WALLET.lower())
        + wallet('chains = ["bse"]', OTHER_WALLET)
    )

    keys = [line.split("watcher.toml: ")[1].split(":")[0] for line in told.splitlines()]
    assert keys == [
        *("interval", "speed", "chats.me.id", "rules.warn", "endpoints.base[1]"),
        *("wallets[1].stale", "wallets[1].address", "wallets[1].warn", "wallets[2].chains"),
    ]


def test_it_does_not_blame_a_wallet_for_a_chat_that_is_wrong_itself(refusal: Refuse) -> None:
    told = refusal(f"{BOT}[chats.me]\nid = 0\n" + wallet('chats = ["me"]'))

    assert [line.split("watcher.toml: ")[1].split(":")[0] for line in told.splitlines()] == ["chats.me.id"]


def test_it_tells_no_more_than_fits_a_screen(refusal: Refuse) -> None:
    told = refusal("".join(wallet(address=f"0x{index}") for index in range(500)))

    assert len(told.splitlines()) == 51
    assert told.endswith("and 450 more")


@pytest.mark.parametrize(
    ("raw", "fragment"),
    [
        (b"\xef\xbb\xbfinterval = '12s'", "starts with a byte order mark; save it as UTF-8 without one"),
        ("interval = '12s'".encode("utf-16"), "line 1 is not UTF-8; save the file as UTF-8"),
        (b"a = 1\n# caf\xe9\n", "line 2 is not UTF-8; save the file as UTF-8"),
        (b"#" * (4 * 1024**2 + 1), "larger than the 4 MiB we read"),
    ],
)
def test_it_refuses_a_file_that_is_no_text(raw: bytes, fragment: str, tmp_path: Path) -> None:
    path = tmp_path / "watcher.toml"
    path.write_bytes(raw)

    assert told_of(path) == f"{path}: {fragment}"


def told_of(path: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        load(path)
    return str(refused.value)


def test_it_refuses_what_is_not_a_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.symlink_to(tmp_path / "gone.toml")

    assert told_of(tmp_path) == f"{tmp_path}: is a directory; name the file in it"
    assert told_of(tmp_path / "gone.toml") == f"{tmp_path}/gone.toml: no such file"
    assert told_of(broken) == f"{broken}: no such file (a broken link)"
    assert told_of(Path("/dev/null")) == "/dev/null: is not a regular file"
