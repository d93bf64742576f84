"""How readable the package is, in numbers.

    python tools/measure.py [--list] [folder of the package] [folder of the tests]

A code line holds a token of code: no blank line, no comment of its own, no docstring. Nodes are
those of Python's `ast`. Each figure comes with the limit that the project keeps to; with `--list`
what is over a limit is named, and the exit code then is 1.
"""

import argparse
import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
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
REPEATED_LINES = 6
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
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    docstrings = _docstring_lines(module)
    code, comments = set(), set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        lines = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
            comments.add(token.start[0])
        if token.type not in SKIPPED:
            code.update(line for line in lines if line not in docstrings)
    over = [
        *_wide_lines(path, text),
        *_long_functions(path, module),
        *_dense(path, module),
    ]
    lines = text.count("\n")
    if lines > MOST_FILE_LINES:
        over.append(f"{path}: {lines} lines")
    nodes = sum(1 for _ in ast.walk(module))
    return FileMeasures(path, lines, len(code), nodes, len(comments), tuple(over))


def _docstring_lines(module: ast.Module) -> set[int]:
    """Lines of strings that stand alone: docstrings of modules, functions, classes and fields."""
    found: set[int] = set()
    for node in ast.walk(module):
        alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if alone and isinstance(node.value.value, str):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def _wide_lines(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MOST_COLUMNS:
            yield f"{path}:{number}: {len(line)} columns"


def _long_functions(path: Path, module: ast.Module) -> Iterator[str]:
    """Functions by their own lines: without docstrings and without functions inside."""
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
        if node is not function and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ):
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
    """A constant that is a list of data is read row by row, however long it is."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    target = (
        statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    )
    rows = isinstance(statement.value, ast.Dict | ast.Tuple | ast.List | ast.Set)
    return rows and isinstance(target, ast.Name) and target.id.strip("_").isupper()


def repeated_runs(paths: Sequence[Path], length: int = REPEATED_LINES) -> int:
    """How many runs of at least `length` code lines stand in more than one place.

    Lines are compared without their indentation; imports and lone brackets do not count.
    """
    windows: Counter[tuple[str, ...]] = Counter()
    texts = [_telling_lines(path) for path in paths]
    for lines in texts:
        windows.update(_windows(lines, length))
    runs = 0
    for lines in texts:
        inside = False
        for window in _windows(lines, length):
            repeated = windows[window] > 1
            runs += repeated and not inside
            inside = repeated
    return runs


def _telling_lines(path: Path) -> list[str]:
    """Code lines that say something: no blanks, comments, docstrings, imports or lone brackets."""
    text = path.read_text(encoding="utf-8")
    docstrings = _docstring_lines(ast.parse(text))
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        telling = line.strip("()[]{},: ") and not line.startswith(
            ("#", "import ", "from ")
        )
        if telling and number not in docstrings:
            found.append(line)
    return found


def _windows(lines: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(lines) - length + 1):
        yield tuple(lines[start : start + length])


def python_files(folder: Path) -> list[Path]:
    """Every Python file of a folder."""
    return sorted(folder.rglob("*.py"))


def on_top_shelf(package: Path) -> int:
    """Python files that lie in the package's own folder, not in a room of it."""
    return len(list(package.glob("*.py")))


class Figure(NamedTuple):
    """One measure of the whole package, with its limit in words."""

    name: str
    value: float
    limit: str = ""


def figures(package: Path, tests: Path) -> list[Figure]:
    """The measures of a package and its tests."""
    files = [measure_file(path) for path in python_files(package)]
    code = sum(each.code_lines for each in files)
    nodes = sum(each.nodes for each in files)
    comments = sum(each.comments for each in files)
    library_lines = sum(each.lines for each in files)
    test_lines = sum(
        path.read_text(encoding="utf-8").count("\n") for path in python_files(tests)
    )
    repeated = repeated_runs([each.path for each in files])
    longest = max(each.lines for each in files)
    share = test_lines / library_lines
    return [
        Figure(
            "files on the top shelf",
            on_top_shelf(package),
            f"at most {MOST_ON_TOP_SHELF}",
        ),
        Figure("AST nodes a code line", nodes / code, f"at most {MOST_NODES_A_LINE}"),
        Figure(
            "own-line comments in 1000",
            1000 * comments / code,
            f"at least {LEAST_COMMENTS}",
        ),
        Figure("test lines a library line", share, f"at least {LEAST_TEST_LINES}"),
        Figure("longest file, lines", longest, f"about {MOST_FILE_LINES}"),
        Figure("repeated runs of six lines", repeated),
        Figure("code lines", code),
    ]


def over_the_limits(package: Path) -> list[str]:
    """Lines, functions, statements and files that are too long or hold too much, in words."""
    return [line for path in python_files(package) for line in measure_file(path).over]


def main() -> int:
    """Print the figures; with `--list` also what is over a limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("package", type=Path, nargs="?", default=Path("adama_jax"))
    parser.add_argument("tests", type=Path, nargs="?", default=Path("tests"))
    parser.add_argument("--list", action="store_true", help="name what is over a limit")
    options = parser.parse_args()
    if not python_files(options.package):
        parser.error(f"{options.package}: no Python files")

    for figure in figures(options.package, options.tests):
        print(f"{figure.name:28} {figure.value:8.2f}  {figure.limit}")
    over = over_the_limits(options.package)
    print(f"{'over a limit':28} {len(over):8d}  0")
    if not options.list:
        return 0
    print("\n".join(over))
    for path in python_files(options.package):
        each = measure_file(path)
        density = each.nodes / max(1, each.code_lines)
        print(f"{path}: {density:.1f} nodes a line, {each.comments} comments")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
