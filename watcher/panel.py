"""Which buttons an alert has: by what it tells of, who may press there, and whether somebody has taken care of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.alerts.record import OF_POSITIONS, Key
from watcher.buttons import Action, Button, Keyboard, Seal
from watcher.config import Chat, Role, Settings

HOUR: Final = 3600
DAY: Final = 24 * HOUR

_MOST_CHOICES: Final = 20  # people do not read longer lists; "All" is always there


@dataclass(frozen=True, slots=True)
class Panel:
    """Makes keyboards. `chats` are the configured ones by name; with `charts` there is a library that draws them."""

    seal: Seal
    chats: Callable[[str], Chat | None]
    charts: bool = False

    def alert(self, chat: str, ref: int, keys: Collection[Key], *, handled: bool = False) -> Keyboard:
        """Under an alert about these conditions, by its number in the outbox. `handled`: all of it was acknowledged.

        Nobody may press in a chat without speakers: it gets none. Who may only read gets those that change nothing.
        """
        where = self.chats(chat)
        if where is None or not where.speakers:
            return ()

        def button(label: str, action: Action, arg: int | str = "") -> Button:
            return Button(label, self.seal.sealed(action, chat, ref, str(arg)))

        rows: list[tuple[Button, ...]] = []
        if where.role is Role.ACT and handled:
            rows.append((button("Tell me again in 1 h", Action.SNOOZE, HOUR),))
        elif where.role is Role.ACT:
            several = len(keys) > 1
            seen = button("Acknowledge…", Action.CHOOSE) if several else button("Acknowledge", Action.ACK)
            rows.append((seen, button("Until worse", Action.UNTIL_WORSE)))
            rows.append((button("Snooze 1 h", Action.SNOOZE, HOUR), button("Snooze 8 h", Action.SNOOZE, 8 * HOUR)))
        if any(key.rule in OF_POSITIONS for key in keys):
            details = button("Details", Action.DETAILS)
            rows.append((details, button("Chart", Action.CHART, DAY)) if self.charts else (details,))
        return tuple(rows)

    def choosing(self, chat: str, ref: int, names: Sequence[str]) -> Keyboard:
        """Whom to acknowledge: all of a message's members, or one of them, by their names in the members' order."""

        def button(label: str, action: Action, arg: int | str = "") -> Button:
            return Button(label, self.seal.sealed(action, chat, ref, str(arg)))

        one = [(button(name, Action.ACK_ONE, place),) for place, name in enumerate(names[:_MOST_CHOICES])]
        return ((button(f"All {len(names)}", Action.ACK),), *one, (button("Back", Action.BACK),))


def panel_of(settings: Settings, *, charts: bool) -> Panel | None:
    """The panel whose buttons the bot of these settings hears of; None where there is no bot."""
    bot = settings.telegram
    return None if bot is None else Panel(Seal.of_bot(bot.token.reveal()), settings.chats.get, charts)
