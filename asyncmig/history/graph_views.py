"""``GraphViews``: picks the view of the history that a question is answered in, squashed ranges folded or not.

Without squashed revisions there is one view, and nothing to pick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from asyncmig.history.edges import reach
from asyncmig.history.errors import IllegalReplacement, PartlyReplaced, SquashedAway
from asyncmig.history.graph_view import GraphView
from asyncmig.history.revision import Revision
from asyncmig.history.squash import Coverage, Squashes
from asyncmig.history.targets import Target

__all__ = ["GraphState", "GraphViews"]


class GraphState(NamedTuple):
    """A view, the ids in it that count as applied, and the applied ids that have no place in it."""

    view: GraphView
    applied: frozenset[str]
    rest: frozenset[str] = frozenset()


class GraphViews:
    """All views of the same files, each made when first asked for."""

    def __init__(self, files: Mapping[str, Revision]) -> None:
        self._files = files
        self.squashes = Squashes(files)
        self._made: dict[frozenset[str], GraphView] = {}
        self.folded = self._unfolded(frozenset())
        for squash in sorted(self.squashes.members.keys() - self.squashes.owner.keys()):
            self._refuse_interleaved(squash)

    def state_of(self, ids: frozenset[str]) -> GraphState:
        """Where a database stands; never refuses."""
        known = frozenset(i for i in ids if i in self._files or i in self.squashes.owner)
        if not self.squashes:
            return GraphState(self.folded, known, ids - known)
        unfolded = self._with_outer(squash for squash in self._parts(known) if not self._gone(squash))
        view = self._unfolded(unfolded)
        applied = frozenset(i for i in self.squashes.counted(known, unfolded) if i in view)
        lost = {i for i in known if applied.isdisjoint(view.places(i))}
        return GraphState(view, applied, (ids - known) | lost)

    def upgrading(self, ids: frozenset[str], aim: Target) -> GraphState:
        """Where an upgrade to a target starts.

        Raises:
            PartlyReplaced: when files are gone that would be needed.
            SquashedAway: when the target names a revision whose file is gone.
        """
        if not self.squashes:
            return GraphState(self.folded, ids)
        counted_from_here = aim.symbol is None
        return self._unfold(ids, self._inside(aim, ids) + (self._parts(ids) if counted_from_here else []))

    def downgrading(self, ids: frozenset[str], aim: Target) -> GraphState:
        """Where a downgrade to a target starts.

        Raises:
            PartlyReplaced: when files are gone that would be needed.
            SquashedAway: when the target lies within a range that was applied as one.
        """
        if not self.squashes:
            return GraphState(self.folded, ids)
        inside = self._inside(aim, ids)
        for squash in inside:
            if squash in ids:
                raise SquashedAway(aim.text, str(aim.symbol), self._files[squash], "which was applied as a whole")
        return self._unfold(ids, inside + self._parts(ids))

    def refuse_parts(self, ids: frozenset[str], steps: Collection[str], reached: Sequence[str]) -> None:
        """Refuse an upgrade that needs more of a squashed range than its own members.

        Raises:
            PartlyReplaced: when the database has a part of such a range.
        """
        for squash in self._parts(ids):
            members = frozenset(self.squashes.members[squash])
            passes = not members.isdisjoint(steps) and not members.issuperset(reached)
            if squash in steps or passes:
                raise self._partly(squash, ids)

    def _refuse_interleaved(self, squash: str) -> None:
        """Refuse a range with a revision between its members that is not one of them."""
        above = reach([squash], self.folded.edges.dependents) - {squash}
        for member in self.squashes.members[squash]:
            if member in self._files:
                file = self._files[member]
                for need in (*file.down_revision, *file.depends_on):
                    if need in self._files and not above.isdisjoint(self.folded.places(need)):
                        fault = (
                            f"replaces {member}, but not {need}, which {member} needs and which needs another of them"
                        )
                        raise IllegalReplacement(self._files[squash], fault)

    def _unfolded(self, unfolded: frozenset[str]) -> GraphView:
        if unfolded not in self._made:
            self._made[unfolded] = GraphView(self._files, self.squashes, unfolded)
        return self._made[unfolded]

    def _unfold(self, ids: frozenset[str], squashes: Iterable[str]) -> GraphState:
        unfolded = self._with_outer(squashes)
        for squash in sorted(unfolded):
            if self._gone(squash):
                raise self._partly(squash, ids)
        return GraphState(self._unfolded(unfolded), self.squashes.counted(ids, unfolded))

    def _with_outer(self, squashes: Iterable[str]) -> frozenset[str]:
        return frozenset(name for squash in squashes for name in (squash, *self.squashes.around(squash)))

    def _parts(self, ids: frozenset[str]) -> list[str]:
        if not self.squashes:
            return []
        return [squash for squash, share in self.squashes.shares(ids).items() if share is Coverage.PART]

    def _gone(self, squash: str) -> list[str]:
        return [member for member in self.squashes.members[squash] if member not in self._files]

    def _partly(self, squash: str, ids: frozenset[str]) -> PartlyReplaced:
        applied, missing = self.squashes.split(squash, ids)
        last = (*self.squashes.tips(squash, self._files), missing[-1])[0] if missing else ""
        return PartlyReplaced(self._files[squash], applied, missing, self._gone(squash), last)

    def _inside(self, aim: Target, ids: frozenset[str]) -> list[str]:
        """The ranges that a target names a member of, where their squashed revision cannot stand for it."""
        if aim.symbol is None or aim.symbol in ("head", "heads", "base"):
            return []
        named = self.folded.names(aim.symbol, aim.text)
        if named not in self.squashes.owner:
            return []
        shares = self.squashes.shares(ids)
        inside: list[str] = []
        for squash in self.squashes.around(named):
            if named not in self._files and not self._ends(squash, named):
                raise SquashedAway(aim.text, named, self._files[squash], "and its file is gone")
            if (shares[squash] is Coverage.PART and named in self._files) or not self._ends(squash, named):
                inside.append(squash)
            else:
                named = squash
        return inside

    def _ends(self, squash: str, member: str) -> bool:
        """Whether a member is the upper end of a range, so that the squashed revision says the same."""
        members = self.squashes.members[squash]
        if any(member not in self._files for member in members):
            return member == members[-1]
        return self.squashes.tips(squash, self._files) == (member,)
