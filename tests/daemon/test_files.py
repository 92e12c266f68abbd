"""A configuration that is edited while the daemon runs."""

from pathlib import Path

from tests.daemon.dark import OTHER_WALLET, WALLET, configure, dark, wallet
from tests.daemon.inside import Inbox
from tests.daemon.waiting import eventually
from watcher.config.changes import FileChanges
from watcher.daemon import Daemon
from watcher.wallets import Add, edit_wallets


def watched(daemon: Daemon) -> list[str]:
    return [each.address for watch in daemon.watches.values() for each in watch.settings.wallets]


async def look(daemon: Daemon, times: int) -> None:
    """What the scheduler does every other second."""
    assert isinstance(daemon._files, FileChanges)
    for _ in range(times):
        await daemon._chores.look_at_files()
        await daemon.settled()


async def test_it_takes_an_edit_of_the_wallets_over_without_being_asked(tmp_path: Path) -> None:
    config = configure(tmp_path)
    async with dark(config, Inbox()) as daemon:
        edit_wallets(config, Add(address=OTHER_WALLET, chains=["local"])).save()
        await look(daemon, 2)

        assert watched(daemon) == [WALLET, OTHER_WALLET]


async def test_it_keeps_the_old_configuration_when_a_file_is_half_saved_and_says_so_once(tmp_path: Path) -> None:
    config, inbox = configure(tmp_path), Inbox()
    async with dark(config, inbox) as daemon:
        config.with_name("wallets.toml").write_text(wallet(WALLET) + '[[wallets]]\naddress = "0x5a')
        await look(daemon, 6)
        await eventually(lambda: bool(inbox.texts))
        assert watched(daemon) == [WALLET]

        config.with_name("wallets.toml").write_text(wallet(WALLET) + wallet(OTHER_WALLET))
        await look(daemon, 3)
        assert watched(daemon) == [WALLET, OTHER_WALLET]

    [told] = inbox.texts
    assert told.startswith("CONFIGURATION NOT CHANGED\nThe old one stays in force.")
    assert f"{config.with_name('wallets.toml')}: not valid TOML" in told


async def test_it_does_not_read_again_what_a_reload_has_just_read(tmp_path: Path) -> None:
    config, inbox = configure(tmp_path), Inbox()
    async with dark(config, inbox) as daemon:
        config.write_text("nonsense")
        await daemon.reload()
        await look(daemon, 4)
        await eventually(lambda: bool(inbox.texts))

    assert len(inbox.texts) == 1


async def test_it_takes_a_secret_that_was_replaced_over_and_keeps_the_old_one_where_it_cannot(tmp_path: Path) -> None:
    key, inbox = tmp_path / "rpc.key", Inbox()
    key.touch(mode=0o600)
    key.write_text("first")
    config = configure(tmp_path, '[endpoints]\nlocal = ["http://127.0.0.1:1/${file:rpc.key}"]\n')
    urls = []
    async with dark(config, inbox) as daemon:
        for text in ("second", ""):
            key.write_text(text)
            await look(daemon, 3)
            urls += [watch.spec.endpoints[0].url for watch in daemon.watches.values()]
        await eventually(lambda: bool(inbox.texts))

    assert urls == ["http://127.0.0.1:1/second"] * 2
    [told] = inbox.texts
    assert told.startswith("CONFIGURATION NOT CHANGED")
    assert "${file:rpc.key} is empty; put the secret in it" in told
