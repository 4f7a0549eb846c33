"""What ``--json`` prints, as one JSON Schema for each command (https://json-schema.org/draft/2020-12).

Nothing reads them when a command runs: the tests hold every output against them, and the reference's tables are
made of them.
"""

from asyncmig.cli.json_schemas.commands import DOCUMENTS, schema_of

__all__ = ["DOCUMENTS", "schema_of"]
