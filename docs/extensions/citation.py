"""The paper as a reference and as BibTeX, from CITATION.cff."""

from pathlib import Path

import yaml
from tables import directive

CITATION = Path(__file__).parents[2] / "CITATION.cff"


def citation() -> str:
    """How to cite, as reStructuredText."""
    paper = yaml.safe_load(CITATION.read_text())["preferred-citation"]
    authors = [(author["family-names"], author["given-names"]) for author in paper["authors"]]
    reference = (
        f"{', '.join(f'{family} {given[0]}' for family, given in authors)} ({paper['year']}). {paper['title']}. "
        f"*{paper['journal']}* {paper['volume']}({paper['issue']}): {paper['start']}. "
        f"`doi:{paper['doi']} <https://doi.org/{paper['doi']}>`__"
    )
    fields = {
        "author": " and ".join(f"{family}, {given}" for family, given in authors),
        "title": f"{{{paper['title']}}}",
        "journal": paper["journal"],
        "volume": paper["volume"],
        "number": paper["issue"],
        "pages": paper["start"],
        "year": paper["year"],
        "doi": paper["doi"],
    }
    entry = ["@article{zipo,", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"]
    return "\n".join([reference, "", ".. code-block:: bibtex", "", *(f"   {line}" for line in entry)])


def setup(app) -> dict[str, bool]:
    app.add_directive("zipo-citation", directive(citation))
    return {"parallel_read_safe": True}
