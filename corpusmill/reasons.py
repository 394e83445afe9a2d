"""Stages, and the reasons for which records, pages, documents and URLs are dropped: named once, read everywhere."""

from enum import StrEnum


class Status(StrEnum):
    """What became of a record when it was read: `ok`, or why there is no text.  Column `status` of pages."""

    OK = "ok"
    HTTP_ERROR = "http_error"  # the server answered 4xx or 5xx
    REDIRECT = "redirect"  # the server answered 3xx; the target is a record of its own
    CONTENT_TYPE = "content_type"  # not a type that the recipe's extractor reads: an image, a PDF, ...
    TOO_LARGE = "too_large"  # larger than `extract.max_page_bytes`, or a JSON line of millions of values
    OPTED_OUT = "opted_out"  # the page or its headers ask not to be used
    UNDECODABLE = "undecodable"  # bytes that are no text in any charset that was declared or detected
    EXTRACTOR_FAILED = "extractor_failed"  # the extractor raised an error; it is in `metadata`
    BROKEN_RECORD = "broken_record"  # the container is damaged here: cut or garbled gzip member, bad JSON line, ...
    NO_TEXT_FIELD = "no_text_field"  # a JSON line or row without the text column, or with null there
    # Pages that were read and have no main content: see extract/content/abstain.py
    ERROR_PAGE = "error_page"  # says that there is nothing here, not now or not for you, whatever the server answered
    LOGIN_PAGE = "login_page"  # asks to log in or to sign up
    BOT_CHALLENGE = "bot_challenge"  # asks for a proof that a person is reading, or blocks robots
    CONSENT_WALL = "consent_wall"  # asks for consent to cookies, or for an age, before it shows anything
    PARKED_DOMAIN = "parked_domain"  # no site yet: for sale, parked, coming soon, a web server's welcome page
    JAVASCRIPT_SHELL = "javascript_shell"  # scripts would write the content
    NO_MAIN_CONTENT = "no_main_content"  # empty, frames, a redirect by the page itself, or nothing but navigation


class Stage(StrEnum):
    """The product's own stages, in order; each has a folder under this name.  Users add stages of their own."""

    PAGES = "pages"
    TEXTS = "texts"
    LANGUAGE_SIGNALS = "signals-language"
    TEXT_SIGNALS = "signals-text"
    VERDICTS = "verdicts"
    SKETCHES = "sketches"
    TWINS = "twins"
    DOCS = "docs"
    TOKENIZER = "tokenizer"
    TOKENS = "tokens"


SIGNALS = "signals-"  # how the names of the groups of signals begin


class Reason(StrEnum):
    """The kinds of reasons for which a page leaves the corpus.  A ledger row's `stage` says which one it was."""

    UNREADABLE = "pages"  # `rule` is the Status
    RULE = "verdicts"  # `rule` is the rule's name in the recipe
    DUPLICATE = "twins"  # `rule` is a Duplicate


class Outcome(StrEnum):
    """What became of a page, as reports tell it: dropped for one of the reasons, waiting, or in the corpus."""

    UNREADABLE = Reason.UNREADABLE
    RULE = Reason.RULE
    DUPLICATE = Reason.DUPLICATE
    UNDECIDED = "undecided"
    KEPT = "kept"


class Duplicate(StrEnum):
    """How a duplicate was found.  Column `rule` of twins."""

    EXACT = "exact_duplicate"  # same final text
    NEAR = "near_duplicate"  # true Jaccard similarity of the shingle sets reaches `dedup.threshold`


class Fate(StrEnum):
    """What became of a URL that a crawl met.  Column `fate` of urls."""

    FETCHED = "fetched"  # answered; the record is in the WARC file, whatever the HTTP status
    ROBOTS_DISALLOWED = "robots_disallowed"  # robots.txt forbids it
    ROBOTS_UNREACHABLE = "robots_unreachable"  # robots.txt answered 5xx, 429 or not at all: everything is forbidden
    OPTED_OUT = "opted_out"  # the host's tdmrep.json or ai.txt reserves it
    OUT_OF_SCOPE = "out_of_scope"  # host or scheme outside the recipe's scope
    TOO_DEEP = "too_deep"  # more links away from a seed than `max_depth`
    PAGE_LIMIT = "page_limit"  # `max_pages` or `max_pages_per_host` was reached first
    NOFOLLOW = "nofollow"  # only met on pages or links that ask not to be followed
    PRIVATE_ADDRESS = "private_address"  # the name resolves to an address that is not public
    TOO_LARGE = "too_large"  # the answer was cut off at `max_page_bytes`
    FAILED = "failed"  # no answer: DNS, connection, TLS, timeout; `error` says which
    REDIRECT_LIMIT = "redirect_limit"  # more redirects in a row than allowed
