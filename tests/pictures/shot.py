"""A message as its chat shows it, and how it is kept beside its picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
MESSAGES: Final = FOLDER / "messages.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One message, for the picture of that name.

    `time` is what the chat shows as its time of day, `answers` the first line of the message that it replies to, if it
    does; `entities` are as the Bot API has them, `buttons` rows of labels, `photo` a PNG.
    """

    name: str
    time: str
    text: str
    entities: tuple[Mapping[str, Any], ...] = ()
    edited: bool = False
    answers: str = ""
    buttons: tuple[tuple[str, ...], ...] = ()
    photo: bytes = b""

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.png"

    @property
    def document(self) -> dict[str, Any]:
        """Everything but the photo, as JSON has it: what is styled is written out, so that people can compare it."""
        encoded = self.text.encode("utf-16-le")
        styled = [
            f"{one['type']}: {encoded[2 * one['offset'] : 2 * (one['offset'] + one['length'])].decode('utf-16-le')}"
            for one in self.entities
        ]
        return {
            "name": self.name,
            "time": f"edited {self.time}" if self.edited else self.time,
            "answers": self.answers,
            "text": self.text.split("\n"),
            "styled": styled,
            "buttons": [list(row) for row in self.buttons],
            "photo": bool(self.photo),
        }


def keep(shots: Iterable[Shot]) -> None:
    """Write down what the pictures show."""
    text = json.dumps([shot.document for shot in shots], ensure_ascii=False, indent=1)
    MESSAGES.write_text(text + "\n", encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """What the pictures show, as it was written down."""
    documents: list[dict[str, Any]] = json.loads(MESSAGES.read_text(encoding="utf-8"))
    return documents
