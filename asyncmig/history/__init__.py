"""The history of revisions as a graph: pure, no file and no database.

>>> graph = RevisionGraph([Revision("aaaa"), Revision("bbbb", down_revision="aaaa")])
>>> [revision.revision for revision in graph.upgrade_path(set(), "head")]
['aaaa', 'bbbb']
"""

from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

__all__ = ["Revision", "RevisionGraph"]
