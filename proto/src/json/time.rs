//! Timestamps: RFC 3339 out, and in also local times whose zone the caller knows.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};

/// The first and the last second that fit the years 0001 to 9999 (`google.protobuf.Timestamp`).
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// `2026-11-21T09:00:00.123456Z` at most.
pub(super) struct Text {
    bytes: [u8; 27],
    len: usize,
}

impl Text {
    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn digits(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            self.push(b'0' + u8::try_from(value / 10_u32.pow(place) % 10).unwrap_or_default());
        }
    }
}

/// UTC with `Z` and 0, 3 or 6 digits of a fraction; nothing for what is out of range.
pub(super) fn print(seconds: i64, nanos: i64) -> Option<Text> {
    if !RANGE.contains(&seconds) {
        return None;
    }
    // Written by hand: chrono's formatter costs more than the rest of a task together.
    let time = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let micros = u32::try_from(nanos.clamp(0, 999_999_999) / 1000).ok()?;
    let mut text = Text { bytes: [0; 27], len: 0 };
    let (date, time) = (time.date(), time.time());
    text.digits(u32::try_from(date.year()).ok()?, 4);
    for (mark, value) in
        [(b'-', date.month()), (b'-', date.day()), (b'T', time.hour()), (b':', time.minute()), (b':', time.second())]
    {
        text.push(mark);
        text.digits(value, 2);
    }
    if micros > 0 {
        text.push(b'.');
        if micros.is_multiple_of(1000) {
            text.digits(micros / 1000, 3);
        } else {
            text.digits(micros, 6);
        }
    }
    text.push(b'Z');
    Some(text)
}

/// A time as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// With an offset.
    Instant(DateTime<Utc>),
    /// Without: what the clocks show somewhere.
    Local(NaiveDateTime),
}

/// Reads RFC 3339, a local date and time with or without seconds, or a date, which means its start.
pub(super) fn parse(text: &str) -> Option<Written> {
    if !text.is_ascii() {
        return None;
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(Written::Instant(instant.to_utc()));
    }
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok())?
    };
    let mark = |at: usize, mark: u8| (text.as_bytes().get(at) == Some(&mark)).then_some(());

    mark(4, b'-')?;
    mark(7, b'-')?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(digits(0..4)?).ok()?, digits(5..7)?, digits(8..10)?)?;
    if text.len() == 10 {
        return Some(Written::Local(date.and_time(NaiveTime::MIN)));
    }
    mark(10, b'T').or_else(|| mark(10, b't')).or_else(|| mark(10, b' '))?;
    mark(13, b':')?;
    let (hour, minute) = (digits(11..13)?, digits(14..16)?);
    if text.len() == 16 {
        return Some(Written::Local(date.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?)));
    }
    mark(16, b':')?;
    let second = digits(17..19)?;
    let micros = if text.len() == 19 {
        0
    } else {
        mark(19, b'.')?;
        let fraction = text.get(20..).filter(|fraction| !fraction.is_empty() && fraction.len() <= 9)?;
        digits(20..text.len())? * 10_u32.pow(9 - u32::try_from(fraction.len()).ok()?) / 1000
    };
    Some(Written::Local(date.and_time(NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?)))
}

/// Seconds and nanoseconds of an instant, truncated to microseconds; nothing outside the years 0001 to 9999.
pub(super) fn parts(instant: DateTime<Utc>) -> Option<(i64, i32)> {
    // chrono keeps a leap second as 1,000,000,000 nanoseconds or more of the one before.
    let nanos = instant.timestamp_subsec_nanos();
    let seconds = instant.timestamp() + i64::from(nanos / 1_000_000_000);
    let nanos = nanos % 1_000_000_000 / 1000 * 1000;
    RANGE.contains(&seconds).then_some((seconds, i32::try_from(nanos).ok()?))
}
