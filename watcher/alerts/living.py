"""What the message of an incident says by now. Pure words, from what the newest look saw.

Each alert that the message began keeps the headline under which it was told. Below it stands how it is now:

  it stands               the newest figures, with an arrow against the health that it was raised at, and since when
  it stands, not seen     that this is not known
  it got worse            that it is told again below: the newer message has it
  it is over              that it is over
  nobody asks any more    that it is not watched for this chat any more: an edit of the configuration is no all-clear

Whatever else the message said (an all-clear, a reminder) stays, with its age. Once nothing stands, the first line says
so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from watcher.alerts import figures
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.incident import Incident, Member
from watcher.alerts.message import Level, Message, Section, Text, bold, first_line, italic, joined
from watcher.alerts.policy import Kind, Notice
from watcher.alerts.record import Key, Record
from watcher.alerts.sighting import Fell, Near, Seen, Sighting, Unsure
from watcher.alerts.words import Telling, below_headline, in_brief

_AGAIN = "It got worse, and is told again below."
_OVER = "It is over."
_UNSEEN = "Not seen now: how it stands is not known."
_UNWATCHED = "No longer watched here: how it stands is not known."


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How things stand for one chat, `now` in Unix seconds, and who takes care of them.

    `acks`: the acknowledgements that count now. `clock` gives a moment as people of that chat read it, `person` the
    name of a user, or nothing where there is only one. `told`: whether the chat is to hear of a condition at all.
    """

    now: int
    records: Mapping[Key, Record]
    acks: Mapping[Key, Acknowledgement]
    clock: Callable[[int], str]
    person: Callable[[int], str]
    told: Callable[[Key], bool] = lambda _: True

    def stands(self, member: Member) -> bool:
        """Whether it goes on, and this is where this chat is told of it."""
        return member.stands(self.records.get(member.key)) and self.told(member.key)

    def handled(self, members: tuple[Member, ...]) -> bool:
        """Whether somebody takes care of all that still stands."""
        standing = [member.key for member in members if self.stands(member)]
        return bool(standing) and all(key in self.acks for key in standing)

    def is_over(self, incident: Incident) -> bool:
        """Whether nothing stands any more that is told here."""
        return not any(self.stands(member) for member in incident.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now(Care):
    """The same, with `notices` of the members that are seen, as `noticed` makes them."""

    notices: Mapping[Key, Notice]
    telling: Telling


def noticed(record: Record, sighting: Sighting) -> Notice:
    """What there is to say of something that stands, as if it were raised now."""
    return Notice(kind=Kind.RAISED, sighting=sighting, record=record, before=Record(key=record.key))


def recomposed(incident: Incident, now: Now, *, brief: bool = False) -> Text:
    """The whole text. `brief`: each member in a line, for when there are too many to tell in full."""
    members = {(str(member.key.rule), member.key.subject): member for member in incident.members}
    words = {member.key: _seen_by(now.acks[member.key], now) for member in cared_for(incident, now)}
    shared = next(iter(words.values())) if now.handled(incident.members) else ""
    shared = shared if len(set(words.values())) == 1 else ""
    sections = []
    for section in incident.sections:
        member = members.get((section.rule, section.subject))
        if member is None:
            sections.append(section)
            continue
        written = section_now(section, member, now, brief=brief or section.brief)
        word = "" if shared else words.get(member.key, "")
        sections.append(replace(written, body=written.body + (_mark(written) + italic(word) if word else "")))
    parts = [over(incident, now)] if now.is_over(incident) else []
    parts.append(Message.of(incident.chat, sections, now.now).body)
    return joined([*parts, *([italic(shared)] if shared else [])], "\n\n")


def seen_by(members: tuple[Member, ...], now: Care) -> list[Text]:
    """Who takes care of what, in a line for each word that was given; for messages that are not written anew."""
    words = (_seen_by(now.acks[one.key], now) for one in members if now.stands(one) and one.key in now.acks)
    return [italic(word) for word in dict.fromkeys(words)]


def trend(was: Decimal | None, now: Decimal | None) -> str:
    """The way health went since, as an arrow; nothing where it is not known. What people cannot see is no way."""
    if was is None or now is None:
        return ""
    if figures.health(was) == figures.health(now):
        return " →"
    return " ↗" if now > was else " ↘"


def health_of(notice: Notice) -> Decimal | None:
    """The health of the position that a notice is about, if it is about one that was read."""
    facts = notice.sighting.facts
    return facts.position.health.factor if isinstance(facts, Seen | Near | Fell | Unsure) else None


def section_now(section: Section, member: Member, now: Now, *, brief: bool) -> Section:
    """What was told of one alert, as it is to be told by now."""
    notice = now.notices.get(member.key)
    if not now.stands(member):
        said = _AGAIN if member.left else _OVER if now.told(member.key) else _UNWATCHED
        return _written(section, _headed(section, italic(said), brief=brief), now, brief=brief, worst=Level.OK)
    if notice is None:
        return _written(section, _headed(section, italic(_UNSEEN), brief=brief), now, brief=brief)
    telling = replace(now.telling, trends={member.key.subject: trend(section.health, health_of(notice))})
    if brief:
        as_told = replace(notice, record=replace(notice.record, level=member.level))
        return _written(section, in_brief(as_told, telling) + _changed(notice, member, ", "), now, brief=True)
    lines = [first_line(section.body) + _changed(notice, member, " · "), *below_headline(notice, telling)]
    if not section.worst:  # else it says so itself
        lines.append(italic(_raised(section, now.now)))
    return _written(section, joined(lines), now, brief=False)


def _written(section: Section, body: Text, now: Now, *, brief: bool, worst: Level | None = None) -> Section:
    """The section as it says this now."""
    past = section.worst if worst is None else worst
    return replace(section, body=body, at=now.now, since=min(section.since, now.now), worst=past, brief=brief)


def _headed(section: Section, said: Text, *, brief: bool) -> Text:
    return first_line(section.body) + (" · " if brief else "\n") + said


def _mark(section: Section) -> str:
    return " · " if section.brief else "\n"


def _changed(notice: Notice, member: Member, mark: str) -> Text:
    """Where it stands by now, if that is not where it was told to."""
    if notice.record.level is member.level:
        return Text()
    return Text(f"{mark}now {notice.record.level.word}")


def _raised(section: Section, now: int) -> str:
    at = f" at health {figures.health(section.health)}" if section.health is not None else ""
    return f"Raised {figures.duration(max(now - section.since, 0))} ago{at}."


def cared_for(incident: Incident, now: Now) -> list[Member]:
    """What stands, and somebody takes care of."""
    return [member for member in incident.members if now.stands(member) and member.key in now.acks]


def _seen_by(ack: Acknowledgement, now: Care) -> str:
    person = now.person(ack.by)
    by = f" by {person}" if person else ""
    if ack.snooze:
        return f"Snoozed{by} until {now.clock(ack.until)}."
    return f"Acknowledged{by} at {now.clock(ack.at)}."


def over(incident: Incident, now: Care) -> Text:
    """What is said where nothing stands any more."""
    here = [member for member in incident.members if not member.left]
    if not here:
        return bold("TOLD AGAIN BELOW")
    name = "OVER" if all(now.told(member.key) for member in here) else "NO LONGER WATCHED"
    return bold(name) + (": the rest is told again below" if len(here) < len(incident.members) else "")
