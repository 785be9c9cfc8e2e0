"""The catalogue of claims, config/claims.yaml: claims of any kind by their ids."""

from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from zipo.shared.section import NAME
from zipo.shared.validation import check
from zipo.shared.yaml_files import read_yaml
from zipo.study.claims.claim import Claim
from zipo.study.claims.kinds import discover

Catalogue = dict[str, Claim]
_ANY_KIND: Any = reduce(or_, discover().values())
CLAIMS: TypeAdapter[Catalogue] = TypeAdapter(
    dict[Annotated[str, NAME], Annotated[_ANY_KIND, Field(discriminator="kind")]]
)


def load_claims(file: Path) -> Catalogue:
    """The claims of a catalogue by id; InputError naming file, claim and key."""
    return check(CLAIMS, read_yaml(file), str(file))
