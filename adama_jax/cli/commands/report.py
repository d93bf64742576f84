"""`adama report RESULTS`: one HTML page about a results folder."""

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import ReportCommand
from adama_jax.cli.words import is_setting
from adama_jax.config.command_line import parse
from adama_jax.errors import SettingError
from adama_jax.plugins.registry import without_imports
from adama_jax.screen.console import Screen
from adama_jax.screen.streams import write_error, write_line
from adama_jax.storage.folder import finish_renamings, finished_runs


def report(words: list[str]) -> int:
    """Write the page and print where it is.

    Returns:
        The exit code: 1 if something is left out, which is named.
    """
    if words and not is_setting(words[0]):
        words = [f"results={words[0]}", *words[1:]]
    command = parse(ReportCommand, ReportCommand(), words, "adama report")
    page = command.page or command.results / "report.html"
    # Where there are no results the page's own folder is not to blame.
    if command.results.is_dir():
        check_folder("page", page.parent)
        if page.is_dir():
            raise SettingError(f"page={page}: must be a file to write, not a folder")
    if finished_runs(command.results):
        Screen().say(f"reading {command.results} ...")
    finish_renamings(command.results)
    from adama_jax.reporting.page import report as write_report

    left_out: list[str] = []
    # The results may be anybody's: what they name is not imported.
    with without_imports():
        write_line(str(write_report(command.results, page, left_out.append)))
    for line in left_out:
        write_error(f"left out: {line}")
    return 1 if left_out else 0
