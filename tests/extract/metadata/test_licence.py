import pytest

from corpusmill.extract.metadata.licence import identifier, only_deed


@pytest.mark.parametrize(
    ("url", "licence"),
    [
        ("http://creativecommons.org/licenses/by-nc-nd/2.5/au/deed.en", "CC-BY-NC-ND-2.5-AU"),
        ("https://CreativeCommons.org/licenses/BY/4.0", "CC-BY-4.0"),
        ("//creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/deed.fr", "PDM-1.0"),
        ("https://creativecommons.org/", "https://creativecommons.org/"),
        ("https://opensource.org/license/mit", "https://opensource.org/license/mit"),
    ],
)
def test_identifier(url, licence):
    assert identifier(url) == licence


def test_only_deed():
    by, again, other = (f"https://creativecommons.org/licenses/{rest}" for rest in ("by/4.0/", "by/4.0", "by/2.0/"))
    assert only_deed([by, "https://creativecommons.org/about", again]) == "CC-BY-4.0"
    assert only_deed([by, other]) is None
    assert only_deed([]) is None
