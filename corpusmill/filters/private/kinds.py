"""The kinds of personal data: their settings, columns and placeholders, in the order of the columns."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of personal data: the key in `[pii]`, and what stands for it in a text."""

    setting: str
    token: str


KINDS = (
    Kind("emails", "<email>"),
    Kind("ip_addresses", "<ip>"),
    Kind("phones", "<phone>"),
    Kind("credit_cards", "<credit_card>"),
    Kind("ibans", "<iban>"),
    Kind("national_ids", "<national_id>"),
    Kind("credentials", "<credentials>"),
    Kind("keys", "<key>"),
)
EMAIL, IP, PHONE, CARD, IBAN, NATIONAL_ID, CREDENTIALS, KEY = range(len(KINDS))
TOKENS = tuple(kind.token.encode() for kind in KINDS)
