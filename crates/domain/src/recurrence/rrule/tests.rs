use std::iter;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::*;
use crate::{
    recurrence::{Recurrence, RecurrenceDraft, RecurrenceType},
    testing::{at, context},
};

fn draft(rule: &str) -> RecurrenceDraft {
    RecurrenceDraft { recurrence_type: RecurrenceType::Rrule, rrule: Some(rule.to_owned()), ..Default::default() }
}

fn series(rule: &str, first: Timestamp, zone: Tz) -> Recurrence {
    let mut context = context("1990-01-01T00:00:00Z");
    context.zone = zone;
    Recurrence::new(&draft(rule), Some(first), &context).unwrap()
}

/// Section 3.8.5.3 of RFC 5545: its examples, as a rule, its DTSTART in New York, and the slots that follow it.
const EXAMPLES: [(&str, &str, &str); 38] = [
    ("FREQ=DAILY;INTERVAL=2", "1997-09-02 09:00", "09-04 09-06 09-08 09-10"),
    ("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 09:00", "09-12 09-22 10-02 10-12 -"),
    ("FREQ=DAILY;UNTIL=19970904T130000Z", "1997-09-02 09:00", "09-03 09-04 -"),
    (
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "1998-01-30 09:00",
        "01-31 01-01 01-02",
    ),
    ("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "2000-01-30 09:00", "01-31 -"),
    ("FREQ=WEEKLY;COUNT=10", "1997-09-02 09:00", "09-09 09-16 09-23 09-30 10-07 10-14 10-21 10-28 11-04 -"),
    ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02 09:00", "09-16 09-30 10-14 10-28 11-11 11-25 12-09 12-23 01-06"),
    (
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 09:00",
        "09-04 09-09 09-11 09-16 09-18 09-23 09-25 09-30 10-02 -",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01 09:00",
        "09-03 09-05 09-15 09-17 09-19 09-29 10-01 10-03 10-13",
    ),
    (
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 09:00",
        "09-04 09-16 09-18 09-30 10-02 10-14 10-16 -",
    ),
    ("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05 09:00", "10-03 11-07 12-05 01-02 02-06 03-06 04-03 05-01 06-05 -"),
    (
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07 09:00",
        "09-28 11-02 11-30 01-04 01-25 03-01 03-29 05-03 05-31 -",
    ),
    ("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 09:00", "10-20 11-17 12-22 01-19 02-16 -"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28 09:00", "10-29 11-28 12-29 01-29 02-26"),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02 09:00",
        "09-15 10-02 10-15 11-02 11-15 12-02 12-15 01-02 01-15 -",
    ),
    (
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30 09:00",
        "10-01 10-31 11-01 11-30 12-01 12-31 01-01 01-31 02-01 -",
    ),
    (
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10 09:00",
        "09-11 09-12 09-13 09-14 09-15 03-10 03-11 03-12 03-13 -",
    ),
    ("FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997-09-02 09:00", "09-09 09-16 09-23 09-30 11-04 11-11 11-18 11-25 01-06"),
    ("FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997-06-10 09:00", "07-10 06-10 07-10 06-10 07-10 06-10 07-10 06-10 07-10 -"),
    (
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10 09:00",
        "01-10 02-10 03-10 01-10 02-10 03-10 01-10 02-10 03-10 -",
    ),
    (
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01 09:00",
        "04-10 07-19 01-01 04-09 07-18 01-01 04-10 07-19 01-01 -",
    ),
    ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19 09:00", "05-18 05-17"),
    ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12 09:00", "05-11 05-17"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13 09:00", "03-20 03-27 03-05 03-12 03-19 03-26 03-04"),
    ("FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "1997-06-05 09:00", "06-12 06-19 06-26 07-03 07-10 07-17 07-24 07-31 08-07"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1997-09-02 09:00", "02-13 03-13 11-13 08-13 10-13"),
    ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13 09:00", "10-11 11-08 12-13 01-10 02-07 03-07"),
    ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05 09:00", "11-07 11-02"),
    ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 09:00", "10-07 11-06 -"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29 09:00", "10-30 11-27 12-30 01-29 02-26 03-30"),
    ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", "1997-09-02 09:00", "12:00 15:00 -"),
    ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", "1997-09-02 09:00", "09:15 09:30 09:45 10:00 10:15 -"),
    ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", "1997-09-02 09:00", "10:30 12:00 13:30 -"),
    ("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", "1997-09-02 16:00", "16:20 16:40 09:00 09:20"),
    ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16", "1997-09-02 16:00", "16:20 16:40 09:00 09:20"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 09:00", "08-10 08-19 08-24 -"),
    ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 09:00", "08-17 08-19 08-31 -"),
    ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 09:00", "01-30 02-15 03-15 03-30 -"),
];

#[test]
fn the_examples_of_the_standard_come_out() {
    for (rule, first, expected) in EXAMPLES {
        let first = NaiveDateTime::parse_from_str(first, "%Y-%m-%d %H:%M").unwrap();
        let zone = Tz::America__New_York;
        let series = series(rule, zone::resolve(zone, first), zone);
        let expected: Vec<_> = expected.split(' ').collect();
        let format = if expected[0].contains(':') { "%H:%M" } else { "%m-%d" };
        let slots = series.slots();
        let mut shown: Vec<_> = slots
            .after(series.anchor_at)
            .take(expected.len())
            .map(|slot| zone::local(zone, slot).format(format).to_string())
            .collect();
        if shown.len() < expected.len() {
            shown.push("-".to_owned());
        }
        assert_eq!(shown, expected, "{rule}");
    }
}

#[test]
fn a_rule_is_kept_in_one_form() {
    for (given, kept) in [
        ("FREQ=DAILY", "FREQ=DAILY"),
        (" rrule:wkst=mo;interval=1;freq=daily ", "FREQ=DAILY"),
        ("BYDAY=FR,-1MO,mo,+2TU,FR;FREQ=MONTHLY;INTERVAL=02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1MO,MO,FR,2TU"),
        ("FREQ=YEARLY;WKST=SU;BYSETPOS=-1,1;BYMONTH=12,1", "FREQ=YEARLY;BYMONTH=1,12;BYSETPOS=-1,1;WKST=SU"),
        (
            "BYSECOND=0;BYMINUTE=30,0;BYHOUR=9;BYMONTHDAY=1,-1;BYYEARDAY=+1;FREQ=YEARLY;BYWEEKNO=1",
            "FREQ=YEARLY;BYWEEKNO=1;BYYEARDAY=1;BYMONTHDAY=-1,1;BYHOUR=9;BYMINUTE=0,30;BYSECOND=0",
        ),
    ] {
        let (rule, _) = Rrule::parse(given).unwrap();
        assert_eq!(rule.to_string(), kept, "{given}");
        assert_eq!(Rrule::parse(kept).unwrap().0, rule, "{given}");
    }
}

#[test]
fn what_is_no_rule_is_refused_with_what_it_takes() {
    for (rule, says) in [
        ("", "must be parts such as FREQ=DAILY with ; between them, got \"\""),
        ("every day", "got \"EVERY DAY\""),
        ("FREQ=DAILY;", "must be parts such as"),
        ("INTERVAL=2", "must have one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY as FREQ"),
        (
            "FREQ=SECONDLY",
            "must have one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY as FREQ, got \"SECONDLY\"",
        ),
        ("FREQ=DAILY;FREQ=DAILY", "must have each part once, got FREQ twice"),
        ("FREQ=DAILY;INTERVAL=0", "must have 1 to 1000000 as INTERVAL, got \"0\""),
        ("FREQ=DAILY;INTERVAL=1000001", "1 to 1000000 as INTERVAL"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "1 to 1000000 as INTERVAL"),
        ("FREQ=DAILY;BYHOUR=24", "must have numbers from 0 to 23 as BYHOUR, got \"24\""),
        ("FREQ=DAILY;BYHOUR=-1", "numbers from 0 to 23 as BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=", "numbers from 0 to 59 as BYMINUTE"),
        ("FREQ=DAILY;BYMONTH=1,,2", "as BYMONTH"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "numbers from 1 to 31 (or from the end, with a minus) as BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=--1", "as BYMONTHDAY"),
        ("FREQ=MONTHLY;BYDAY=0MO", "weekdays such as MO, 2TU or -1FR as BYDAY"),
        ("FREQ=MONTHLY;BYDAY=MONDAY", "as BYDAY"),
        ("FREQ=MONTHLY;BYDAY=é", "as BYDAY"),
        ("FREQ=WEEKLY;WKST=1", "one of MO, TU, WE, TH, FR, SA, SU as WKST"),
        ("FREQ=DAILY;COUNT=x", "a number as COUNT"),
        ("FREQ=DAILY;UNTIL=2026-01-01", "20261231, 20261231T090000 or ...Z as UNTIL"),
        ("FREQ=DAILY;UNTIL=20260230", "20261231, 20261231T090000 or ...Z as UNTIL"),
        ("FREQ=DAILY;BYEASTER=1", "must have parts of RFC 5545, section 3.3.10, got \"BYEASTER\""),
        ("FREQ=DAILY;DTSTART=20260101T090000Z", "must not have DTSTART: a rule begins with the task's due date"),
        ("DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY", "must be one rule, without DTSTART, RDATE, EXDATE or EXRULE"),
        ("FREQ=DAILY\nEXDATE:20260101T090000Z", "must be one rule"),
        ("FREQ=DAILY;BYWEEKNO=1", "must have BYWEEKNO only with FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "must not have BYYEARDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "must not have BYMONTHDAY with FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "must number weekdays in BYDAY only"),
        ("FREQ=YEARLY;BYDAY=1MO;BYWEEKNO=1", "must number weekdays in BYDAY only"),
        ("FREQ=MONTHLY;BYSETPOS=1", "must have another BY part with BYSETPOS"),
        ("FREQ=HOURLY;BYMINUTE=1,2;BYSETPOS=1", "must not have BYSETPOS with FREQ=HOURLY"),
        ("FREQ=DAILY;BYSECOND=0,30", "must have one BYSECOND at most"),
    ] {
        let said = Rrule::parse(rule).unwrap_err();
        assert!(said.contains(says), "{rule}: {said}");
    }
    assert!(Rrule::parse(&format!("FREQ=DAILY{}", " ".repeat(490))).is_ok());
    assert_eq!(Rrule::parse(&" ".repeat(501)).unwrap_err(), "must be at most 500 characters, got 501");
}

#[test]
fn a_rule_that_never_matches_is_refused_and_costs_little() {
    let odd: Vec<_> = (0..30).map(|minute| (2 * minute + 1).to_string()).collect();
    for rule in [
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=YEARLY;BYMONTHDAY=31;BYSETPOS=50".to_owned(),
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6".to_owned(),
        "FREQ=YEARLY;BYMONTH=3;BYDAY=6MO".to_owned(),
        "FREQ=YEARLY;INTERVAL=51".to_owned(),
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=10;BYMINUTE=59".to_owned(),
        format!("FREQ=MINUTELY;INTERVAL=2;BYMINUTE={}", odd.join(",")),
        format!("FREQ=MINUTELY;INTERVAL=14;BYMINUTE={}", odd.join(",")),
        "FREQ=MINUTELY;INTERVAL=7;BYDAY=MO;BYHOUR=5;BYMINUTE=3".to_owned(),
    ] {
        let mut context = context("2026-03-02T08:00:00Z");
        context.zone = Tz::UTC;
        let refused = Recurrence::new(&draft(&rule), Some(context.now), &context).unwrap_err();
        let said = refused.violations[0].to_string();
        assert_eq!(said, "recurrence.rrule must match within 50 years, this one never does", "{rule}");
    }
}

#[test]
fn what_a_rule_says_of_its_end_goes_where_it_belongs() {
    let now = context("2026-03-02T08:00:00Z");
    let write = |draft: &RecurrenceDraft| Recurrence::new(draft, Some(now.now), &now);
    for (until, instant) in [
        ("20260310T090000Z", "2026-03-10T09:00:00Z"),
        ("20260310T090000", "2026-03-10T09:00:00+01:00"),
        ("20260310", "2026-03-10T23:59:59.999999+01:00"),
    ] {
        let series = write(&draft(&format!("FREQ=DAILY;UNTIL={until};COUNT=99"))).unwrap();
        assert_eq!((series.until, series.count), (Some(at(instant)), Some(99)), "{until}");
        assert_eq!(series.rule.rrule(), Some("FREQ=DAILY"));
        assert_eq!(RecurrenceDraft::from(&series).until, series.until);
    }
    let refused = |draft: RecurrenceDraft| write(&draft).unwrap_err().violations[0].to_string();
    let both = RecurrenceDraft { count: Some(2), ..draft("FREQ=DAILY;COUNT=2") };
    assert_eq!(refused(both), "recurrence.count must not be given beside the COUNT of rrule");
    let both = RecurrenceDraft { until: Some(at("2026-04-01T00:00:00Z")), ..draft("FREQ=DAILY;UNTIL=20260401") };
    assert_eq!(refused(both), "recurrence.until must not be given beside the UNTIL of rrule");
    assert!(refused(draft("FREQ=DAILY;COUNT=0")).starts_with("recurrence.count must be 1 to 10000"));
    assert!(refused(draft("FREQ=DAILY;UNTIL=20260301")).starts_with("recurrence.until must not be before"));
}

#[test]
fn what_a_rule_leaves_open_is_as_at_its_first_slot() {
    let shown = |rule: &str, first: &str| {
        let series = series(rule, at(first), Tz::UTC);
        let next = series.next_after(at(first)).unwrap();
        next.format("%Y-%m-%d %H:%M:%S%.f").to_string()
    };
    // A Tuesday.
    let first = "2026-03-31T14:15:16.25Z";
    for (rule, next) in [
        ("FREQ=DAILY", "2026-04-01 14:15:16.250"),
        ("FREQ=DAILY;BYHOUR=9", "2026-04-01 09:15:16.250"),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", "2026-04-01 09:00:00"),
        ("FREQ=WEEKLY", "2026-04-07 14:15:16.250"),
        ("FREQ=MONTHLY", "2026-05-31 14:15:16.250"),
        ("FREQ=YEARLY", "2027-03-31 14:15:16.250"),
        ("FREQ=YEARLY;BYMONTH=5", "2026-05-31 14:15:16.250"),
        ("FREQ=YEARLY;BYWEEKNO=20", "2026-05-12 14:15:16.250"),
        ("FREQ=HOURLY", "2026-03-31 15:15:16.250"),
        ("FREQ=HOURLY;BYMINUTE=30", "2026-03-31 14:30:16.250"),
        ("FREQ=MINUTELY;BYSECOND=20", "2026-03-31 14:15:20"),
    ] {
        assert_eq!(shown(rule, first), next, "{rule}");
    }
}

/// A list of some of these numbers, or none.
fn some(of: Vec<i32>, most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(of), 0..=most)
        .prop_map(|items| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn signed(range: RangeInclusive<i32>) -> Vec<i32> {
    range.clone().map(|number| -number).chain(range).collect()
}

prop_compose! {
    /// Rules of every kind that the standard allows, or nearly.
    fn rules()(
        frequency in prop::sample::select(&FREQUENCIES[..]),
        interval in 1..5,
        by_month in some((1..=12).collect(), 3),
        by_week in some(signed(1..=51), 3),
        by_year_day in some(signed(1..=366), 4),
        by_month_day in some(signed(1..=31), 4),
        nth in prop::collection::vec(prop::sample::select(signed(1..=4)), 0..3),
        days in prop::collection::vec(prop::sample::select(&WEEKDAYS[..]), 0..4),
        by_hour in some((0..=23).collect(), 3),
        by_minute in some((0..=59).collect(), 3),
        by_position in some(signed(1..=6), 3),
        week_start in prop::sample::select(&WEEKDAYS[..]),
        // Mostly few parts, so that most rules have slots.
        keep in prop::collection::vec(prop::bool::weighted(0.35), 8),
    ) -> String {
        let day = |(index, (name, _)): (usize, &(&str, Weekday))| {
            nth.get(index).map_or_else(|| (*name).to_owned(), |nth| format!("{nth}{name}"))
        };
        let by_day = days.iter().enumerate().map(day).collect::<Vec<_>>().join(",");
        let mut rule = format!("FREQ={frequency};INTERVAL={interval};WKST={}", week_start.0);
        let parts = [
            ("BYMONTH", by_month), ("BYWEEKNO", by_week), ("BYYEARDAY", by_year_day), ("BYMONTHDAY", by_month_day),
            ("BYDAY", by_day), ("BYHOUR", by_hour), ("BYMINUTE", by_minute), ("BYSETPOS", by_position),
        ];
        for ((name, list), keep) in parts.iter().zip(keep) {
            if keep && !list.is_empty() {
                let _ = write!(rule, ";{name}={list}");
            }
        }
        rule
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Some differences are meant. Of a rule by the week alone, the weekday is that of the first slot (the crate has all
    /// seven); a position counts in a whole week (the crate counts from the first slot on); a list of weekdays is all it
    /// names (the crate has only what is both a Monday and a last Monday).
    #[test]
    fn slots_are_those_of_another_implementation(rule in rules(), first in 0_i64..2_000_000_000) {
        let first = Timestamp::from_timestamp(first, 0).unwrap();
        let Ok((read, _)) = Rrule::parse(&rule) else { return Ok(()) };
        let by_week_alone = !read.by_week.is_empty()
            && read.by_day.is_empty() && read.by_month_day.is_empty() && read.by_year_day.is_empty();
        let positions_in_week = read.frequency == Frequency::Weekly && !read.by_position.is_empty();
        let mixed = read.by_day.iter().any(|(nth, _)| *nth == 0) && read.by_day.iter().any(|(nth, _)| *nth != 0);
        // Below a day the crate passes over slots: MINUTELY;BYMONTH=3;BYHOUR=1 of 1975-09-08 begins in the last third of March.
if by_week_alone || positions_in_week || mixed || read.frequency >= Frequency::Hourly {
            return Ok(());
        }
        let theirs: rrule::RRuleSet =
            format!("DTSTART:{}\nRRULE:{rule}", first.format("%Y%m%dT%H%M%SZ")).parse().unwrap();
        let theirs: Vec<_> = theirs.all(12).dates.iter().map(DateTime::to_utc).filter(|slot| *slot > first).collect();
        // Further ahead we do not search.
        let near = |pair: &(Timestamp, &Timestamp)| *pair.1 - pair.0 < TimeDelta::days(50 * 365);
        let theirs: Vec<_> = iter::once(first).chain(theirs.clone()).zip(&theirs).take_while(near).map(|it| *it.1).collect();
        let mut context = context("1970-01-01T00:00:00Z");
        context.zone = Tz::UTC;
        match Recurrence::new(&draft(&rule), Some(first), &context) {
            Ok(series) => {
                let ours: Vec<_> = series.slots().after(first).take(theirs.len()).collect();
                prop_assert_eq!(ours, theirs, "{}", rule);
            }
            Err(_) => prop_assert!(theirs.is_empty(), "{} from {} has {:?}", rule, first, theirs.first()),
        }
    }

    #[test]
    fn whatever_is_written_as_a_rule_is_read_or_refused(rule in "(FREQ=|[A-Z]{2,9}=|;|[-+0-9,]{1,4}|[A-Z]{2}|DAILY|é| ){0,12}") {
        if let Ok((read, _)) = Rrule::parse(&rule) {
            prop_assert_eq!(Rrule::parse(&read.to_string()), Ok((read, End::default())));
        }
    }

    #[test]
    fn every_rule_that_is_read_has_one_form(rule in rules()) {
        if let Ok((read, _)) = Rrule::parse(&rule) {
            prop_assert_eq!(Rrule::parse(&read.to_string()), Ok((read, End::default())));
        }
    }
}
