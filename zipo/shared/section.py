"""Sections of a configuration: the base of every model that a file or an option fills."""

import re
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NO_NUMBER = {bool: "expected a number, not true or false", str: "expected a number without _"}
"""What is said of values that pydantic wrongly takes for numbers, by their types."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and docstrings describe the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_no_number(cls, values: Any) -> Any:
        """Refuse true, false and 1_0 where a number is expected, since pydantic would take them for 1, 0 and 10."""
        for name, value in values.items() if isinstance(values, dict) else ():
            if name in cls.model_fields and (kind := _kind_of_no_number(value)):
                kinds = _kinds(cls.model_fields[name].annotation)
                if kinds & {int, float} and not kinds & {kind, Any}:
                    raise PydanticCustomError("of_field", NO_NUMBER[kind], {"field": name, "input": value})
        return values


@dataclass(frozen=True)
class Form:
    """The form of a text, for `Annotated[str, Form(...)]`."""

    pattern: str
    """Regular expression that the whole text matches; it also goes into the JSON schema."""
    expected: str
    """The same in words, for the error."""

    def check(self, value: str) -> str:
        """The text; ValueError if it has another form."""
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"expected {self.expected}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": f"^{self.pattern}$"}


@dataclass(frozen=True)
class EachOnce:
    """A list with nothing in it twice, for `Annotated[list[...], EachOnce()]`."""

    def check(self, values: list) -> list:
        """The list; ValueError for an entry that repeats another, numbers to six digits, as names of columns have."""
        written = [f"{value:g}" if isinstance(value, float) else value for value in values]
        for value in written:
            if written.count(value) > 1:
                raise ValueError(f"{value} stands here more than once; keep one of them")
        return values

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"uniqueItems": True}


NAME = Form("[a-z0-9][a-z0-9_]*", "a name of small letters, digits and _ alone, such as my_cells")


def _kinds(annotation: Any) -> set[Any]:
    """All types that an annotation mentions."""
    return {annotation}.union(*map(_kinds, get_args(annotation))) if _hashable(annotation) else set()


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:  # a default inside an annotation
        return False
    return True


def _kind_of_no_number(value: Any) -> type | None:
    """The type of a value, or of an entry of a list at any depth, that pydantic wrongly takes for a number; or None."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, str) and re.fullmatch(r"[-+.\d]*\d_\d.*", value):
        return str
    return next(filter(None, map(_kind_of_no_number, value)), None) if isinstance(value, list | tuple) else None
