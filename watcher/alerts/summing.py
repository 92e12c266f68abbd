"""A living message in sum: how many alerts stand how by now, and the worst of them. For more of them than one message
holds even in a line each."""

from __future__ import annotations

from collections import Counter

from watcher.alerts import figures
from watcher.alerts.incident import Incident, Member
from watcher.alerts.living import Now, cared_for, over, section_now
from watcher.alerts.message import Level, Text, bold, italic, joined
from watcher.alerts.words import urgency

NAMED = 15
"""Alerts that are named; nobody reads on."""


def summed(incident: Incident, now: Now, *, in_full: int) -> Text:
    """How all of its alerts stand, then the worst by now: so many `in_full`, the next in a line each."""
    seen = [member for member in incident.members if now.stands(member) and member.key in now.notices]
    seen.sort(key=lambda member: urgency(now.notices[member.key]))
    sections = {(section.rule, section.subject): section for section in incident.sections}

    def told(member: Member, *, brief: bool) -> Text:
        return section_now(sections[member.key.rule, member.key.subject], member, now, brief=brief).body

    parts = [over(incident, now)] if now.is_over(incident) else []
    parts.append(_count(incident, now))
    parts += [told(member, brief=False) for member in seen[:in_full]]
    brief = [told(member, brief=True) for member in seen[in_full:NAMED]]
    more = [Text(f"and {len(seen) - NAMED} more")] if len(seen) > NAMED else []
    if brief or more:
        parts.append(joined([*brief, *more]))
    if cared := len(cared_for(incident, now)):
        parts.append(italic(f"Acknowledged or snoozed: {cared} of {len(seen)}."))
    return joined(parts, "\n\n")


def _count(incident: Incident, now: Now) -> Text:
    """How many stand how, the worst first."""
    counts = Counter(_standing(member, now) for member in incident.members)
    stands = ", ".join(f"{many} {how}" for (_, how), many in sorted(counts.items(), reverse=True))
    age, count = figures.duration(max(now.now - incident.opened_at, 0)), len(incident.members)
    text = bold(f"{count} ALERT{'S' * (count > 1)}") + f", raised {age} ago\nnow: {stands}"
    return text + "\n" + italic("In sum, for want of room; any further part is as it was sent.")


def _standing(member: Member, now: Now) -> tuple[int, str]:
    """How it stands in a word, and how grave that is."""
    if now.stands(member):
        if member.key not in now.notices:
            return Level.OK, "not seen"
        level = now.records[member.key].level
        return level, level.word.lower()
    if member.left:
        return -1, "told again below"
    return (-3, "over") if now.told(member.key) else (-2, "no longer watched")
