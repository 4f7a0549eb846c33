"""What Beanie would run next: run by a Python that has Beanie. Arguments: URL, database, folder."""

import asyncio
import sys
from pathlib import Path

from beanie.migrations.database import DBHandler
from beanie.migrations.runner import MigrationNode


async def main(url, database, folder):
    DBHandler.set_db(url, database)
    node = (await MigrationNode.build(Path(folder))).next_migration
    while node is not None:
        print(node.name)
        node = node.next_migration
    await DBHandler.get_cli().close()


asyncio.run(main(*sys.argv[1:]))
