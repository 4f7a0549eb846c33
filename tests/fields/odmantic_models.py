"""Models of ODMantic, which reads annotations from the module that a class stands in."""

from __future__ import annotations

import decimal

import odmantic


class Place(odmantic.EmbeddedModel):
    city: str
    code: str = odmantic.Field(key_name="c", default="")


class Publisher(odmantic.Model):
    name: str


class Book(odmantic.Model):
    title: str = odmantic.Field(key_name="t")
    price: decimal.Decimal = decimal.Decimal(0)
    place: Place
    others: list[Place] = []
    publisher: Publisher = odmantic.Reference()
