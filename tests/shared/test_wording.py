"""A setting in the words of whoever reads the error."""

from zipo.shared.wording import setting, used_by, words


def texts() -> tuple[str, str, str]:
    return (
        setting("empty_cells", "keep"),
        setting("layer", "raw counts"),
        words(python="p", command_line="c", study="s"),
    )


def test_settings_are_worded_for_python_the_command_line_and_a_study():
    python = ("empty_cells='keep'", "layer='raw counts'", "p")
    assert texts() == python
    with used_by("command line"):
        assert texts() == ("--empty-cells keep", "--layer 'raw counts'", "c")
        with used_by("study"):
            assert texts() == ("empty_cells: keep", "layer: raw counts", "s")
        assert texts()[2] == "c"
    assert texts() == python


def test_an_error_ends_the_wording(tmp_path):
    try:
        with used_by("study"):
            raise ValueError
    except ValueError:
        assert texts()[2] == "p"
