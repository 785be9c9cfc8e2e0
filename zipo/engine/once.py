"""Attributes that are worked out where they are first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class once(Generic[Value]):
    """functools.cached_property without its lock, which Python has before 3.12 and torch's compiler cannot follow."""

    def __init__(self, find: Callable[[Any], Value]):
        self.find, self.name, self.__doc__ = find, find.__name__, find.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Value:
        value = self.find(instance)
        setattr(instance, self.name, value)  # the attribute comes before this descriptor from here on
        return value
