"""The Azure SDK's own models as judges of what is sent to a stand-in: names, types and read-only fields."""

from __future__ import annotations

import enum
import inspect
import sys
import types
import typing
from typing import Any


class ModelError(AssertionError):
    """A document that a model does not have a place for."""


def check(model: type, value: Any, place: str | None = None) -> None:
    """Raise ModelError where `value` (as JSON gives it) does not fit `model`."""
    place = place or model.__name__
    if not isinstance(value, dict):
        raise ModelError(f"{place} is {value!r}: expected an object")
    fields, hints = _fields(model), _hints(model)
    for name, each in value.items():
        if name not in fields:
            raise ModelError(f"{place} has unknown {name!r}: expected some of {', '.join(sorted(fields))}")
        attribute, read_only = fields[name]
        if read_only:
            raise ModelError(f"{place}.{name} is read-only")
        _check_type(hints[attribute], each, f"{place}.{name}")


def _fields(model: Any) -> dict[str, tuple[str, bool]]:
    """REST name -> attribute, and whether only the service writes it."""
    model({})  # the table is filled when the first object is made
    table = model._attr_to_rest_field
    return {field._rest_name: (attribute, field._visibility == ["read"]) for attribute, field in table.items()}


def _hints(model: type) -> dict[str, Any]:
    """The types of a model's attributes; names such as `_models.Sku` are looked up where the SDK keeps them."""
    names = dict(vars(sys.modules[model.__module__]))
    names["_models"] = sys.modules[model.__module__.rpartition("._models")[0]]

    def holder() -> None:
        """Something with annotations."""

    holder.__annotations__ = {
        name: hint
        for each in reversed(model.__mro__)
        if "_models" in each.__module__
        for name, hint in inspect.get_annotations(each).items()
    }
    return typing.get_type_hints(holder, names, names)


def _check_type(hint: Any, value: Any, place: str) -> None:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or value is None:
        return
    if origin in (typing.Union, types.UnionType):
        _check_union([each for each in arguments if each is not type(None)], value, place)
    elif origin is list:
        if not isinstance(value, list):
            raise ModelError(f"{place} is {value!r}: expected a list")
        for index, each in enumerate(value):
            _check_type(arguments[0], each, f"{place}[{index}]")
    elif origin is dict:
        if not isinstance(value, dict):
            raise ModelError(f"{place} is {value!r}: expected an object")
        for name, each in value.items():
            _check_type(arguments[1], each, f"{place}.{name}")
    elif _is_model(hint):
        check(hint, value, place)
    elif isinstance(hint, type) and not _is_a(hint, value):
        raise ModelError(f"{place} is {value!r}: expected {hint.__name__}")


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and any(each.__name__ == "Model" for each in hint.__mro__)


def _check_union(choices: list[Any], value: Any, place: str) -> None:
    """An enum is `Union[str, Enum]`: one of its values is asked for."""
    enums = [each for each in choices if isinstance(each, type) and issubclass(each, enum.Enum)]
    if enums:
        allowed = [str(member.value) for member in enums[0]]
        if str(value).lower() not in [each.lower() for each in allowed]:
            raise ModelError(f"{place} is {value!r}: expected one of {', '.join(allowed)}")
    elif len(choices) == 1:
        _check_type(choices[0], value, place)


def _is_a(kind: type, value: Any) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind)
