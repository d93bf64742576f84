"""Sphinx's settings: `make docs` builds the pages into build/docs, without a network."""

import os
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
# The package is imported for its docstrings; on no account is a GPU to be looked for.
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

project = "adama-jax"
author = "the authors of adama-jax"
release = import_module("adama_jax").__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    # Our own, in docs/_ext.
    "docstrings",
    "generated",
    "mathml",
    "notebooks",
    "outside_links",
    "public_names",
]
exclude_patterns = ["_notes", "_ext", "figures/*.py", "results/runs"]

# MyST: Markdown with directives. Notebooks are shown as `make notebooks` left them.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_merge_streams = True
suppress_warnings = [
    # Outputs of another kind than HTML can show, such as a widget's.
    "mystnb.unknown_mime_type",
    # Names within a type, as in Annotated[int, ReadWith("targets", "hard")], are no references.
    "ref.python",
]

# Formulas are MathML, which browsers draw themselves: no script, no font, no request.
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "adama-jax"
html_static_path = ["_static"]
html_css_files = ["adama.css"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
toc_object_entries_show_parents = "hide"
autodoc_preserve_defaults = True
# One parameter a line where a signature is longer.
python_maximum_signature_line_length = 80
# The heading above them says of which module.
add_module_names = False
# `x` in a docstring is code.
default_role = "code"
