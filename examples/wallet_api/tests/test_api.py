"""What the service promises, over HTTP and on a real database."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient

ANN = "/acme/wallets/ann"


async def test_it_is_ready(http: AsyncClient) -> None:
    assert (await http.get("/health/migrations")).status_code == 200


async def test_a_new_wallet_is_empty(http: AsyncClient) -> None:
    assert (await http.get(ANN)).status_code == 404
    assert (await http.put(ANN)).json() == {"uid": "ann", "org_id": "acme", "coins": 0}
    assert (await http.get(ANN)).json()["coins"] == 0


@pytest.mark.parametrize(("amount", "currency", "coins"), [(3, "EUR", 300), (2, "USD", 180)])
async def test_topping_up(http: AsyncClient, amount: int, currency: str, coins: int) -> None:
    await http.put(ANN)
    answer = await http.post(f"{ANN}/top-ups", json={"amount": amount, "currency": currency})
    assert (answer.status_code, answer.json()["coins"]) == (201, coins)
    assert (await http.get(f"{ANN}/movements")).json() == [{"coins": coins, "ctype": "top_up"}]


@pytest.mark.parametrize("order", [{"amount": 0}, {"amount": -1}, {"amount": 1, "currency": "XXX"}])
async def test_what_cannot_be_topped_up(http: AsyncClient, order: dict[str, object]) -> None:
    await http.put(ANN)
    assert (await http.post(f"{ANN}/top-ups", json=order)).status_code == 422
    assert (await http.get(ANN)).json()["coins"] == 0


async def test_a_user_has_one_wallet_however_often_it_is_opened(http: AsyncClient) -> None:
    """The unique index sees to it."""
    answers = await asyncio.gather(*[http.put(ANN) for _ in range(10)])
    assert {answer.status_code for answer in answers} == {200}


async def test_top_ups_at_once_are_all_counted(http: AsyncClient) -> None:
    await http.put(ANN)
    await asyncio.gather(*[http.post(f"{ANN}/top-ups", json={"amount": 1}) for _ in range(10)])
    assert (await http.get(ANN)).json()["coins"] == 1000
    assert len((await http.get(f"{ANN}/movements")).json()) == 10
