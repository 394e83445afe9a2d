import time
from datetime import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.metadata.dates import dates_in, is_day_first, iso_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2025-04-03", "2025-04-03"),
        (" 2025-04-03T17:05:09Z\n", "2025-04-03T17:05:09+00:00"),
        ("2025-04-03T17:05:09.123+0530", "2025-04-03T17:05:09+05:30"),
        ("2025-04-03 17:05", "2025-04-03T17:05:00"),
        ("20250403", "2025-04-03"),
        ("'2025-4-3'", "2025-04-03"),
        ("2025-04-03 17:05:09 +0000 UTC", "2025-04-03T17:05:09+00:00"),
        ("2025-04-03UTC07:30:00+00:00", "2025-04-03T07:30:00+00:00"),
        ("2013-08-22 21:43:53 UTC", "2013-08-22T21:43:53+00:00"),
        ("2025-04-03T17:05:09 02:00", "2025-04-03T17:05:09"),
        ("2025/04/03 17:05", "2025-04-03T17:05:00"),
        ("2025 04 03", "2025-04-03"),
        ("2025年4月3日 17:05", "2025-04-03T17:05:00"),
        ("2025년 4월 3일", "2025-04-03"),
        ("2025. 4. 3.", "2025-04-03"),
        ("03.04.2025, 09:30 Uhr", "2025-04-03T09:30:00"),
        ("3. 4. 2025", "2025-04-03"),
        ("13/11/2025 09:21:40", "2025-11-13T09:21:40"),
        ("Thu, 09/25/2025 - 11:38", "2025-09-25T11:38:00"),
        ("8/1/2025 4:28:19 PM", "2025-08-01T16:28:19"),
        ("8/8/2025", "2025-08-08"),
        ("3/4/2025", None),
        ("01/07/16", None),
        ("Thu, 03 Apr 2025 17:05:09 +0200", "2025-04-03T17:05:09+02:00"),
        ("Fri Dec 19 2025 19:27:22 GMT+0100 (CET)", "2025-12-19T19:27:22+01:00"),
        ("Fri Apr 28 19:20:36 CEST 2023", "2023-04-28"),
        ("Published: Dec 17th 2025 at 12:05 a.m. EST", "2025-12-17T00:05:00"),
        ("July 17, 2015 | 8 min read", "2015-07-17"),
        ("25.Jun.2019", "2019-06-25"),
        ("3. März 2025", "2025-03-03"),
        ("1er août 2024 à 14h30", "2024-08-01T14:30:00"),
        ("3 de mayo de 2024", "2024-05-03"),
        ("torsdag 09. mai 2024 - 13:26", "2024-05-09T13:26:00"),
        ("3 мая 2024 г.", "2024-05-03"),
        ("Παρ, 3 Μαΐου 2024", "2024-05-03"),
        ("2024. május 3.", "2024-05-03"),
        ("2024 m. gegužės 3 d.", "2024-05-03"),
        ("3 พฤษภาคม 2567", "2024-05-03"),
        ("٣ مايو ٢٠٢٤", "2024-05-03"),
        ("3 พ.ค. 2567", "2024-05-03"),
        ("03/05/2567", "2024-05-03"),
        ("令和2年1月2日", "2020-01-02"),
        ("平成元年1月8日", None),
        ("中華民國113年5月3日", "2024-05-03"),
        ("Ngày 3 tháng 5 năm 2024", "2024-05-03"),
        ("3 במאי 2024", "2024-05-03"),
        ("3 май 2024 г.", "2024-05-03"),
        ("03/May/2024", "2024-05-03"),
        ("۱۳ اردیبهشت ۱۴۰۳", None),
        ("1403/02/14", None),
        ("/Date(1714723200000)/", "2024-05-03T08:00:00+00:00"),
        ("1750680000000", "2025-06-23T12:00:00+00:00"),
        ("1715279080", "2024-05-09T18:24:40+00:00"),
        ("2026-02", "2026-02"),
        ("2019/1", "2019-01"),
        ("2020", "2020"),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01", None),
        ("2025-02-30", None),
        ("2025-13", None),
        ("5 hours ago", None),
        ("Dec 23", None),
        ("140961138903", None),
        ("", None),
    ],
)
def test_forms(text, date):
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("language", "date"),
    [("fr", "2025-04-03"), ("en-GB", "2025-04-03"), ("en_US", "2025-03-04"), ("en", None), ("ja", None), (None, None)],
)
def test_numbers_are_read_by_language(language, date):
    assert iso_date("3/4/2025", day_first=is_day_first(language)) == date
    assert iso_date("13/4/2025", day_first=is_day_first(language)) == "2025-04-13"


def test_dates_in_a_line():
    line = "Published 3 May 2024 10:20, updated 2024-05-04 (3/4/2024)"
    dates = [("2024-05-03T10:20:00", 10, 26), ("2024-05-04", 36, 46)]
    assert list(dates_in(line)) == dates
    assert [date for date, _, _ in dates_in(line, day_first=False)] == [*(date for date, _, _ in dates), "2024-03-04"]


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2050, 12, 30), timezones=st.timezones()).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(MOMENTS)
def test_what_is_written_is_read(moment):
    offset = moment.utcoffset()
    if offset.total_seconds() % 60 == 0:
        assert iso_date(format_datetime(moment)) == moment.isoformat()
    assert iso_date(moment.isoformat()) == moment.isoformat()
    assert iso_date(f"{moment:%d.%m.%Y}") == iso_date(f"{moment:%B %d, %Y}") == moment.date().isoformat()


@given(st.text(st.sampled_from("0129 -/.:年月日JanMAYpmTZ+é,\n٣")) | st.text())
def test_any_text(text):
    found = iso_date(text)
    assert found is None or iso_date(found) == found


@pytest.mark.parametrize("piece", ["1", "2025-", "Jan ", "1 Jan", " ", "2025 ", "Jan 1 1:11 "])
def test_hostile_text_takes_linear_time(piece):
    start = time.thread_time()
    iso_date(piece * 100_000)
    iso_date((piece * 100)[:100])
    assert time.thread_time() - start < 0.1
