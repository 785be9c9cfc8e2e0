"""How Sphinx builds the site: `make docs`."""

import sys
from pathlib import Path

import zipo

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "ZiPo"
author = "The ZiPo study's authors"
release = zipo.__version__

extensions = ["sphinx.ext.autodoc", "myst_parser", "mathml", "tables", "commands", "citation", "study"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

# open-questions.rst is text for two readers, this site's paper.rst and the study's report
exclude_patterns = ["_build", "open-questions.rst"]

default_role = "literal"  # the docstrings' backticks
smartquotes = False  # what is quoted in docstrings is code
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "ZiPo"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["tables.css", "formulas.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
