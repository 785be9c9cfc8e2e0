"""Kinds of claims as they are discovered."""

import subprocess
import sys
from typing import get_args

from zipo.study.claims import kinds
from zipo.study.import_closure import PACKAGE, closure


def test_a_kind_is_named_after_its_file():
    discovered = kinds.discover()
    assert {
        "difference",
        "equivalence",
        "spread",
        "trend",
        "share",
        "divergence",
        "trials",
        "best_trial",
        "distribution",
    } <= set(discovered)
    for name, kind in discovered.items():
        assert get_args(kind.model_fields["kind"].annotation) == (name,)


def test_verdicts_depend_on_every_kind():
    files = {file for file in closure("zipo.study.claims.verdicts") if file.parent.name == "kinds"}
    assert files == set((PACKAGE / "study" / "claims" / "kinds").glob("*.py"))


def test_reading_claims_loads_nothing_heavy():
    code = "import sys, zipo.study.claims.catalogue; print(*{'numpy', 'pandas', 'scipy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.split() == []
