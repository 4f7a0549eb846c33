"""Models made on the spot, documents that fit all of them, and ways through a list of variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from asyncmig.schema.declaration import Collection, View
from asyncmig.schema.state import DatabaseState

T = TypeVar("T")

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def documents(count: int = 20) -> list[dict[str, Any]]:
    """Documents that every index and every validator of these tests takes, each value different."""
    return [
        {
            "_id": number + 1_000_000,
            "a": number,
            "b": number + 100,
            "c": {"d": number},
            "ü": f"ü{number}",
            "h": f"h{number}",
            "s": f"word{number}",
            "t": NOW + timedelta(days=4000, minutes=number),
            "g": {"x": number, "y": number},
            "p": [number, -number],
            "m": {"k": number},
        }
        for number in range(count)
    ]


def collection(
    indexes: Sequence[Any] = (),
    /,
    name: str = "c",
    data: Sequence[Mapping[str, Any]] = (),
    old: str | None = None,
    **options: Any,
) -> type[Collection]:
    attributes = {
        "__collection_name__": name,
        "__indexes__": list(indexes),
        "__options__": options,
        "__initial_data__": list(data),
        "__renamed_from__": old,
    }
    return type("Model", (Collection,), attributes)


def view(name: str, on: str, *pipeline: Mapping[str, Any], **options: Any) -> type[View]:
    attributes = {
        "__collection_name__": name,
        "__view_on__": on,
        "__pipeline__": list(pipeline),
        "__options__": options,
    }
    return type("Model", (View,), attributes)


async def fill(database: Any, state: DatabaseState) -> None:
    for one in state:
        if one.kind != "view":
            await database.get_collection(one.name).insert_many(documents())


def routes(variants: Sequence[T], driver: str, reach: int | None = None) -> Iterator[tuple[T, Sequence[T]]]:
    """From each variant to each other, or to the next few (``reach``) alone.

    Motor goes forward through the list, PyMongo backward; both come back again.
    """
    road = variants if driver == "motor" else variants[::-1]
    for place, old in enumerate(road[:-1]):
        others = road[place + 1 :]
        yield old, others[:reach]
