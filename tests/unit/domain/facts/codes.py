"""What is fixed about a type of fact, once it is on somebody's disk."""

from callhub.domain.facts import private_fields


def code_and_private(kind: type) -> tuple[object, set[str]]:
    """The stable code, and the fields that stand in the private part of a row."""
    return kind.__dataclass_fields__["fact"].default, set(private_fields(kind))  # type: ignore[attr-defined]  # a fact
