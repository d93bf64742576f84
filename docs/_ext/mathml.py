"""Formulas as MathML, by docutils' own converter: pages need no script and ask for nothing."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# TeX reads one digit here, docutils as many as there are.
SHORT_FRACTION = re.compile(r"(\\[dt]?frac)(\d)(\w)")


def mathml(formula: str, as_block: bool) -> str:
    """A formula of TeX as MathML.

    >>> mathml(r"\\frac12", as_block=False) == mathml(r"\\frac{1}{2}", as_block=False)
    True
    """
    braced = SHORT_FRACTION.sub(r"\1{\2}{\3}", formula)
    return tex2mathml(braced, as_block=as_block)


def visit_inline(writer, node: nodes.math) -> None:
    """Write a formula within a line."""
    writer.body.append(mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def visit_block(writer, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    writer.body.append(mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app):
    """Let Sphinx use it: `html_math_renderer = "mathml"`."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
