"""What is stored: the collections, their indexes, and what MongoDB checks for us."""

from asyncmig import Collection, Index


class Wallet(Collection):
    """What a user holds in an organisation: one wallet for each, never below zero."""

    __collection_name__ = "wallet"
    __indexes__ = [Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True)]
    __options__ = {"validator": {"coins": {"$gte": 0}}}


class WalletHistory(Collection):
    """Every movement of a wallet, newest first when read by wallet."""

    __collection_name__ = "wallet_history"
    __indexes__ = [Index([("wallet_id", 1), ("rec_date", -1)], name="wallet_date_idx")]


class Currency(Collection):
    """What can be paid with: every database starts with these."""

    __collection_name__ = "currency"
    __initial_data__ = [{"_id": "EUR", "coins": 100}, {"_id": "USD", "coins": 90}]


ALL_COLLECTIONS = [Wallet, WalletHistory, Currency]
