"""What the tests of faults saw, as the table of docs/reliability.md.

A test marked `fault(what, where=..., times=..., then=...)` asserts that nothing finished was lost, that no number
differs from those of a study without the fault, and that the study then completes. `make reliability` runs these tests
and puts what came of each into the page.
"""

from pathlib import Path

COLUMNS = ("what was done", "where", "times", "finished runs lost", "wrong numbers", "completed by")
BEGIN, END = "<!-- begin of the table -->\n", "<!-- end of the table -->\n"
outcomes: dict[str, tuple[tuple, dict, str]] = {}  # by test, on the process that hears of all workers


def pytest_addoption(parser):
    parser.addoption("--reliability", metavar="PAGE", type=Path, help="put what came of the tests of faults in a page")


def pytest_configure(config):
    config.addinivalue_line("markers", "fault(what, where, times, then): a fault that a study must survive")


def pytest_collection_modifyitems(items):
    for item in items:
        if mark := item.get_closest_marker("fault"):
            item.user_properties.append(("fault", [mark.args, mark.kwargs]))


def pytest_runtest_logreport(report):
    fault = dict(report.user_properties).get("fault")
    if fault and (report.when == "call" or not report.passed):
        outcomes[report.nodeid] = (*fault, report.outcome)


def pytest_terminal_summary(config):
    if page := config.getoption("reliability"):
        before, _, rest = page.read_text().partition(BEGIN)
        page.write_text(before + BEGIN + table() + END + rest.partition(END)[2])


def table() -> str:
    """A row per fault, in the form of Markdown; the times of tests of one fault add up."""
    faults: dict[tuple, list] = {}
    for (what,), fault, outcome in outcomes.values():
        came_of_it = (0, 0, fault["then"]) if outcome == "passed" else [outcome] * 3
        faults.setdefault((what, fault["where"], *came_of_it), []).append(fault["times"])
    rows = [COLUMNS, ["---"] * len(COLUMNS)]
    lines = [(what, where, sum(times), *rest) for (what, where, *rest), times in faults.items()]
    rows += sorted(lines, key=lambda row: (row[1], row[0].lower()))
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
