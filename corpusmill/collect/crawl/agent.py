"""The User-Agent header of a crawl, which tells the operators of hosts whom they can ask to stop."""

from corpusmill.collect.settings import CONTACT, CrawlSettings
from corpusmill.errors import InputError


def agent_of(settings: CrawlSettings) -> str:
    """The User-Agent header: the recipe's, with the contact if it names none.

    InputError if there is no contact, or the header would not be one line of ASCII.
    """
    agent = settings.user_agent
    if not CONTACT.search(agent):
        if settings.contact is None:
            raise InputError(
                "recipe: a crawl says whom hosts can ask to stop it; set contact in [sources.crawl] to an address of "
                "mail or of a web page"
            )
        agent = f"{agent} (+{settings.contact})"
    if not (agent.isascii() and agent.isprintable()):
        raise InputError("recipe: user_agent and contact go into a header; write them in one line of ASCII characters")
    return agent


def operator_of(settings: CrawlSettings) -> str:
    """The contact, for the `operator` field of WARC files."""
    found = CONTACT.search(settings.user_agent)
    return settings.contact or (found[0].rstrip(");") if found else "unknown")
