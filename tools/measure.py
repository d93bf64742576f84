"""How readable the package is, in numbers: `python tools/measure.py [folder of the package] [folder of the tests]`.

A code line is a line that holds a token of code: no blank line, no comment of its own, no docstring. Nodes are those of
Python's `ast`. Each figure comes with the limit that the project keeps to; what is over a limit is named with
`--list`, and the exit code then is 1.
"""

import argparse
import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOST_COLUMNS = 100
MOST_FILE_LINES = 350
MOST_FUNCTION_LINES = 40
MOST_STATEMENT_NODES = 60
MOST_NODES_A_LINE = 8.5
MOST_ON_TOP_SHELF = 8
LEAST_COMMENTS = 30
LEAST_TEST_LINES = 0.6
SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


class FileMeasures(NamedTuple):
    """Counts of one file, and what in it is over a limit, in words."""

    path: Path
    lines: int
    code_lines: int
    nodes: int
    comments: int  # lines that hold a comment and nothing else
    over: tuple[str, ...]


def measure_file(path: Path) -> FileMeasures:
    """Read one Python file."""
    text = path.read_text()
    module = ast.parse(text)
    docstrings = _docstring_lines(module)
    code, comments = set(), set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        lines = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
            comments.add(token.start[0])
        if token.type not in SKIPPED:
            code.update(line for line in lines if line not in docstrings)
    over = [*_wide_lines(path, text), *_long_functions(path, module), *_dense(path, module)]
    lines = text.count("\n")
    if lines > MOST_FILE_LINES:
        over.append(f"{path}: {lines} lines")
    nodes = sum(1 for _ in ast.walk(module))
    return FileMeasures(path, lines, len(code), nodes, len(comments), tuple(over))


def _docstring_lines(module: ast.Module) -> set[int]:
    """Lines of strings that stand alone: docstrings of modules, functions, classes and fields."""
    found: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def _wide_lines(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MOST_COLUMNS:
            yield f"{path}:{number}: {len(line)} columns"


def _long_functions(path: Path, module: ast.Module) -> Iterator[str]:
    """Functions by the lines of their own bodies: without docstrings and without functions inside."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _own_lines(node)
            if lines > MOST_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    lines = set(range(body[0].lineno, (body[-1].end_lineno or body[-1].lineno) + 1))
    for node in ast.walk(function):
        if node is not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines -= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def _dense(path: Path, module: ast.Module) -> Iterator[str]:
    """Simple statements, and the heads of compound ones, that hold too much at once."""
    for node in ast.walk(module):
        if isinstance(node, ast.stmt) and not _is_table(node):
            nodes = sum(1 for part in _head(node) for _ in ast.walk(part))
            if nodes > MOST_STATEMENT_NODES:
                yield f"{path}:{node.lineno}: a statement of {nodes} nodes"


def _head(statement: ast.stmt) -> Iterator[ast.AST]:
    """A statement without the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child


def _is_table(statement: ast.stmt) -> bool:
    """A constant that is a list of data (names, numbers, calls with constants) is read row by row."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    rows = isinstance(statement.value, ast.Dict | ast.Tuple | ast.List | ast.Set)
    return rows and isinstance(target, ast.Name) and target.id.strip("_").isupper()


def python_files(folder: Path) -> list[Path]:
    """Every Python file of a folder."""
    return sorted(folder.rglob("*.py"))


def on_top_shelf(package: Path) -> int:
    """Python files that lie in the package's own folder, not in a room of it."""
    return len(list(package.glob("*.py")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("package", type=Path, nargs="?", default=Path("adama_jax"))
    parser.add_argument("tests", type=Path, nargs="?", default=Path("tests"))
    parser.add_argument("--list", action="store_true", help="name what is over a limit")
    options = parser.parse_args()

    files = [measure_file(path) for path in python_files(options.package)]
    code = sum(each.code_lines for each in files)
    if not code:
        parser.error(f"{options.package}: no Python files")
    test_lines = sum(path.read_text().count("\n") for path in python_files(options.tests))
    rows = [
        ("files on the top shelf", on_top_shelf(options.package), f"at most {MOST_ON_TOP_SHELF}"),
        ("AST nodes a code line", sum(e.nodes for e in files) / code, f"at most {MOST_NODES_A_LINE}"),
        ("comments of their own line a 1000 code lines", 1000 * sum(e.comments for e in files) / code,
         f"at least {LEAST_COMMENTS}"),
        ("test lines a library line", test_lines / sum(e.lines for e in files),
         f"at least {LEAST_TEST_LINES}"),
        ("longest file, lines", max(e.lines for e in files), f"about {MOST_FILE_LINES}"),
        ("code lines", code, ""),
    ]  # fmt: skip
    for name, value, limit in rows:
        print(f"{name:46} {value:8.2f}  {limit}")
    over = [line for each in files for line in each.over]
    print(f"{'over a limit':46} {len(over):8d}  0")
    if options.list:
        print("\n".join(over))
        for each in sorted(files, key=lambda e: -e.nodes / max(1, e.code_lines)):
            density, comments = each.nodes / max(1, each.code_lines), each.comments
            print(f"{each.path}: {density:.1f} nodes a line, {comments} comments")
    return 1 if options.list and over else 0


if __name__ == "__main__":
    raise SystemExit(main())
