"""The ledger: one document per revision, and the trail of what was done to them."""
