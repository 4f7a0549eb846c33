"""Write docs/reference/json.md: the fields of what ``--json`` prints, from their schemas."""

from __future__ import annotations

from pathlib import Path

from asyncmig.cli.json_schemas.tables import tables

if __name__ == "__main__":
    page = Path(__file__).resolve().parent.parent / "docs" / "reference" / "json.md"
    page.write_text(tables(), encoding="utf-8")
