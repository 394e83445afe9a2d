"""Stages, and the reasons why records, pages, documents and URLs are dropped: every name is defined here."""

from enum import StrEnum


class Status(StrEnum):
    """The result of reading a record: `ok`, or why there is no text.  Column `status` of pages."""

    OK = "ok"
    HTTP_ERROR = "http_error"  # the server answered 4xx or 5xx, or 304 without a page
    REDIRECT = "redirect"  # the server answered 3xx, or a wiki's page leads to another; the target is its own record
    CONTENT_TYPE = "content_type"  # not a type that the recipe's extractor reads: an image, a PDF, ...
    TOO_LARGE = "too_large"  # larger than `extract.max_page_bytes`, or a JSON line of millions of values
    OPTED_OUT = "opted_out"  # the page or its headers forbid its use
    REMOVED = "removed"  # taken down with `corpusmill remove`
    UNDECODABLE = "undecodable"  # the bytes are not text in any charset that was declared or detected
    EXTRACTOR_FAILED = "extractor_failed"  # the extractor raised an error; it is in `metadata`
    BROKEN_RECORD = "broken_record"  # the container is damaged here: cut or damaged gzip member, bad JSON line, ...
    NO_TEXT_FIELD = (
        "no_text_field"  # a JSON line or row without the text column or with null in it; a page without text
    )
    OTHER_NAMESPACE = "other_namespace"  # a page of a wiki in a namespace that the recipe does not name
    DISAMBIGUATION = "disambiguation"  # a page of a wiki that lists the meanings of a word
    NO_TEXT_LAYER = "no_text_layer"  # a document whose pages are images: a scanned PDF
    # Pages that were read and have no main content; see extract/content/abstain.py
    # says that nothing is here, or not now, or not for this visitor, whatever status the server sent
    ERROR_PAGE = "error_page"
    LOGIN_PAGE = "login_page"  # asks to log in or to sign up
    BOT_CHALLENGE = "bot_challenge"  # asks for a proof that the reader is a person, or blocks robots
    CONSENT_WALL = "consent_wall"  # asks for consent to cookies, or for an age, before it shows any content
    PARKED_DOMAIN = "parked_domain"  # no site yet: for sale, parked, coming soon, or a web server's welcome page
    JAVASCRIPT_SHELL = "javascript_shell"  # scripts would write the content
    NO_MAIN_CONTENT = "no_main_content"  # empty, frames, a redirect in the page itself, or navigation only


STATUSES = {  # in words, for people
    Status.HTTP_ERROR: "the server answered with an error",
    Status.REDIRECT: "it is a redirect; its target is a record of its own",
    Status.CONTENT_TYPE: "not a type of content that the recipe's extractor reads",
    Status.TOO_LARGE: "larger than the recipe's max_page_bytes",
    Status.OPTED_OUT: "the page or its headers ask not to be used",
    Status.REMOVED: "it was taken down with 'corpusmill remove'",
    Status.UNDECODABLE: "its bytes are no text in any charset that was declared or detected",
    Status.EXTRACTOR_FAILED: "the extractor raised an error on it",
    Status.BROKEN_RECORD: "the file is damaged here",
    Status.NO_TEXT_FIELD: "it has no text field",
    Status.OTHER_NAMESPACE: "it is in a namespace of the wiki that the recipe does not name",
    Status.DISAMBIGUATION: "it is a disambiguation page of a wiki",
    Status.NO_TEXT_LAYER: "its pages are images without text",
    Status.ERROR_PAGE: "it is an error page",
    Status.LOGIN_PAGE: "it asks to log in or to sign up",
    Status.BOT_CHALLENGE: "it asks for a proof that a person is reading, or blocks robots",
    Status.CONSENT_WALL: "it asks for consent or for an age before it shows anything",
    Status.PARKED_DOMAIN: "there is no site yet: the domain is for sale, parked or new",
    Status.JAVASCRIPT_SHELL: "its content is written by scripts, which are not run",
    Status.NO_MAIN_CONTENT: "it has no main content",
}


class Stage(StrEnum):
    """The product's own stages, in order.  Each has a folder with this name.  Users can add stages."""

    PAGES = "pages"
    TEXTS = "texts"
    LANGUAGE_SIGNALS = "signals-language"
    TEXT_SIGNALS = "signals-text"
    DATATROVE_SIGNALS = "signals-datatrove"  # this and the following only if a rule or the recipe asks for them
    C4_SIGNALS = "signals-c4"
    CHINESEWEBTEXT_SIGNALS = "signals-chinesewebtext"
    VERDICTS = "verdicts"
    SKETCHES = "sketches"
    TWINS = "twins"
    SPLIT = "split"
    DOCS = "docs"
    TOKENIZER = "tokenizer"
    TOKENS = "tokens"
    VOCABULARY = "vocabulary"


CAPS = "caps"  # a stage of recipes with `filters.max_pages_per_host` only, between sketches and twins
HOST_CAP = "max_pages_per_host"  # what it puts on record as the rule
REPEATED_LINES = "repeated_lines"  # of recipes with `[[dedup.lines]]` only, between pages and texts
# of recipes with `[dedup.urls]`, `[dedup.semantic]` and `[dedup.repeats]` only: before twins, and after
SAME_URL, SEMANTIC, REPEATED_TEXT = "same_url", "semantic", "repeated_text"
SIGNALS = "signals-"  # the beginning of the names of signal groups
QUALITY_SIGNALS, LIST_SIGNALS = f"{SIGNALS}quality", f"{SIGNALS}lists"  # groups that are there if a recipe asks
CONTAMINATION_SIGNALS = f"{SIGNALS}contamination"


class Reason(StrEnum):
    """The kinds of reasons why a page leaves the corpus.  `stage` of a ledger row says which one applies."""

    UNREADABLE = "pages"  # `rule` is the Status
    RULE = "verdicts"  # `rule` is the rule's name in the recipe
    CAP = "caps"  # `rule` is HOST_CAP
    DUPLICATE = "twins"  # a duplicate of any kind: `rule` is a Duplicate


class Outcome(StrEnum):
    """The outcome of a page in reports: dropped for one of the reasons, waiting, or in the corpus."""

    UNREADABLE = Reason.UNREADABLE
    RULE = Reason.RULE
    CAP = Reason.CAP
    DUPLICATE = Reason.DUPLICATE
    UNDECIDED = "undecided"
    KEPT = "kept"


class Duplicate(StrEnum):
    """How a duplicate was found.  Column `rule` of twins and of the ledger."""

    EXACT = "exact_duplicate"  # the same final text
    NEAR = "near_duplicate"  # the Jaccard similarity of the shingle sets, computed exactly, reaches `dedup.threshold`
    URL = "url_duplicate"  # the same normalised URL
    SEMANTIC = "semantic_duplicate"  # the cosine of the given embeddings reaches `dedup.semantic.threshold`
    REPEATED = "repeated_text"  # nearly all of its text stands in other documents


class Fate(StrEnum):
    """What happened to a URL that a crawl met.  Column `fate` of urls."""

    FETCHED = "fetched"  # answered; the record is in the WARC file, whatever the HTTP status
    UNCHANGED = "unchanged"  # answered as in an earlier crawl; the WARC file has a revisit record
    ROBOTS_DISALLOWED = "robots_disallowed"  # robots.txt forbids it
    # the answer for robots.txt was 5xx, 429 or missing, so everything is forbidden
    ROBOTS_UNREACHABLE = "robots_unreachable"
    OPTED_OUT = "opted_out"  # the host's tdmrep.json or ai.txt reserves it
    OUT_OF_SCOPE = "out_of_scope"  # host or scheme outside the recipe's scope
    TRAP = "trap"  # it looks like one of endless addresses: a calendar, a path that repeats; `error` says which
    TOO_DEEP = "too_deep"  # more links away from a seed than `max_depth`
    PAGE_LIMIT = "page_limit"  # `max_pages` or `max_pages_per_host` was reached first
    NOFOLLOW = "nofollow"  # found only on pages or links that say nofollow
    PRIVATE_ADDRESS = "private_address"  # the name resolves to an address that is not public
    TOO_LARGE = "too_large"  # the answer was cut off at `max_page_bytes`
    FAILED = "failed"  # no answer: DNS, connection, TLS, timeout; `error` says which
    REDIRECT_LIMIT = "redirect_limit"  # more redirects in a row than allowed
    WAITING = "waiting"  # its turn has not come; only of crawls that are not finished, and not in the table urls
