"""Words of every command line that are no settings.

Without imports, so that `adama --help` need not wait for them.
"""

HELP = ("-h", "--help")
