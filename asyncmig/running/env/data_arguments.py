"""What a revision may pass to the methods of ``env`` that work on data: checked before anything is done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from asyncmig.operations import Pace
from asyncmig.operations.data import Update
from asyncmig.operations.fields import TYPES
from asyncmig.running.env.arguments import Call
from asyncmig.schema.names import suggestion

__all__ = ["DataCall"]

_OPTIONS = ("arrayFilters", "collation", "hint", "let")
_STAGES = ("$addFields", "$project", "$replaceRoot", "$replaceWith", "$set", "$unset")


class DataCall(Call):
    """One call of such a method."""

    def update(self, value: Any) -> Update:
        """Operators, or the stages of a pipeline."""
        if isinstance(value, list | tuple):
            return [self._stage(stage, f"update[{place}]") for place, stage in enumerate(self._some_stages(value))]
        update = self.document(value, "update")
        if not update:
            raise self.error("update", "is empty: there is nothing to do")
        plain = [name for name in update if not name.startswith("$")]
        if plain:
            raise self.error(
                "update",
                f"has {plain[0]!r}, which is no operator; to set fields write {{'$set': {{{plain[0]!r}: ...}}}}",
            )
        for operator, operand in update.items():
            if not isinstance(operand, Mapping):
                raise self.error(f"update[{operator!r}]", f"is a document, {{'field': value}}, not {operand!r}")
            for path in operand:
                self._check_path(path, f"update[{operator!r}]", positional=True)
        return update

    def _some_stages(self, value: Any) -> Any:
        if not value:
            raise self.error("update", "is a pipeline without stages: there is nothing to do")
        return value

    def _stage(self, value: Any, argument: str) -> dict[str, Any]:
        stage = self.document(value, argument)
        if len(stage) != 1 or next(iter(stage)) not in _STAGES:
            raise self.error(argument, f"is one of {', '.join(_STAGES)}, {{'$set': {{...}}}}, not {value!r}")
        return stage

    def options(self, given: Mapping[str, Any], update: Update) -> dict[str, Any]:
        """What an update takes besides: ``arrayFilters``, ``collation``, ``hint``, ``let``."""
        for name in given:
            if name not in _OPTIONS:
                raise self.error(name, f"is not known: there are {', '.join(_OPTIONS)}{suggestion(name, _OPTIONS)}")
        options = {name: value for name, value in given.items() if value is not None}
        for name in options.keys() & {"collation", "let"}:
            self.document(options[name], name)
        if "arrayFilters" in options:
            if not isinstance(update, Mapping):
                raise self.error("arrayFilters", "cannot go with a pipeline")
            list(self._documents(options["arrayFilters"], "arrayFilters", "filters, [{'x.a': 1}]"))
        return deepcopy(options)

    def path(self, value: Any, argument: str) -> str:
        """The path of a field: names with points between them."""
        path = self.text(value, argument)
        self._check_path(path, argument)
        if path.split(".")[0] == "_id":
            raise self.error(argument, f"is {path!r}, and an _id cannot be changed")
        return path

    def other_path(self, value: Any, argument: str, path: str) -> str:
        """Another path, of which neither leads through the other."""
        other = self.path(value, argument)
        if other == path:
            raise self.error(argument, f"is {path!r} as well")
        if other.startswith(f"{path}.") or path.startswith(f"{other}."):
            between = f"{path.split('.')[0]}__was"
            raise self.error(
                argument,
                f"{other!r} and {path!r} lie one within the other: take two steps, "
                f"{path!r} to {between!r} and {between!r} to {other!r}",
            )
        return other

    def _check_path(self, path: Any, argument: str, *, positional: bool = False) -> None:
        if not isinstance(path, str) or not path:
            raise self.error(argument, f"has {path!r} where the name of a field is expected")
        names = path.split(".")
        if not all(names):
            raise self.error(argument, f"has {path!r}, with an empty name in it")
        if "\0" in path:
            raise self.error(argument, f"has {path!r}, with a NUL in it")
        if any(name.startswith("$") for name in (names[:1] if positional else names)):
            raise self.error(argument, f"has {path!r}: the name of a field does not begin with $")

    def type(self, value: Any, argument: str) -> str:
        """A type that ``$convert`` knows."""
        if value not in TYPES:
            near = suggestion(value, TYPES) if isinstance(value, str) else ""
            raise self.error(argument, f"is one of {', '.join(TYPES)}, not {value!r}{near}")
        return str(value)

    def choice(self, value: Any, argument: str, choices: tuple[str, ...], *, or_callable: bool = False) -> Any:
        """One of several words, or a function where that is possible."""
        if or_callable and callable(value):
            return value
        if value not in choices:
            besides = ", or a function" if or_callable else ""
            raise self.error(argument, f"is one of {', '.join(map(repr, choices))}{besides}, not {value!r}")
        return value

    def paths(self, value: Any, argument: str) -> str | tuple[str, ...]:
        """The path of one field, or of several."""
        if isinstance(value, str):
            self._check_path(value, argument)
            return value
        return self.several_paths(value, argument)

    def several_paths(self, value: Any, argument: str) -> tuple[str, ...]:
        """The paths of fields: one at least."""
        if isinstance(value, str) or not isinstance(value, list | tuple) or not value:
            raise self.error(argument, f"is a list of fields, ['name', ...], not {value!r}")
        for path in value:
            self._check_path(path, argument)
        return tuple(value)

    def order(self, value: Any, argument: str) -> tuple[tuple[str, int], ...]:
        """An order of documents: ``"newest:field"``, ``"oldest:field"``, or fields with 1 or -1."""
        if isinstance(value, str):
            way, _, path = value.partition(":")
            if way not in ("newest", "oldest") or not path:
                raise self.error(argument, f"is 'newest:field', 'oldest:field', or a list of pairs, not {value!r}")
            value = [(path, -1 if way == "newest" else 1)]
        pairs = tuple(tuple(pair) for pair in value) if isinstance(value, list | tuple) else ()
        if not pairs or any(len(pair) != 2 or pair[1] not in (1, -1) for pair in pairs):
            raise self.error(argument, f"is a list of pairs, [('field', -1), ...], not {value!r}")
        for path, _ in pairs:
            self._check_path(path, argument)
        return tuple((str(path), int(way)) for path, way in pairs)

    def function(self, value: Any) -> Callable[[Any], Any]:
        """Something that can be called with a document."""
        if not callable(value):
            raise self.error("function", f"is a function that takes a document, not {value!r}")
        checked: Callable[[Any], Any] = value
        return checked

    def pace(self, batch_size: Any, max_per_second: Any, max_lag: Any, max_queue: Any) -> Pace:
        """How fast to go."""
        if batch_size is not None:
            self.count(batch_size, "batch_size")
        self._bound(max_per_second, "max_per_second", "documents", above_zero=True)
        self._bound(max_lag, "max_lag", "seconds", above_zero=True)
        self._bound(max_queue, "max_queue", "operations", above_zero=False)
        return Pace(batch_size, max_per_second, max_lag, max_queue)

    def count(self, value: Any, argument: str) -> int:
        """A whole number from 1 on."""
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error(argument, f"is a whole number from 1 on, not {value!r}")
        return int(value)

    def _bound(self, value: Any, argument: str, unit: str, *, above_zero: bool) -> None:
        if value is None:
            return
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not (value > 0 or (value == 0 and not above_zero)):
            least = "above 0" if above_zero else "from 0 on"
            raise self.error(argument, f"is a number of {unit} {least}, not {value!r}")
