"""The JSON schemas of the configuration files, by which editors check them and complete keys."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from zipo.study.claims.catalogue import CLAIMS
from zipo.study.config import DATASETS, EXPERIMENTS, STUDY_FILE
from zipo.study.readings.catalogue import QUESTIONS

SCHEMAS: dict[str, TypeAdapter] = {
    "study": STUDY_FILE,
    "datasets": DATASETS,
    "experiments": EXPERIMENTS,
    "claims": CLAIMS,
    "readings": QUESTIONS,
}


def write_schemas(folder: Path) -> None:
    """Write <name>.schema.json for the study file and the catalogues."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind in SCHEMAS.items():
        (folder / f"{name}.schema.json").write_text(schema(kind))


def schema(kind: TypeAdapter) -> str:
    """The JSON schema of a configuration file, as text."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | kind.json_schema(), indent=2) + "\n"
