"""A job board (Beanie 1.x or 2.x): weighted text, 2dsphere, unique compounds given as lists of names,
``Annotated[Link[X], Indexed(unique=True)]``, and a UnionDoc that declares a time series, which Beanie does not look at:
the collection ``job_metrics`` comes into being as an ordinary one, or not at all.
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

import pymongo
from beanie import Document, Granularity, Indexed, Link, TimeSeriesConfig, UnionDoc, init_beanie
from pydantic import BaseModel
from pymongo import IndexModel

FRAMEWORK = "beanie"


class Account(Document):
    class Settings:
        name = "accounts"


class Organization(Document):
    class Settings:
        name = "organizations"


class GeoObject(BaseModel):
    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class Job(Document):
    title: str
    slug: Annotated[str, Indexed()]
    description: str
    skills: list[str]
    geo: GeoObject | None = None
    organization: Link[Organization]

    class Settings:
        name = "jobs"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(
                [("title", pymongo.TEXT), ("description", pymongo.TEXT), ("skills", pymongo.TEXT)],
                weights={"title": 10, "description": 5},
                name="title_description_skills_text_index",
                default_language="english",
            ),
            IndexModel([("expired", pymongo.ASCENDING), ("deleted", pymongo.ASCENDING)], name="expired_deleted_index"),
            IndexModel([("geo", pymongo.GEOSPHERE)], name="geo_2dsphere_index"),
            IndexModel(
                [("slug", pymongo.ASCENDING), ("organization", pymongo.ASCENDING)],
                name="slug_organization_unique_index",
                unique=True,
            ),
        ]


class SavedJob(Document):
    account: Link[Account]
    job: Link[Job]

    class Settings:
        name = "saved_jobs"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(["account", "job"], name="account_job_unique_secondary_index", unique=True)
        ]


class JobApplicationForm(Document):
    job: Annotated[Link[Job], Indexed(unique=True)]

    class Settings:
        name = "job_application_forms"


class JobApplicant(Document):
    account_full_name: str
    job: Link[Job]
    slug: Annotated[str, Indexed()]
    analysis_status: str = "pending"

    class Settings:
        name = "job_applicants"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(["slug", "job"], name="slug_job_unique_secondary_index", unique=True),
            IndexModel(
                [("account_full_name", pymongo.TEXT)], name="account_full_name_text_index", default_language="english"
            ),
            IndexModel(["analysis.overall_score"], name="analysis_overall_score_index"),
            IndexModel(["analysis_status"], name="analysis_status_index"),
            IndexModel(
                [("profile_snapshot.locations_open_to_work.geo", pymongo.GEOSPHERE)],
                name="locations_open_to_work_geo_2dsphere_index",
            ),
        ]


class BaseJobMetric(UnionDoc):
    class Settings:
        name = "job_metrics"
        class_id = "_class_id"
        timeseries = TimeSeriesConfig(time_field="timestamp", meta_field="metadata", granularity=Granularity.minutes)


class CoreJobMetric(Document):
    timestamp: datetime
    metadata: dict

    class Settings:
        name = "CoreJobMetric"
        union_doc = BaseJobMetric


class ImpressionJobMetric(Document):
    timestamp: datetime
    metadata: dict

    class Settings:
        name = "ImpressionJobMetric"
        union_doc = BaseJobMetric


MODELS = [
    Account,
    Organization,
    Job,
    SavedJob,
    JobApplicationForm,
    JobApplicant,
    BaseJobMetric,
    CoreJobMetric,
    ImpressionJobMetric,
]


async def create(uri, name):
    from pymongo import AsyncMongoClient

    client = AsyncMongoClient(uri)
    await init_beanie(database=client[name], document_models=MODELS)
    await client.close()
