"""Models of ODMantic, which reads annotations from the module that a class stands in."""

from __future__ import annotations

import decimal
from typing import Annotated

import odmantic
from pydantic import PlainSerializer, computed_field, field_serializer


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


class Part(odmantic.EmbeddedModel):
    number: Annotated[int, odmantic.WithBsonSerializer(lambda value: str(value))] = 1


class Converted(odmantic.Model):
    """Stored as serializers have it: ODMantic's and Pydantic's."""

    raw: Annotated[str, odmantic.WithBsonSerializer(lambda value: value.encode())] = "x"
    text: Annotated[int, PlainSerializer(str, return_type=str)] = 2
    count: int = 3
    part: Part = Part()
    price: decimal.Decimal = decimal.Decimal(1)

    @field_serializer("count")
    def _count(self, value: int) -> str:
        return str(value)

    @computed_field
    def shown(self) -> str:
        return "not stored"
