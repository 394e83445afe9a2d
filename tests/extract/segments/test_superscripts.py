import pytest

from corpusmill.extract.segments.readable import readable


def text(html):
    return readable(html.encode()).text.tobytes().decode()


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("10<sup>8</sup> m", "10^8 m"),
        ("10<SUP class='n'>&minus;12</SUP>", "10^−12"),
        ("10<sup>-3</sup>, (a+b)<sup>2</sup>", "10^-3, (a+b)^2"),
        ("<i>x</i><sup>2</sup> + <b><i>y</i></b><sup>2</sup>", "x^2 + y^2"),
        ("面积为5公里<sup>2</sup>。", "面积为5公里^2。"),
        ("1<sup>st</sup>, 2<sup>e</sup>", "1st, 2e"),
        ('so<sup><a href="#n1">1</a></sup>', "so1"),
        ("so <sup>1</sup> and “so”<sup>2</sup>", "so 1 and “so”2"),
        ("<b>so </b><sup>1</sup>", "so 1"),
        ("H<sub>2</sub>O, <i>x</i><sub>1</sub>", "H2O, x1"),
        ("<p>one</p><sup>2</sup>", "one\n2"),
        ("10<sup>8", "108"),
        ("Ca<sup>2+</sup>, SO<sub>4</sub><sup>2&minus;</sup>", "Ca^2+, SO4^2−"),
        ("2<sup>n+1</sup>, e<sup>−x</sup>, 4<sup>1/2</sup>, 10<sup>1.5</sup>", "2^(n+1), e^(−x), 4^(1/2), 10^1.5"),
        ("x<sup>n</sup>, 1<sup>er</sup>, M<sup>me</sup>, word<sup>n</sup>", "x^n, 1er, Mme, wordn"),
        ("10<sup><b>8</b></sup>, 10<sup> 6 </sup>", "10^8, 10^6"),
        ("man<sup class=footnote>4</sup>, nobody<sup>2</sup>, 3 miles<sup>2</sup>", "man4, nobody2, 3 miles^2"),
        ("text<sup>1-3</sup>", "text1-3"),
    ],
)
def test_raised_numbers(html, expected):
    assert text(html) == expected


def test_a_page_of_superscripts_ends():
    assert text("9<sup>9</sup>" * 30_000).count("^") == 20_000
