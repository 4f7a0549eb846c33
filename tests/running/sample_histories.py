"""Histories that are run by processes of their own, and a snapshot of a database to compare by."""

from __future__ import annotations

from pathlib import Path

from .history_files import History

__all__ = ["counting", "slow", "twelve"]


REVISIONS: list[tuple[str, str]] = [
    (  # collections and their indexes
        "await env.create_collection('wallet')\n"
        "await env.create_indexes('wallet', [Index('uid', unique=True), Index('n')])",
        "await env.drop_collection('wallet')",
    ),
    (  # data
        "await env.insert_documents('wallet', [{'_id': i, 'uid': i, 'n': i * 2} for i in range(20)])",
        "await env.delete_documents('wallet', list(range(20)), if_unchanged=True)",
    ),
    (  # a validator, then what fits it
        "await env.modify_collection('wallet', validator={'uid': {'$exists': True}}, validationLevel='moderate')\n"
        "await env.insert_documents('wallet', [{'_id': 100, 'uid': 100}])",
        "await env.delete_documents('wallet', [100])\n"
        "await env.modify_collection('wallet', validator={}, validationLevel='strict')",
    ),
    (  # a rename, and a new collection under the old name
        "await env.create_collection('purse')\nawait env.rename_collection('purse', 'bag')\n"
        "await env.create_collection('purse', capped=True, size=4096)",
        "await env.drop_collection('purse')\nawait env.rename_collection('bag', 'purse')\n"
        "await env.drop_collection('purse')",
    ),
    (  # raw calls of the user's own, safe to repeat, between operations
        "await env.create_index('bag', 'k', name='by_k')\n"
        "await env.db.bag.replace_one({'_id': 1}, {'k': 1}, upsert=True)\n"
        "await env.insert_documents('bag', [{'_id': 2, 'k': 2}])",
        "await env.delete_documents('bag', [2], if_unchanged=True)\nawait env.db.bag.delete_many({'_id': 1})\n"
        "await env.drop_index('bag', 'by_k')",
    ),
    (  # a change in place
        "await env.create_index('bag', 'seen', name='ttl', expireAfterSeconds=3600)\n"
        "await env.modify_index('bag', 'ttl', expireAfterSeconds=60)",
        "await env.modify_index('bag', 'ttl', expireAfterSeconds=3600)\nawait env.drop_index('bag', 'ttl')",
    ),
    (  # nothing
        "pass",
        "pass",
    ),
    (  # a view
        "await env.create_view('rich', 'wallet', [{'$match': {'n': {'$gt': 10}}}])\n"
        "await env.modify_view('rich', 'wallet', [{'$match': {'n': {'$gt': 20}}}])",
        "await env.drop_view('rich')",
    ),
    (  # raw calls alone
        "await env.db.log.update_one({'_id': 1}, {'$set': {'ran': True}}, upsert=True)",
        "await env.db.log.drop()",
    ),
    (  # an index is replaced, the new one first
        "await env.create_index('wallet', [('n', 1), ('uid', -1)], name='n_uid')\n"
        "await env.drop_index('wallet', 'n_1')",
        "await env.create_indexes('wallet', [Index('n')])\nawait env.drop_index('wallet', 'n_uid')",
    ),
    (  # operations at once
        "await asyncio.gather(*(env.create_collection(f'part{i}') for i in range(3)))",
        "await asyncio.gather(*(env.drop_collection(f'part{i}') for i in range(3)))",
    ),
    (  # a unique index the whole way
        "await env.create_index('bag', 'code', name='code', sparse=True)\n"
        "await env.modify_index('bag', 'code', unique=True)",
        "await env.drop_index('bag', 'code')",
    ),
]


def twelve(folder: Path) -> History:
    """Revisions of all kinds."""
    history = History(folder)
    for number, (up, down) in enumerate(REVISIONS, 1):
        history.add(f"r{number:02}", up, down)
    return history


def counting(folder: Path) -> History:
    """Five revisions that count how often they were run, by a raw call that runs as often as they do."""
    history = History(folder)
    for number in range(5):
        count = f"await env.db.runs.update_one({{'_id': {number}}}, {{'$inc': {{'n': 1}}}}, upsert=True)"
        history.add(f"c{number}", f"{count}\nawait env.create_collection('c{number}')", count)
    return history


def slow(folder: Path) -> History:
    """Two revisions with time to be stopped in, and a write after it."""
    history = History(folder)
    for name in ("s1", "s2"):
        history.add(
            name,
            f"await env.create_collection('{name}')\nawait asyncio.sleep(0.1)\n"
            f"await env.insert_documents('{name}', [{{'_id': 1}}])",
            f"await env.drop_collection('{name}')",
        )
    return history


def many(folder: Path) -> History:
    """A revision that makes twenty collections with an index each by one operation."""
    history = History(folder)
    names = [f"c{number:02}" for number in range(20)]
    history.add(
        "m1",
        f"await env.create_collections([(name, {{}}, [Index('n')]) for name in {names}])",
        "\n".join(f"await env.drop_collection('{name}')" for name in names),
    )
    return history


def updating(folder: Path) -> History:
    """A revision that changes every document on the server, and must not do so twice."""
    history = History(folder)
    history.add("d1", "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=1000)")
    return history


SLEEPING = "await env.update_in_batches('c', {'$where': 'sleep(2) || true'}, {'$inc': {'n': 1}}, batch_size=1000)"


def sleeping(folder: Path) -> History:
    """A revision that takes the server two seconds, and two more, to change a thousand documents."""
    history = History(folder)
    history.add("d1", SLEEPING)
    return history


def sleeping_whole(folder: Path) -> History:
    """The same as a transaction."""
    history = History(folder)
    history.add("d1", SLEEPING, transactional=True)
    return history


def transforming(folder: Path) -> History:
    """The same by a function."""
    history = History(folder)
    change = "lambda document: document | {'n': document['n'] + 1}"
    history.add("d1", f"await env.transform_documents('c', {{}}, {change}, batch_size=1000)")
    return history
