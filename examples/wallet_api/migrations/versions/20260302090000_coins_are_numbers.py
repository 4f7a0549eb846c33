"""coins are numbers

They were text, and nothing kept them from falling below zero.
"""

from asyncmig import Env

revision = "20260302090000"
down_revision = "20260115120000"
branch_labels = None
depends_on = None


async def upgrade(env: Env) -> None:
    """Apply schema changes."""
    await env.convert_field("wallet", "coins", to="long", from_="string")
    await env.modify_collection("wallet", validator={"coins": {"$gte": 0}})


async def downgrade(env: Env) -> None:
    """Revert schema changes."""
    await env.modify_collection("wallet", validator={})
    await env.convert_field("wallet", "coins", to="string", from_="long")
