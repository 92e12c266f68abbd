"""What parts of a long proof have been done on the code as it is, so that a run that was cut short goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / ".progress"


class Progress:
    """The results of the parts of one proof, by part. Those of other code than the present count for nothing."""

    def __init__(self, proof: str, *sources: Path, folder: Path = FOLDER) -> None:
        """`sources` are what the proof is about, besides the program itself."""
        self._path = folder / f"{proof}.json"
        self._code = _digest(*(ROOT / "watcher").rglob("*.py"), *sources)

    @property
    def parts(self) -> dict[str, Any]:
        """What is there, by the name of its part."""
        if not self._path.exists():
            return {}
        saved = json.loads(self._path.read_text(encoding="utf-8"))
        return dict(saved["parts"]) if saved["code"] == self._code else {}

    def add(self, part: str, result: Any) -> None:
        self._path.parent.mkdir(exist_ok=True)
        text = json.dumps({"code": self._code, "parts": {**self.parts, part: result}})
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._path)

    def forget(self) -> None:
        """Starts over."""
        self._path.unlink(missing_ok=True)


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
