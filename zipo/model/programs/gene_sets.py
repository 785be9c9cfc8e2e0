"""Gene sets: a reader of GMT files, and over-representation of sets among the leading genes of programs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from zipo.shared.errors import InputError

LEADING = 30
"""Leading genes of a program that sets are looked for among, at most."""
COLUMNS = ["program", "set", "shared", "leading", "size", "background", "p_value", "q_value", "genes"]


def read_gmt(file: Path) -> dict[str, list[str]]:
    """The gene sets of a GMT file: a line for each, name, description and genes, with tabs between them.

    Raises InputError, with the line, for one without two tabs, without a name or genes, or with the name of another.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; give a GMT file of gene sets") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as text ({error}); give a GMT file of gene sets") from None
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, *rest = (field.strip() for field in line.split("\t"))
        genes = list(dict.fromkeys(gene for gene in rest[1:] if gene))
        place = f"{file}, line {number}"
        if len(rest) < 2:
            raise InputError(f"{place}: {line[:40]!r} has no two tabs; name, description and genes are expected")
        if not name or not genes:
            raise InputError(f"{place}: {'no name' if not name else f'{name} has no genes'}; fill it in or remove it")
        if name in sets:
            raise InputError(f"{place}: {name} is the name of an earlier set; give it another")
        sets[name] = genes
    if not sets:
        raise InputError(f"{file}: holds no gene sets; a line for each is expected: name, description, genes")
    return sets


def check_names(sets: Mapping[str, Iterable[str]], genes: pd.Index) -> None:
    """Raise InputError where none of the sets' genes is among these, and say so if another case would help."""
    named = [gene for each in sets.values() for gene in each]
    if not named:
        raise InputError("sets: they hold no genes")
    if set(named) & set(genes):
        return
    by_case = {gene.casefold(): gene for gene in genes}
    alike = next(((gene, by_case[gene.casefold()]) for gene in named if gene.casefold() in by_case), None)
    remedy = (
        f"the case differs, {alike[0]!r} there and {alike[1]!r} in the model; rename one of them"
        if alike
        else "name them as the model does, symbols or identifiers of the same species"
    )
    raise InputError(
        f"sets: none of their {len(set(named))} genes, such as {named[0]!r}, is among the model's, such as "
        f"{genes[0]!r}; {remedy}"
    )


def over_representation(
    leading: Mapping[str, Sequence[str]], sets: Mapping[str, Iterable[str]], background: Sequence[str]
) -> pd.DataFrame:
    """A row for each program and set with a gene in common, by p-value; sets count by their genes in the background.

    `leading` are the leading genes of each program, all of them in the background. The p-value is that of as many
    shared genes or more, were the leading genes drawn at random from the background (hypergeometric); the q-value is
    corrected for all programs and sets with genes in the background (Benjamini & Hochberg 1995).
    """
    from scipy.stats import false_discovery_control, hypergeom

    known = set(background)
    present = {name: members for name, genes in sets.items() if (members := set(genes) & known)}
    rows = []
    for program, genes in leading.items():
        for name, members in present.items():
            shared = [gene for gene in genes if gene in members]
            p = hypergeom.sf(len(shared) - 1, len(known), len(members), len(genes))
            rows.append((program, name, len(shared), len(genes), len(members), len(known), p, 1.0, ", ".join(shared)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    if len(table):
        table["q_value"] = false_discovery_control(np.minimum(table["p_value"], 1.0))
    table = table[table["shared"] > 0]
    return table.sort_values("p_value", kind="stable", ignore_index=True)
