"""Text of others on a terminal: pages, URLs and file names may hold what a terminal obeys."""


def printable(text: str) -> str:
    """Without control characters, with which a page could write over the terminal; joiners of scripts stay."""
    return "".join(c if c.isprintable() or c in "\n\t\u200c\u200d" else "\ufffd" for c in text)
