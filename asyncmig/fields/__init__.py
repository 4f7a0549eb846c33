"""The fields of documents: what models say of them as a ``$jsonSchema``, and what two schemas differ in."""
