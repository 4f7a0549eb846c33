"""The ledger: one record per revision, its journal, and every write that changes them."""
