import pytest

from corpusmill.extract.licence import identifier, licence_of


@pytest.mark.parametrize(
    ("page", "licence"),
    [
        ('<a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.de">x</a>', "CC-BY-SA-4.0"),
        ("<link href='//creativecommons.org/publicdomain/zero/1.0/' rel='license nofollow'>", "CC0-1.0"),
        ("<a href=https://example.org/terms?a=1&amp;b=2 rel=license>x</a>", "https://example.org/terms?a=1&b=2"),
        ('<p>See the license.</p><a href="/license">License</a>', None),
        ('<a href="http://creativecommons.org/licenses/by/3.0/de/">CC</a>', "CC-BY-3.0-DE"),
        ('<a href="https://creativecommons.org/publicdomain/mark/1.0/">PD</a>', "PDM-1.0"),
        (
            '<a href="https://creativecommons.org/licenses/by/4.0/">a</a> '
            '<a href="http://creativecommons.org/licenses/by/4.0/deed.en">b</a>',
            "CC-BY-4.0",
        ),
        (
            '<a href="https://creativecommons.org/licenses/by/4.0/">one picture</a>'
            '<a href="https://creativecommons.org/licenses/by-nc/2.0/">another</a>',
            None,
        ),
        ('<a href="https://creativecommons.org/">about</a>', None),
        ("license " * 10_000, None),
        ('<a rel="license">no address</a>', None),
    ],
)
def test_licence_of(page, licence):
    assert licence_of(page) == licence


def test_identifier():
    assert identifier("http://creativecommons.org/licenses/by-nc-nd/2.5/au/deed.en") == "CC-BY-NC-ND-2.5-AU"
    assert identifier("https://opensource.org/license/mit") == "https://opensource.org/license/mit"
