"""The top-level domains in which an e-mail address may end."""

from functools import cache

RESERVED = frozenset({"example", "test", "invalid", "local", "onion", "internal", "alt"})
"""Top-level domains that are not in the DNS and yet stand in addresses (RFC 2606, 6761, 6762, 7686, 9476; ICANN)."""


@cache
def top_level_domains() -> frozenset[bytes]:
    """All of the Public Suffix List and the reserved ones, ASCII letters small; others also as `xn--...`."""
    from tldextract import TLDExtract  # takes 0.2 s, and most corpora's first parts have no candidate

    suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None).tlds  # the list that comes with the library
    found: set[bytes] = set()
    for label in {suffix.rpartition(".")[2] for suffix in suffixes} | RESERVED:
        if label.isascii() and label.startswith("xn--"):
            found |= {label.encode(), label.encode().decode("idna").encode()}
        elif label.isascii():
            found.add(label.encode().lower())
        else:
            found |= {form.encode().lower() for form in (label, label.upper(), label.capitalize())}
            found.add(label.encode("idna").lower())
    return frozenset(found)
