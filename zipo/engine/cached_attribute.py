"""Attributes that are computed at their first use."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class cached_attribute(Generic[Value]):
    """functools.cached_property without its lock, which Python has before 3.12 and torch's compiler cannot follow."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute, self.name, self.__doc__ = compute, compute.__name__, compute.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Value:
        value = self.compute(instance)
        setattr(instance, self.name, value)  # the attribute comes before this descriptor from here on
        return value
