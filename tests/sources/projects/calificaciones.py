"""A university rating site (ODMantic 1.x): index names with spaces, an index on a field of an embedded model,
and ``configure_database(update_existing_indexes=True)``, there from an admin route.
"""

from odmantic import AIOEngine, EmbeddedModel, Index, Model
from odmantic.bson import ObjectId

FRAMEWORK = "odmantic"


class Puntuacion(EmbeddedModel):
    valor: float
    cantidad: int


class Notas(Model):
    asignatura: ObjectId
    profesor: ObjectId
    puntuaciones: list[Puntuacion] = []
    model_config = {
        "indexes": lambda: [
            Index(Notas.profesor, name="notas profesor"),
            Index(Notas.asignatura, name="notas asignatura"),
            Index(Notas.asignatura, Notas.profesor, name="notas asignatura profesor"),
        ]
    }


class PuntuacionProf(EmbeddedModel):
    valor: float = -1
    semestre: tuple[int, int] = (2020, 1)


class Profesor(Model):
    nombre: str
    asignaturas: list[ObjectId] = []
    puntuacion: PuntuacionProf = PuntuacionProf()
    model_config = {
        "indexes": lambda: [
            Index(Profesor.nombre, name="profesor_nombre"),
            Index(Profesor.puntuacion.valor, name="profesor_puntuacion"),
        ]
    }


class Asignatura(Model):
    nombre: str
    codigo: int
    model_config = {"indexes": lambda: [Index(Asignatura.codigo, name="asignatura_codigo", unique=True)]}


class Comentario(Model):
    comentario: str
    profesor: ObjectId
    semestre: tuple[int, int]
    model_config = {
        "indexes": lambda: [
            Index(Comentario.profesor, name="comentario profesor"),
            Index(Comentario.semestre, name="comentario semestre"),
        ]
    }


MODELS = [Profesor, Asignatura, Comentario, Notas]


async def create(uri, name):
    from motor.motor_asyncio import AsyncIOMotorClient

    client = AsyncIOMotorClient(uri)
    await AIOEngine(client=client, database=name).configure_database(MODELS, update_existing_indexes=True)
    client.close()
