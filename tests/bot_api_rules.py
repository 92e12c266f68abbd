"""What the Bot API accepts, and how it refuses: the rules of the stand-in, without its server.

Wording and codes are the real server's, because python-telegram-bot and our channel read them.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import Any, Final

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
_CALLBACK_LIMIT: Final = 64
_PHOTO_LIMIT: Final = 10 * 1024**2
_PICTURES: Final = ("\x89PNG\r\n\x1a\n", "\xff\xd8\xff")  # how PNG and JPEG files begin
_LINKS: Final = ("http://", "https://", "tg://")
_NOTHING_TO_SEE: Final = re.compile(
    r"[\s\u00ad\u115f\u1160\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0]*"
)
_STYLES: Final = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "text_link", "blockquote"}
)


class Fault(StrEnum):
    """What can be made to go wrong with a request."""

    FLOOD = "429"
    BLOCKED = "403"
    NO_CHAT = "chat not found"
    MIGRATED = "migrated"
    PARSE = "parse"
    TOO_LONG = "too long"
    UNAUTHORIZED = "401"
    CONFLICT = "409"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    PORTAL = "portal"  # a 403 page of something between us and Telegram
    DROPPED = "dropped"  # the connection ends before the request is processed
    LOST = "lost"  # it is processed, and the connection ends before the answer
    SLOW = "slow"  # it is processed, and the answer never comes
    HUNG = "hung"  # it is not processed, and the answer never comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that was taken. `time` is the server's clock, entities are as the chat would keep them.

    `photo` is the size of its picture in bytes; `text` is the caption then.
    """

    chat: int
    message_id: int
    text: str
    entities: tuple[dict[str, Any], ...]
    thread: int | None
    silent: bool
    reply_to: int | None
    markup: Any
    time: float
    photo: int = 0


class Refusal(Exception):  # noqa: N818 - an answer of the server, not an error of ours
    """An answer other than `ok`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


SCRIPTED: Final = {
    Fault.BLOCKED: (403, "Forbidden: bot was blocked by the user"),
    Fault.NO_CHAT: (400, "Bad Request: chat not found"),
    Fault.PARSE: (400, "Bad Request: can't parse entities: unsupported start tag"),
    Fault.TOO_LONG: (400, "Bad Request: message is too long"),
    Fault.UNAUTHORIZED: (401, "Unauthorized"),
    Fault.CONFLICT: (409, "Conflict: terminated by other getUpdates request"),
    Fault.SERVER_ERROR: (500, "Internal Server Error"),
}


def bad_request(what: str) -> Refusal:
    return Refusal(400, f"Bad Request: {what}")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def checked_text(params: Mapping[str, str]) -> tuple[str, tuple[dict[str, Any], ...]]:
    """The text and entities as they will be kept: white space round the text is cut off. Raises `Refusal`."""
    text = params.get("text", "")
    if params.get("parse_mode"):
        raise bad_request("can't parse entities: this stand-in speaks no markup")
    if _NOTHING_TO_SEE.fullmatch(text):
        raise bad_request("message text is empty")
    if units(text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    entities = [_checked_entity(entity, text) for entity in json.loads(params.get("entities") or "[]")]
    lead = units(text) - units(text.lstrip())
    kept = text.strip()
    return kept, tuple(moved for entity in entities[:100] if (moved := _moved(entity, lead, units(kept))))


def checked_caption(params: Mapping[str, str]) -> tuple[str, tuple[dict[str, Any], ...]]:
    """The caption of a picture and its entities, kept as a text's are; there may be none. Raises `Refusal`."""
    caption = params.get("caption", "")
    if units(caption) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    if not caption:
        return "", ()
    return checked_text({**params, "text": caption, "entities": params.get("caption_entities", "")})


def checked_photo(params: Mapping[str, str]) -> int:
    """The size of the picture. Raises `Refusal`."""
    photo = params.get("photo", "")
    if not photo:
        raise bad_request("there is no photo in the request")
    if not photo.startswith(_PICTURES):
        raise bad_request("IMAGE_PROCESS_FAILED")
    if len(photo) > _PHOTO_LIMIT:
        raise bad_request("PHOTO_SAVE_FILE_INVALID")
    return len(photo)


def _checked_entity(entity: dict[str, Any], text: str) -> dict[str, Any]:
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if kind not in _STYLES:
        raise bad_request(f"can't parse MessageEntity: unknown type {kind}")
    if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length <= 0:
        raise bad_request("can't parse MessageEntity: wrong offset or length")
    if offset + length > units(text):
        raise bad_request("ENTITY_BOUNDS_INVALID")
    encoded = text.encode("utf-16-le")
    if any(_inside_pair(encoded, place) for place in (offset, offset + length)):
        raise bad_request("entity begins or ends in the middle of a UTF-16 symbol")
    if kind == "text_link" and not str(entity.get("url", "")).startswith(_LINKS):
        raise bad_request("wrong URL in text_link")
    return entity


def _inside_pair(encoded: bytes, place: int) -> bool:
    unit = encoded[2 * place : 2 * place + 2]
    return len(unit) == 2 and 0xDC00 <= int.from_bytes(unit, "little") <= 0xDFFF


def _moved(entity: dict[str, Any], lead: int, length: int) -> dict[str, Any] | None:
    first = max(0, entity["offset"] - lead)
    last = min(length, entity["offset"] + entity["length"] - lead)
    return {**entity, "offset": first, "length": last - first} if first < last else None


def checked_markup(params: Mapping[str, str]) -> Any:
    """The keyboard, if any. Raises `Refusal`."""
    markup = json.loads(params.get("reply_markup") or "null")
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            _check_button(button)
    return markup


def _check_button(button: Mapping[str, Any]) -> None:
    data = button.get("callback_data", "").encode()
    if not button.get("text"):
        raise bad_request('can\'t parse inline keyboard button: field "text" must be non-empty')
    if not data and not button.get("url"):
        raise bad_request("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
    if len(data) > _CALLBACK_LIMIT:
        raise bad_request("BUTTON_DATA_INVALID")


@dataclass(frozen=True, slots=True)
class _Rate:
    limit: int
    period: float


class Flood:
    """One message a second to a chat, 20 a minute to a group, 30 a second in all: refused without mercy beyond."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, _Rate], deque[float]] = {}

    def check(self, chat: int, now: float) -> None:
        """Counts a message. Raises `Refusal` with the seconds to wait."""
        rates = [("all", _Rate(30, 1.0)), (str(chat), _Rate(1, 1.0))]
        if chat < 0:
            rates.append((str(chat), _Rate(20, 60.0)))
        windows = [(self._seen.setdefault(key, deque(maxlen=key[1].limit)), key[1]) for key in rates]
        waits = [seen[0] + rate.period - now for seen, rate in windows if len(seen) == rate.limit]
        if waits and max(waits) > 0:
            seconds = max(1, ceil(max(waits)))
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        for seen, _ in windows:
            seen.append(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A fault that is to come, `times` times, for requests of `method` to `chat` (any if none)."""

    fault: Fault
    method: str
    chat: int | None
    times: int
    retry_after: int
    new_id: int

    def fits(self, method: str, chat: int | None) -> bool:
        return self.method == method and self.chat in (None, chat)

    def once_less(self) -> Script | None:
        return replace(self, times=self.times - 1) if self.times > 1 else None
