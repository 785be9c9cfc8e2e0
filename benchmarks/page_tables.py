"""Tables and text on pages that a script made, between marks by which they are made anew."""


def between(name: str) -> tuple[str, str]:
    """The marks before and after a text on a page."""
    return f"<!-- table {name} -->\n\n", "\n\n<!-- end -->"


def with_tables(page: str, made: dict[str, str]) -> str:
    """The page with what was made, by name, in its places."""
    for name, table in made.items():
        start, end = between(name)
        head, rest = page.split(start)
        page = head + start + table + rest[rest.index(end) :]
    return page


def rows(head: list[str], body: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
