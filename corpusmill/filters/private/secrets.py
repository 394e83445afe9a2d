"""What keys and credentials look like: known prefixes, secret arguments of URLs, and how random a value must be.

Prefixes are those that the issuers publish; most stand in the lists of GitHub's secret scanning and of detect-secrets.
"""

import math
from typing import NamedTuple

UPPER, ALNUM, WORD, DOTTED, HEX = 1, 2, 4, 8, 16
"""Sets of characters of a key: A-Z0-9; A-Za-z0-9; the same with `_-`; the same with `_-.`; 0-9a-f."""


class Prefix(NamedTuple):
    """How a kind of key begins, and what follows: so many characters of a set, with so many dots in them."""

    text: bytes
    characters: int
    least: int
    most: int
    dots: int = 0


PREFIXES = (
    *(Prefix(prefix, UPPER, 16, 16) for prefix in (b"AKIA", b"ASIA")),  # Amazon
    *(Prefix(prefix, ALNUM, 36, 255) for prefix in (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_")),  # GitHub
    Prefix(b"github_pat_", WORD, 60, 255),
    Prefix(b"glpat-", WORD, 20, 255),  # GitLab
    *(Prefix(b"xox" + letter + b"-", WORD, 20, 255) for letter in (b"a", b"b", b"e", b"p", b"r", b"s")),  # Slack
    Prefix(b"xapp-", WORD, 30, 255),
    Prefix(b"AIza", WORD, 35, 35),  # Google
    Prefix(b"ya29.", WORD, 30, 1024),
    Prefix(b"GOCSPX-", WORD, 28, 28),
    *(Prefix(prefix, ALNUM, 16, 255) for prefix in (b"sk_live_", b"rk_live_", b"sk_test_", b"rk_test_")),  # Stripe
    Prefix(b"whsec_", ALNUM, 30, 64),
    Prefix(b"sk-", WORD, 32, 255),  # OpenAI, Anthropic and others
    Prefix(b"hf_", ALNUM, 34, 40),  # Hugging Face
    Prefix(b"npm_", ALNUM, 36, 36),
    Prefix(b"pypi-AgE", WORD, 50, 1024),
    Prefix(b"dckr_pat_", WORD, 27, 64),
    Prefix(b"dop_v1_", HEX, 64, 64),  # DigitalOcean
    *(Prefix(prefix, HEX, 32, 32) for prefix in (b"shpat_", b"shpss_", b"shpca_")),  # Shopify
    Prefix(b"rzp_live_", ALNUM, 14, 14),
    Prefix(b"glsa_", WORD, 41, 64),  # Grafana
    Prefix(b"lin_api_", ALNUM, 40, 40),
    Prefix(b"LTAI", ALNUM, 16, 24),  # Alibaba
    Prefix(b"SG.", DOTTED, 60, 80, 1),  # SendGrid
    Prefix(b"eyJ", DOTTED, 36, 8192, 2),  # JSON web token
)
TRIGGERS = b"_-IJG"
"""Bytes that make one look for a prefix: each has one of these, or the 2 of ya29."""

PEM_BEGIN, PEM_NAME, PEM_END, PEM_LINE = b"-----BEGIN ", b"PRIVATE KEY", b"-----END ", b"-----"
PEM_NAME_REACH, PEM_REACH = 64, 16_384  # bytes after the beginning in which the name, and the end, must stand

SECRET_NAMES = frozenset(
    b"password passwd pwd secret client_secret access_token accesstoken refresh_token auth_token authtoken id_token "
    b"private_token session_token api_key apikey api-key x-api-key access_key access-key secret_key x-amz-signature "
    b"x-amz-credential x-amz-security-token x-goog-signature x-goog-credential awsaccesskeyid awssecretkey sessionid "
    b"phpsessid jsessionid jwt bearer hf_token job_token deploy_token".split()
)
"""Names of arguments whose value is always secret."""

VAGUE_NAMES = frozenset(b"sig signature token auth key sas pass sid session authorization".split())
"""Names of arguments whose value is secret if it looks random."""

LEAST_SECRET, LEAST_VAGUE, MOST_VALUE = 4, 16, 4096  # bytes of a value
LONGEST_NAME = max(map(len, SECRET_NAMES | VAGUE_NAMES))
MOST_AUTHORITY = 512  # bytes of user:password@host that are looked at

LEAST_RANDOM, LEAST_HEX, MOST_RANDOM = 16, 32, 512  # characters of a value behind a word such as `secret`
WORD_REACH = 24  # bytes before the colon or equals sign in which that word stands; nothing but quotes may follow it
ENTROPY = tuple(round(n * 1000 * math.log2(n)) if n else 0 for n in range(MOST_RANDOM + 1))
"""1000 n log2(n): entropy in integers, so that compiled code and Python decide alike."""

LEAST_ENTROPY, LEAST_HEX_ENTROPY = 3300, 2700  # thousandths of a bit per character
LEAST_CHANGES = 3  # from letter to digit or back; names and words have fewer
