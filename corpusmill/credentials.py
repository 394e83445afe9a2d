"""Credentials in URLs: they are masked in all files and output, and unmasked only in the memory of a run.

The password in `https://user:password@host/` becomes `***`.  A user name without a password in an HTTP URL is a token,
so it becomes `***`, too.  In a query, the values of arguments that sign a request or give access are masked:
`X-Amz-Signature=***`.
"""

import re

MASK = "***"
_USER_AS_PATH = "(?<!github)(?<!git)"  # github://organisation:repository@branch/path
_FREE = r"[^\s/?#]"  # any character of a password
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
    """A URL, or a text with URLs, with the credentials in them masked."""
    if "@" in text and "://" in text:
        text = _PASSWORD.sub(rf"\1{MASK}@", text)
        text = _TOKEN_AS_USER.sub(rf"\1{MASK}@", text)
    return _ARGUMENT.sub(rf"\1{MASK}", text) if "=" in text else text
