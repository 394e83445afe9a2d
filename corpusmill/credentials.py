"""Credentials in URLs: masked in everything that is written or printed; only a run's memory holds the real ones.

A password in `https://user:password@host/` becomes `***`, and so does a user name that stands alone in an HTTP URL,
which is a token.  Of a query the values of arguments are masked that sign or open something: `X-Amz-Signature=***`.
"""

import re

MASK = "***"
_USER_AS_PATH = "(?<!github)(?<!git)"  # github://organisation:repository@branch/path
_FREE = r"[^\s/?#]"  # of a password: whatever may stand in the host's part of an address
_PASSWORD = re.compile(
    rf"{_USER_AS_PATH}(://[^\s/:?#\[\]]{{0,4000}}:)(?!:|\d{{0,5}}(?:[/?#\s,;)'\"]|$))(?:{_FREE}{{0,4000}}|[^\s'\"]{{0,400}}?)@"
)
_TOKEN_AS_USER = re.compile(r"(\bhttps?://)(?!\*\*\*@)[^\s/:@?#]{1,4000}@", re.IGNORECASE)
_SECRETS = (
    *("sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature"),
    *("x-goog-credential", "awsaccesskeyid", "googleaccessid", "key-pair-id", "policy", "token", "access_token"),
    *("auth_token", "auth", "authorization", "sas", "key", "api_key", "apikey", "api-key", "secret", "client_secret"),
    *("password", "passwd", "pwd", "pass", "private_token", "refresh_token", "id_token", "hf_token", "authtoken"),
    *("access_key", "access-token", "access-key", "awssecretkey", "secret_key", "sessionid", "session_token", "jwt"),
    *("api%5Fkey", "x-api-key", "job_token", "deploy_token", "bearer"),
)
_ARGUMENT = re.compile(rf"([?&;#](?:{'|'.join(map(re.escape, _SECRETS))})=)(?!\*\*\*)[^&;#\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """A URL, or a text with URLs in it, without the credentials in them."""
    if "@" in text and "://" in text:
        text = _PASSWORD.sub(rf"\1{MASK}@", text)
        text = _TOKEN_AS_USER.sub(rf"\1{MASK}@", text)
    return _ARGUMENT.sub(rf"\1{MASK}", text) if "=" in text else text
