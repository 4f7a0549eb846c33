"""The worked example: a wallet system, and one collection for each other kind of index."""

from __future__ import annotations

from asyncmig import Collection, Index


class Wallet(Collection):
    """What a user holds in an organisation: one wallet for each."""

    __collection_name__ = "wallet"
    __indexes__ = [
        Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True),
        Index("rec_date"),
        Index("coins"),
        Index("rcoins"),
    ]


class TopUp(Collection):
    """Money that came in."""

    __collection_name__ = "top_up"
    __indexes__ = [
        Index([("uid", 1), ("org_id", 1)], name="uid_org_idx"),
        Index("rec_date"),
        Index("amount"),
    ]


class PartnerWallet(Collection):
    """What a partner holds in an organisation: one wallet for each."""

    __collection_name__ = "partner_wallet"
    __indexes__ = [
        Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True),
        Index("rec_date"),
        Index("coins"),
    ]


class WalletHistory(Collection):
    """Every movement of a wallet, newest first when read by wallet."""

    __collection_name__ = "wallet_history"
    __indexes__ = [
        Index("wallet_id"),
        Index("rec_date"),
        Index("ctype"),
        Index("ref_id"),
        Index([("wallet_id", 1), ("rec_date", -1)], name="wallet_date_idx"),
    ]


class PartnerWalletHistory(Collection):
    """Every movement of a partner's wallet."""

    __collection_name__ = "partner_wallet_history"
    __indexes__ = [
        Index("wallet_id"),
        Index("rec_date"),
        Index("ctype"),
        Index([("wallet_id", 1), ("rec_date", -1)], name="wallet_date_idx"),
    ]


class Branch(Collection):
    """Where an organisation can be visited: a geospatial index."""

    __collection_name__ = "branch"
    __indexes__ = [Index([("location", "2dsphere")])]


class Offer(Collection):
    """What coins can be spent on: a text index."""

    __collection_name__ = "offer"
    __indexes__ = [Index([("title", "text"), ("description", "text")], name="search_idx")]


class Invitation(Collection):
    """Who was invited by whom: a sparse index, as most have no referrer."""

    __collection_name__ = "invitation"
    __indexes__ = [Index("referrer_id", sparse=True)]


class Currency(Collection):
    """What is counted: documents that every database starts with."""

    __collection_name__ = "currency"
    __initial_data__ = [
        {"_id": "coins", "title": "Coins", "decimals": 0},
        {"_id": "rcoins", "title": "Reward coins", "decimals": 0},
    ]


ALL_COLLECTIONS = [
    Wallet,
    TopUp,
    PartnerWallet,
    WalletHistory,
    PartnerWalletHistory,
    Branch,
    Offer,
    Invitation,
    Currency,
]
