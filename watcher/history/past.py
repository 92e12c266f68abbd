"""Which positions are asked for, and what was kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watcher.alerts.clean import clean
from watcher.config import Settings
from watcher.config.forms import duration
from watcher.config.refusal import shown
from watcher.domain.errors import ConfigError
from watcher.domain.source import Address
from watcher.store import Store
from watcher.store.history import DAY, MINUTE, Point, Span, points_of, spans

_MOST_NAMED = 20
_duration = duration(MINUTE, 3650 * DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One position: whose it is, how much is kept of it, and of that the points that were asked for.

    `label` is empty for a wallet that is watched no longer. `market` is the deployment's id, with whatever else tells
    the wallet's positions there apart.
    """

    label: str
    wallet: Address
    market: str
    span: Span
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was asked for: everything that is kept, in short, or some positions since a time (Unix seconds)."""

    tracks: tuple[Track, ...]
    until: int
    since: int | None = None


def look_back(settings: Settings, name: str | None, since: str, now: int) -> Past:
    """The tracks of a wallet, or of the position, that is called `name`; without it, of which there are some.

    `since` is a duration, as it would be written in the configuration, before `now`. Raises `ConfigError` where there
    is no database, nothing of that name, or no such duration.
    """
    try:
        seconds = _duration(since)
    except ValueError:
        seconds = None
    if seconds is None:
        raise ConfigError(f'--since: {shown(since)} is not a duration from "1m" to "3650d", such as "24h" or "7d"')
    store = Store.read_only(settings.state)
    try:
        tracks = _tracks(settings, spans(store))
        if name is None:
            return Past(tracks=tracks, until=now)
        chosen = [
            Track(
                label=one.label,
                wallet=one.wallet,
                market=one.market,
                span=one.span,
                points=tuple(points_of(store, one.span.position, now - seconds, 2**62)),
            )
            for one in _chosen(settings, tracks, name)
        ]
        return Past(tracks=tuple(chosen), until=now, since=now - seconds)
    finally:
        store.close()


def _tracks(settings: Settings, known: Sequence[Span]) -> tuple[Track, ...]:
    """Those of watched wallets first, in the order of the configuration."""
    labels = {wallet.address: wallet.label for wallet in settings.wallets}
    order = {address: index for index, address in enumerate(labels)}
    tracks = [_track(span, labels) for span in known]
    return tuple(sorted(tracks, key=lambda one: (order.get(one.wallet, len(order)), one.wallet, one.market)))


def _track(span: Span, labels: dict[Address, str]) -> Track:
    deployment, wallet, *own = span.position.split("/", 2)  # as `PositionId` writes itself
    address = Address(wallet)
    return Track(label=labels.get(address, ""), wallet=address, market="/".join((deployment, *own)), span=span)


def _chosen(settings: Settings, tracks: Sequence[Track], name: str) -> list[Track]:
    """Those that a name means: a label, an address or a position; or the beginning of one, if no other begins so."""
    wanted = name.strip().casefold()
    exact = [one for one in tracks if wanted in _names(one)]
    if exact:
        return exact
    begun = [one for one in tracks if wanted and any(each.startswith(wanted) for each in _names(one))]
    if begun and len({one.wallet for one in begun}) == 1:
        return begun
    if begun:
        raise ConfigError(f"{shown(name)} may be {_listed([_called(one) for one in begun])}: write more of the name")
    watched = next((one for one in settings.wallets if wanted in (one.label.casefold(), one.address.casefold())), None)
    if watched is not None:
        raise ConfigError(
            f"{clean(watched.label, 40)} is watched, but nothing has been kept of it yet: {_why(settings)}"
        )
    if not tracks:
        raise ConfigError(f"{shown(name)} is not known: nothing has been kept yet: {_why(settings)}")
    raise ConfigError(f"nothing is known of {shown(name)}; there are: {_listed([_called(one) for one in tracks])}")


def _why(settings: Settings) -> str:
    if not settings.history:
        return '[history] says keep = "off"'
    return "`watcher run` keeps a point a minute of every position that it sees"


def _names(track: Track) -> tuple[str, ...]:
    names = (track.label, track.wallet, track.span.position)
    return tuple(name.casefold() for name in names if name)


def _called(track: Track) -> str:
    return clean(track.label, 40) if track.label else track.wallet


def _listed(names: Sequence[str]) -> str:
    each = list(dict.fromkeys(names))
    more = f" and {len(each) - _MOST_NAMED} more" if len(each) > _MOST_NAMED else ""
    return ", ".join(each[:_MOST_NAMED]) + more
