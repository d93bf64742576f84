"""Words for a screen."""


def counted(number: int, what: str, several: str = "") -> str:
    """So many of something.

    Args:
        number: how many.
        what: one of them is called.
        several: more of them are called; "": with an s.

    >>> counted(1, "run"), counted(2000, "run"), counted(2, "batch", "batches")
    ('1 run', '2,000 runs', '2 batches')
    """
    return f"{number:,} {what if number == 1 else several or what + 's'}"
