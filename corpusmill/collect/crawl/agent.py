"""The User-Agent header of a crawl, which tells the operators of hosts whom they can ask to stop."""

from corpusmill.collect.settings import CONTACT, CrawlSettings
from corpusmill.errors import InputError


def agent_of(settings: CrawlSettings) -> str:
    """The User-Agent header: the recipe's, with the contact if it names none.  InputError if there is no contact."""
    if CONTACT.search(settings.user_agent):
        return settings.user_agent
    if settings.contact is None:
        raise InputError(
            "recipe: a crawl says whom hosts can ask to stop it; set contact = 'me@example.org' or a web page "
            "in [sources.crawl]"
        )
    return f"{settings.user_agent} (+{settings.contact})"


def operator_of(settings: CrawlSettings) -> str:
    """The contact, for the `operator` field of WARC files."""
    found = CONTACT.search(settings.user_agent)
    return settings.contact or (found[0].rstrip(");") if found else "unknown")
