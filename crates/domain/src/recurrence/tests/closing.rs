//! What follows when a task is closed.

use super::*;

#[test]
fn what_follows_a_closing_is_one_interval_later() {
    // Berlin, on a Monday at nine; the clocks go forward on the 29th.
    let first = "2026-03-23T09:00:00+01:00";
    let next = |rule: &str, closed: &str| {
        let draft = RecurrenceDraft { anchor: Anchor::Completion, ..draft(rule) };
        let series = write(&draft, Some(first), &context(first)).unwrap();
        assert_eq!(series.next_occurrence(at(closed)), None, "it is not known before");
        assert!(series.active(at(closed)));
        let next = series.next_after_closing(at(closed)).unwrap();
        assert_eq!(series.preview_after(at(closed)), Some(next));
        next.with_timezone(&series.zone).format("%m-%d %H:%M%:::z").to_string()
    };
    let (early, late) = ("2026-03-26T08:00:00+01:00", "2026-03-26T23:30:00+01:00");
    for (rule, after_early, after_late) in [
        ("daily", "03-27 09:00+01", "03-27 09:00+01"),
        ("weekly", "04-02 09:00+02", "04-02 09:00+02"),
        // What the expression matches next, on the same day if it is early.
        ("0 9 * * *", "03-26 09:00+01", "03-27 09:00+01"),
        ("FREQ=DAILY;INTERVAL=3", "03-29 09:00+02", "03-29 09:00+02"),
        ("FREQ=WEEKLY;INTERVAL=2", "04-09 09:00+02", "04-09 09:00+02"),
        ("FREQ=MONTHLY", "04-26 09:00+02", "04-26 09:00+02"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "03-27 09:00+01", "03-27 09:00+01"),
        ("FREQ=DAILY;INTERVAL=2;BYHOUR=20;BYMINUTE=0", "03-26 20:00+01", "03-28 20:00+01"),
        ("FREQ=HOURLY;INTERVAL=3", "03-26 11:00+01", "03-27 02:30+01"),
        ("FREQ=MINUTELY;INTERVAL=90", "03-26 09:30+01", "03-27 01:00+01"),
    ] {
        assert_eq!((next(rule, early).as_str(), next(rule, late).as_str()), (after_early, after_late), "{rule}");
    }
    // The day counts, not 24 hours: closed in the night before the clocks change.
    assert_eq!(next("daily", "2026-03-28T23:30:00+01:00"), "03-29 09:00+02");
    // What was closed before the series was written, or while it stood still, counts from then.
    assert_eq!(next("daily", "2026-01-01T09:00:00Z"), "03-24 09:00+01");
}

#[test]
fn a_series_by_completion_ends_by_time_and_keeps_the_end_that_it_came_to() {
    let now = context("2026-01-05T08:00:00Z");
    let draft = |until: Option<&str>, count| RecurrenceDraft {
        anchor: Anchor::Completion,
        until: until.map(at),
        count,
        ..draft("daily")
    };
    let series = |draft: &RecurrenceDraft| write(draft, Some("2026-01-05T08:00:00Z"), &now).unwrap();
    let until = series(&draft(Some("2026-01-07T08:00:00Z"), None));
    assert_eq!(until.next_after_closing(at("2026-01-06T12:00:00Z")), Some(at("2026-01-07T08:00:00Z")));
    assert_eq!(until.next_after_closing(at("2026-01-07T07:00:00Z")), None);
    assert!(!until.active(at("2026-01-07T07:00:00Z")));
    assert!(!series(&draft(None, Some(1))).active(now.now));
    // How many there were is not known here: whoever makes the last one says so.
    let mut counted = series(&draft(None, Some(3)));
    assert_eq!(counted.ends_at, None);
    counted.ends_at = Some(at("2026-01-09T08:00:00Z"));
    let mut later = context("2026-01-09T09:00:00Z");
    later.zone = Tz::Asia__Tokyo;
    let rewrite = |existing: &Recurrence, draft: &RecurrenceDraft| {
        let mut violations = Violations::new();
        let written = Recurrence::write(draft, Some(existing), Some(existing.anchor_at), &later, &mut violations);
        violations.into_result(written).unwrap().unwrap()
    };
    assert_eq!(rewrite(&counted, &draft(None, Some(3))), counted);
    assert!(!counted.active(later.now));
    let more = rewrite(&counted, &draft(None, Some(5)));
    assert_eq!((more.ends_at, more.armed_at), (None, later.now));
    // Going by time begins now.
    counted.ends_at = None;
    let by_schedule = rewrite(&counted, &RecurrenceDraft { anchor: Anchor::Schedule, ..draft(None, Some(9)) });
    assert_eq!((by_schedule.armed_at, by_schedule.anchor_at), (later.now, counted.anchor_at));
}

proptest! {
    #[test]
    fn what_follows_a_closing_lies_after_it(
        zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
        rule in prop::sample::select(&RULES[..]),
        anchor in 0_i64..4_000_000_000,
        ahead in 0_i64..100_000_000,
    ) {
        let mut context = context("1970-01-01T00:00:00Z");
        context.zone = zone;
        let anchor = Timestamp::from_timestamp(anchor, 0).unwrap();
        let draft = RecurrenceDraft { anchor: Anchor::Completion, ..draft(rule) };
        let series = Recurrence::new(&draft, Some(anchor), &context).unwrap();
        let closed = anchor + TimeDelta::seconds(ahead);
        let next = series.next_after_closing(closed).unwrap();
        prop_assert!(next > closed);
        if rule == "daily" {
            let days = (zone::local(zone, next).date() - zone::local(zone, closed).date()).num_days();
            prop_assert!((1..=2).contains(&days), "{} days", days);
        }
    }
}
