"""The ``asyncmig`` command: thin over :class:`asyncmig.Migrator`, no rules of its own."""
