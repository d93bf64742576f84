"""What a user brings: import paths in the place of names, and names for them. No JAX of its own.

`mypackage.critics:Mine` stands wherever a registered name may. `register` gives such a path a name
in this process; the entry points of an installed package give it one everywhere.
"""
