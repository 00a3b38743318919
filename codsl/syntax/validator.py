"""What holds data to a schema, and first to the few of its rules that no later stage tells of."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

KEYWORDS = frozenset(Draft202012Validator.VALIDATORS)


@final
class Validator:
    """Holds data to a schema, but to nothing that a later stage tells of (`x-later`)."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def errors(self, data: Any) -> list[ValidationError]:
        """What stands where it should not, in the words of the whole schema."""
        if self._now.is_valid(data):
            return []
        return [error for error in self._whole.iter_errors(data) if not _later(error)]

    @cached_property
    def _whole(self) -> Draft202012Validator:
        return Draft202012Validator(self._schema)

    @cached_property
    def _now(self) -> Draft202012Validator:
        return _found_at_once(told_now(self._schema))


def _found_at_once(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of a schema that refers to nothing but its `$defs`: these need no resolving."""
    known = {f"#/$defs/{name}": each for name, each in schema.get("$defs", {}).items()}

    def ref(validator: Any, to: str, data: Any, _: Any) -> Iterator[ValidationError]:
        yield from validator.descend(data, known[to])

    made: Any = extend(Draft202012Validator, {"$ref": ref})  # type: ignore[no-untyped-call]
    return made(schema)  # type: ignore[no-any-return]


def told_now(schema: Any) -> Any:
    """A schema without the rules that a later stage tells of."""
    return dict(_rules(schema)) if isinstance(schema, dict) else schema


def _rules(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    later = schema.get("x-later", ())
    for key, value in schema.items():
        match key:
            case "properties" if "additionalProperties" in later:
                yield key, {name: each for name, each in _named(value).items() if _says(each)}
            case "properties" | "$defs":
                yield key, _named(value)
            case "items" if _says(items := told_now(value)):
                yield key, items
            case "allOf" if parts := [each for each in map(told_now, value) if _says(each)]:
                yield key, parts
            case "items" | "allOf":
                pass
            case _ if key not in later:
                yield key, value


def _named(schemas: dict[str, Any]) -> dict[str, Any]:
    return {name: told_now(each) for name, each in schemas.items()}


def _says(schema: Any) -> bool:
    """Whether there is a rule in a schema."""
    return not isinstance(schema, dict) or not KEYWORDS.isdisjoint(schema)


def _later(error: ValidationError) -> bool:
    """Whether a later stage finds the same in better words: what a layer is, and is given."""
    schema: Any = error.schema
    return error.validator in schema.get("x-later", ())
