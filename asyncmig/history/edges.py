"""``Edges``: which revision needs which, by id alone, with the walks over them. Linear, and never recursive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

__all__ = ["Edges", "Links", "hull", "latest_common", "loop", "ordered", "reach"]

Links = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Edges:
    """A graph of ids in both directions.

    ``parents`` and ``children`` follow ``down_revision`` alone, as a branch does; ``needs`` and
    ``dependents`` follow ``depends_on`` too. Each id is a key of all four. Where nothing depends on
    anything the two pairs are the same objects.
    """

    parents: Links
    needs: Links
    children: Links
    dependents: Links

    @classmethod
    def of(cls, parents: Links, dependencies: Links) -> Edges:
        """The graph of the given parents and, for the few ids that have any, dependencies."""
        children = _turned(parents, parents)
        if not dependencies:
            return cls(parents, parents, children, children)
        extra = {i: tuple(dict.fromkeys((*parents[i], *more))) for i, more in dependencies.items()}
        needs = {**parents, **extra}
        return cls(parents, needs, children, _turned(parents, needs))


def _turned(ids: Iterable[str], links: Links) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {i: [] for i in ids}
    for start, ends in links.items():
        for end in ends:
            turned[end].append(start)
    return turned


def reach(starts: Iterable[str], links: Links) -> set[str]:
    """Everything that can be reached, the starts included."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for end in links[waiting.pop()]:
            if end not in seen:
                seen.add(end)
                waiting.append(end)
    return seen


def ordered(ids: Collection[str], edges: Edges, through: Collection[str] = ()) -> list[str]:
    """The ids, each after what it needs among them; of those that could come next, the smallest id does.

    ``through`` are further ids that are not in the result, but by way of which one of the ids may
    need another. Ids on a cycle, and whatever needs them, are left out.
    """
    needs, dependents = edges.needs, edges.dependents
    all_ids = {*ids, *through} if through else ids
    waiting = {i: sum([need in all_ids for need in needs[i]]) for i in all_ids}
    free = [i for i in through if not waiting[i]]
    ready = [i for i in ids if not waiting[i]]
    heapify(ready)
    result: list[str] = []
    while free or ready:
        if free:
            current = free.pop()
        else:
            current = heappop(ready)
            result.append(current)
        for dependent in dependents[current]:
            if dependent in waiting:
                waiting[dependent] -= 1
                if not waiting[dependent]:
                    if dependent in through:
                        free.append(dependent)
                    else:
                        heappush(ready, dependent)
    return result


def hull(ids: Collection[str], edges: Edges) -> set[str]:
    """What lies between any two of the ids, themselves included."""
    return reach(ids, edges.needs) & reach(ids, edges.dependents)


def loop(ids: Collection[str], links: Links) -> list[str]:
    """One way round a cycle among ids that each need another of them; the first id again at the end."""
    current = min(ids)
    at: dict[str, int] = {}
    path: list[str] = []
    while current not in at:
        at[current] = len(path)
        path.append(current)
        current = min(end for end in links[current] if end in ids)
    ring = path[at[current] :]
    first = ring.index(min(ring))
    return [*ring[first:], *ring[:first], ring[first]]


def latest_common(ids: Sequence[str], order: Sequence[str], parents: Links) -> str | None:
    """The last id of the order that is above or at none, and below or at each, of the given ones."""
    everybody = (1 << len(ids)) - 1
    below = {i: 1 << number for number, i in enumerate(ids)}
    for current in reversed(order):
        mask = below.pop(current, 0)
        if mask == everybody:
            return current
        if mask:
            for parent in parents[current]:
                below[parent] = below.get(parent, 0) | mask
    return None
