mod closing;

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta, Timelike as _};
use proptest::prelude::*;

use super::*;
use crate::{
    Violations,
    error::Violation,
    task::Context,
    testing::{at, context},
};

fn write(draft: &RecurrenceDraft, due: Option<&str>, context: &Context<'_>) -> Result<Recurrence, Vec<Violation>> {
    let mut violations = Violations::new();
    let recurrence =
        violations.nested("recurrence", |violations| Recurrence::write(draft, None, due.map(at), context, violations));
    violations.into_result(()).map_err(|error| error.violations)?;
    Ok(recurrence.unwrap())
}

fn draft(rule: &str) -> RecurrenceDraft {
    match rule {
        "daily" => RecurrenceDraft { recurrence_type: RecurrenceType::Daily, ..Default::default() },
        "weekly" => RecurrenceDraft { recurrence_type: RecurrenceType::Weekly, ..Default::default() },
        rule if rule.starts_with("FREQ") => RecurrenceDraft {
            recurrence_type: RecurrenceType::Rrule,
            rrule: Some(rule.to_owned()),
            ..Default::default()
        },
        cron => RecurrenceDraft {
            recurrence_type: RecurrenceType::Custom,
            cron_expression: Some(cron.to_owned()),
            ..Default::default()
        },
    }
}

/// A series in Berlin whose source is due at `anchor`.
fn series(rule: &str, anchor: &str) -> Recurrence {
    write(&draft(rule), Some(anchor), &context(anchor)).unwrap()
}

fn refused(draft: &RecurrenceDraft) -> String {
    write(draft, Some("2026-01-01T09:00:00Z"), &context("2026-01-01T00:00:00Z")).unwrap_err()[0].to_string()
}

/// The next slots, as the clocks in the zone of the series show them.
fn shown(series: &Recurrence, after: &str, count: usize) -> Vec<String> {
    let slots = series.slots();
    let shown = slots
        .after(at(after))
        .take(count)
        .map(|slot| slot.with_timezone(&series.zone).format("%m-%d %H:%M%:::z").to_string());
    shown.collect()
}

#[test]
fn every_day_at_nine_stays_nine_across_a_change_of_clocks() {
    let daily = series("daily", "2026-03-27T09:00:00+01:00");
    let expected = ["03-28 09:00+01", "03-29 09:00+02", "03-30 09:00+02"];
    assert_eq!(shown(&daily, "2026-03-27T00:00:00Z", 3), expected);
    let weekly = series("weekly", "2026-10-20T09:00:00+02:00");
    assert_eq!(shown(&weekly, "2026-10-20T12:00:00Z", 2), ["10-27 09:00+01", "11-03 09:00+01"]);
}

#[test]
fn a_time_in_the_gap_is_moved_on_that_day_only() {
    let daily = series("daily", "2026-03-27T02:30:00+01:00");
    let expected = ["03-28 02:30+01", "03-29 03:30+02", "03-30 02:30+02"];
    assert_eq!(shown(&daily, "2026-03-27T12:00:00Z", 3), expected);
    assert_eq!(shown(&series("30 2 * * *", "2026-03-27T02:30:00+01:00"), "2026-03-27T12:00:00Z", 3), expected);
}

#[test]
fn of_a_time_that_comes_twice_the_first_is_a_slot() {
    let daily = series("30 2 * * *", "2026-10-23T02:30:00+02:00");
    let expected = ["10-24 02:30+02", "10-25 02:30+02", "10-26 02:30+01"];
    assert_eq!(shown(&daily, "2026-10-23T12:00:00Z", 3), expected);
    // Asked in the second pass, the slot of that day is over.
    assert_eq!(shown(&daily, "2026-10-25T02:10:00+01:00", 1), ["10-26 02:30+01"]);
    // A step within the hour, of an hour that is named, is on that hour once.
    let steps = series("*/30 2 * * *", "2026-10-23T02:30:00+02:00");
    assert_eq!(shown(&steps, "2026-10-24T12:00:00Z", 3), ["10-25 02:00+02", "10-25 02:30+02", "10-26 02:00+01"]);
}

#[test]
fn steps_below_a_day_count_elapsed_time() {
    let half_hourly = series("*/30 * * * *", "2026-10-24T12:00:00+02:00");
    assert_eq!(
        shown(&half_hourly, "2026-10-25T01:30:00+02:00", 6),
        ["10-25 02:00+02", "10-25 02:30+02", "10-25 02:00+01", "10-25 02:30+01", "10-25 03:00+01", "10-25 03:30+01"]
    );
    // In the gap, what moves onto another slot is one with it.
    let half_hourly = series("*/30 * * * *", "2026-03-28T12:00:00+01:00");
    assert_eq!(
        shown(&half_hourly, "2026-03-29T01:00:00+01:00", 4),
        ["03-29 01:30+01", "03-29 03:00+02", "03-29 03:30+02", "03-29 04:00+02"]
    );
}

#[test]
fn rules_of_the_standard_follow_the_clocks_as_all_others_do() {
    let gap = series("FREQ=DAILY;BYHOUR=2,9;BYMINUTE=30", "2026-03-28T02:30:00+01:00");
    let expected = ["03-28 09:30+01", "03-29 03:30+02", "03-29 09:30+02", "03-30 02:30+02"];
    assert_eq!(shown(&gap, "2026-03-28T02:00:00Z", 4), expected);
    let twice = series("FREQ=WEEKLY;BYDAY=SU;BYHOUR=2,3", "2026-10-18T02:30:00+02:00");
    let expected = ["10-18 03:30+02", "10-25 02:30+02", "10-25 03:30+01", "11-01 02:30+01"];
    assert_eq!(shown(&twice, "2026-10-18T00:30:00Z", 4), expected);
    let hourly = series("FREQ=HOURLY;INTERVAL=2;BYMINUTE=0", "2026-10-24T23:10:00+02:00");
    let expected = ["10-25 01:00+02", "10-25 02:00+01", "10-25 04:00+01"];
    assert_eq!(shown(&hourly, "2026-10-24T21:10:00Z", 3), expected);
    let minutely = series("FREQ=MINUTELY;INTERVAL=45", "2026-03-29T01:00:00+01:00");
    assert_eq!(shown(&minutely, "2026-03-29T00:00:00Z", 3), ["03-29 01:45+01", "03-29 03:30+02", "03-29 04:15+02"]);
}

#[test]
fn the_31st_skips_short_months_and_leap_days_wait_for_leap_years() {
    let monthly = series("0 9 31 * *", "2026-01-31T09:00:00+01:00");
    assert_eq!(
        shown(&monthly, "2026-01-31T12:00:00Z", 4),
        ["03-31 09:00+02", "05-31 09:00+02", "07-31 09:00+02", "08-31 09:00+02"]
    );
    let leap = series("0 0 29 2 *", "2026-01-31T09:00:00+01:00");
    assert_eq!(leap.next_after(at("2096-03-01T00:00:00Z")), Some(at("2104-02-28T23:00:00Z")));
}

#[test]
fn the_source_is_the_first_occurrence_whether_it_matches_or_not() {
    let nine = series("0 9 * * *", "2026-01-05T15:00:00+01:00");
    assert_eq!(nine.anchor_at, at("2026-01-05T14:00:00Z"));
    assert_eq!(nine.next_after(at("2020-01-01T00:00:00Z")), Some(at("2026-01-06T08:00:00Z")));
    assert!(nine.contains(nine.anchor_at) && nine.contains(at("2026-01-06T08:00:00Z")));
    assert!(!nine.contains(at("2026-01-05T08:00:00Z")) && !nine.contains(at("2026-01-06T08:00:00.000001Z")));
    let undated = write(&draft("daily"), None, &context("2026-01-05T08:00:00Z")).unwrap();
    assert_eq!(undated.anchor_at, at("2026-01-05T08:00:00Z"));
}

#[test]
fn a_series_ends_with_until_or_count_whichever_is_first() {
    let now = context("2026-01-05T08:00:00Z");
    let end = |until: Option<&str>, count: Option<i64>| {
        let draft = RecurrenceDraft { until: until.map(at), count, ..draft("daily") };
        write(&draft, Some("2026-01-05T08:00:00Z"), &now).unwrap()
    };
    let until = end(Some("2026-01-07T08:00:00Z"), None);
    assert_eq!(until.slots_between(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), 99).len(), 2);
    assert!(until.active(at("2026-01-07T07:59:59Z")) && !until.active(at("2026-01-07T08:00:00Z")));
    assert_eq!(end(None, Some(1)).next_occurrence(now.now), None);
    assert_eq!(end(None, Some(3)).ends_at, Some(at("2026-01-07T08:00:00Z")));
    assert_eq!(end(Some("2026-01-06T12:00:00Z"), Some(3)).ends_at, Some(at("2026-01-06T12:00:00Z")));
    assert_eq!(end(Some("2026-02-06T12:00:00Z"), Some(3)).ends_at, Some(at("2026-01-07T08:00:00Z")));
}

#[test]
fn a_count_that_lies_beyond_the_calendar_is_no_end() {
    let leap = RecurrenceDraft { count: Some(10_000), ..draft("0 0 29 2 *") };
    let leap = write(&leap, Some("2026-01-05T08:00:00Z"), &context("2026-01-05T08:00:00Z")).unwrap();
    assert_eq!(leap.ends_at, None);
}

#[test]
fn what_cannot_be_a_recurrence_is_refused_by_field() {
    let custom = |expression: &str| draft(expression);
    assert!(refused(&custom("0 0 31 2 *")).starts_with("recurrence.cron_expression must match within 50 years"));
    assert!(refused(&custom("0 0 * *")).contains("must have 5 fields"));
    assert!(refused(&custom(" ")).starts_with("recurrence.cron_expression must be given"));
    assert!(refused(&RecurrenceDraft::default()).starts_with("recurrence.recurrence_type must be one of"));
    let daily = || draft("daily");
    assert!(
        refused(&RecurrenceDraft { cron_expression: Some("0 9 * * *".into()), ..daily() })
            .starts_with("recurrence.cron_expression must only be given")
    );
    assert_eq!(
        refused(&RecurrenceDraft { rrule: Some("FREQ=DAILY".into()), ..daily() }),
        "recurrence.rrule must only be given with recurrence_type rrule"
    );
    assert_eq!(
        refused(&RecurrenceDraft { recurrence_type: RecurrenceType::Rrule, ..Default::default() }),
        "recurrence.rrule must be given with recurrence_type rrule"
    );
    assert!(
        refused(&draft("FREQ=HOURLY;BYHOUR=x"))
            .starts_with("recurrence.rrule must have numbers from 0 to 23 as BYHOUR")
    );
    let completion = || RecurrenceDraft { anchor: Anchor::Completion, ..daily() };
    for (draft, says) in [
        (
            RecurrenceDraft { lead_seconds: 1, ..completion() },
            "recurrence.lead_seconds must be 0 with anchor completion",
        ),
        (RecurrenceDraft { overlap: Overlap::Skip, ..completion() }, "recurrence.overlap must be keep with"),
        (RecurrenceDraft { catch_up: CatchUp::All, ..completion() }, "recurrence.catch_up must be latest with"),
    ] {
        assert!(refused(&draft).starts_with(says));
    }
    assert!(
        refused(&RecurrenceDraft { time_zone: Some("Moon/Sea".into()), ..daily() }).starts_with("recurrence.time_zone")
    );
    assert!(
        refused(&RecurrenceDraft { until: Some(at("2025-12-31T00:00:00Z")), ..daily() })
            .starts_with("recurrence.until must not be before the first occurrence")
    );
    for count in [0, 10_001, -1] {
        assert!(refused(&RecurrenceDraft { count: Some(count), ..daily() }).starts_with("recurrence.count must be 1"));
    }
    for lead_seconds in [-1, 31_536_001] {
        assert!(refused(&RecurrenceDraft { lead_seconds, ..daily() }).starts_with("recurrence.lead_seconds"));
    }
    let all = RecurrenceDraft { count: Some(0), lead_seconds: -1, time_zone: Some("x".into()), ..draft("x") };
    assert_eq!(write(&all, None, &context("2026-01-01T00:00:00Z")).unwrap_err().len(), 4);
}

#[test]
fn a_paused_series_has_slots_but_shows_no_next_one() {
    let paused = RecurrenceDraft { paused: true, ..draft("daily") };
    let now = context("2026-01-05T08:00:00Z");
    let paused = write(&paused, None, &now).unwrap();
    assert_eq!(paused.next_occurrence(now.now), None);
    assert!(paused.next_after(now.now).is_some());
}

#[test]
fn an_equal_draft_is_the_same_recurrence_and_an_edit_keeps_its_id() {
    let first = series("daily", "2026-01-05T08:00:00Z");
    let mut later = context("2026-03-01T08:00:00Z");
    later.zone = Tz::Asia__Tokyo;
    let write = |draft: &RecurrenceDraft, existing: &Recurrence| {
        let mut violations = Violations::new();
        let due = Some(existing.anchor_at);
        let written = Recurrence::write(draft, Some(existing), due, &later, &mut violations);
        violations.into_result(written).unwrap().unwrap()
    };
    assert_eq!(write(&RecurrenceDraft::from(&first), &first), first);
    assert_eq!(write(&draft("daily"), &first), first, "the zone it got by default stays");

    let paused = write(&RecurrenceDraft { paused: true, ..draft("daily") }, &first);
    assert_eq!(paused, Recurrence { paused: true, ..first.clone() });
    let resumed = write(&draft("daily"), &paused);
    assert_eq!(resumed, Recurrence { armed_at: later.now, ..first.clone() });

    let cron = write(&draft("0  9 * * *"), &first);
    assert_eq!((cron.id, cron.created_at, cron.zone), (first.id, first.created_at, Tz::Asia__Tokyo));
    assert_eq!((cron.armed_at, cron.rule), (later.now, Rule::Cron("0 9 * * *".into())));
}

#[test]
fn a_minutely_series_is_searched_quickly_wherever_one_asks() {
    let minutely = series("* * * * *", "2020-01-01T00:00:00Z");
    let slots = minutely.slots_between(at("2026-03-28T00:00:00Z"), at("2027-01-01T00:00:00Z"), 5_000);
    assert_eq!(slots.len(), 5_000);
    assert!(slots.windows(2).all(|pair| pair[1] - pair[0] == TimeDelta::minutes(1)));
    let last = minutely.slots().last_between(at("2020-01-01T00:00:00Z"), at("2026-03-28T00:00:30Z"));
    assert_eq!(last, Some(at("2026-03-28T00:00:00Z")));
}

#[test]
fn a_recurrence_reads_back_and_old_images_stay_readable() {
    let mut image = serde_json::to_value(series("0 9 * * mon", "2026-01-05T08:00:00Z")).unwrap();
    let read: Recurrence = serde_json::from_value(image.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), image);
    let fields = image.as_object_mut().unwrap();
    for later in ["until", "count", "ends_at", "paused", "overlap", "lead_seconds", "catch_up", "anchor"] {
        fields.remove(later);
    }
    fields.insert("unknown".into(), 1.into());
    assert_eq!(serde_json::from_value::<Recurrence>(image).unwrap(), read);
}

/// All instants within days around `centre` that a naive reading of the rules calls slots.
fn by_brute_force(
    zone: Tz,
    centre: Timestamp,
    hours: &[u32],
    minutes: &[u32],
    every_hour: bool,
) -> BTreeSet<Timestamp> {
    let matches = |local: NaiveDateTime| hours.contains(&local.hour()) && minutes.contains(&local.minute());
    let mut slots = BTreeSet::new();
    let start = (zone::local(zone, centre) - TimeDelta::days(4)).with_second(0).unwrap();
    for minute in 0..7 * 24 * 60 {
        let local = start + TimeDelta::minutes(minute);
        if matches(local) {
            let (first, second) = zone::passes(zone, local);
            slots.insert(first);
            slots.extend(second.filter(|_| every_hour));
        }
    }
    slots
}

/// Changes of clocks of every kind: by an hour, half an hour, two hours, at midnight, and a whole day.
const CHANGES: [(Tz, &str); 12] = [
    (Tz::Europe__Berlin, "2026-03-29T01:00:00Z"),
    (Tz::Europe__Berlin, "2026-10-25T01:00:00Z"),
    (Tz::America__New_York, "2026-03-08T07:00:00Z"),
    (Tz::America__New_York, "2026-11-01T06:00:00Z"),
    (Tz::Australia__Lord_Howe, "2026-10-03T15:30:00Z"),
    (Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z"),
    (Tz::Antarctica__Troll, "2026-03-29T01:00:00Z"),
    (Tz::Antarctica__Troll, "2026-10-25T01:00:00Z"),
    (Tz::Africa__Cairo, "2026-04-23T22:00:00Z"),
    (Tz::Africa__Cairo, "2026-10-29T21:00:00Z"),
    (Tz::America__Havana, "2026-11-01T05:00:00Z"),
    (Tz::Pacific__Apia, "2011-12-30T10:00:00Z"),
];

const RULES: [&str; 20] = [
    "daily",
    "weekly",
    "*/7 * * * *",
    "30 0,1,2,3 * * *",
    "15 */5 L * *",
    "0 0 1 1 *",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=0,2;BYMINUTE=0,30",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
    "FREQ=MONTHLY;BYDAY=-1FR,2SU;BYHOUR=2;BYMINUTE=30",
    "FREQ=MONTHLY;BYDAY=SA,SU;BYHOUR=0,1,2,3;BYSETPOS=-1,1",
    "FREQ=DAILY;BYHOUR=0,2,23;BYMINUTE=0,59;BYSETPOS=2,-1",
    "FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=SU",
    "FREQ=YEARLY;BYYEARDAY=-1,60;BYHOUR=0",
    "FREQ=HOURLY",
    "FREQ=HOURLY;INTERVAL=5;BYMINUTE=0,30",
    "FREQ=HOURLY;INTERVAL=36;BYDAY=SU",
    "FREQ=MINUTELY;BYHOUR=1,2",
    "FREQ=MINUTELY;INTERVAL=7",
    "FREQ=MINUTELY;INTERVAL=90;BYHOUR=0,1,2,3",
    "FREQ=MINUTELY;INTERVAL=2000",
];

proptest! {
    #[test]
    fn slots_are_what_a_walk_through_every_local_minute_finds(
        (zone, change) in prop::sample::select(&CHANGES[..]),
        around in -40_i64..30,
        every_hour in any::<bool>(),
        step in 1_u32..6,
        from in 0_u32..24,
        mut minutes in prop::collection::btree_set(0_u32..60, 1..4),
    ) {
        let change = at(change);
        // Where clocks go, full and half hours are the interesting ones.
        minutes.insert(30);
        let minutes: Vec<_> = minutes.into_iter().collect();
        let hours: Vec<u32> = if every_hour {
            (0..24).step_by(step as usize).collect()
        } else {
            let mut hours: Vec<u32> = (0..step).map(|hour| (from + hour) % 24).collect();
            hours.extend([0, 2, 3, 23]);
            hours
        };
        let list = |values: &[u32]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let hour_field = if every_hour { format!("*/{step}") } else { list(&hours) };
        let expression = format!("{} {hour_field} * * *", list(&minutes));
        let anchor = change - TimeDelta::days(30);
        let mut context = context("2000-01-01T00:00:00Z");
        context.zone = zone;
        let series = Recurrence::new(&draft(&expression), Some(anchor), &context).unwrap();

        let (start, end) = (change + TimeDelta::hours(around), change + TimeDelta::hours(around + 30));
        let model = by_brute_force(zone, change, &hours, &minutes, every_hour);
        let expected: Vec<_> =
            model.range(start + TimeDelta::microseconds(1)..=end.min(change + TimeDelta::hours(30))).copied().collect();
        let found = series.slots_between(start, end.min(change + TimeDelta::hours(30)), 10_000);
        prop_assert_eq!(&found, &expected, "{} in {}", expression, zone);
        for pair in found.windows(2) {
            prop_assert_eq!(series.slots().last_between(start, pair[1] - TimeDelta::microseconds(1)), Some(pair[0]));
            prop_assert!(series.contains(pair[1]));
        }
    }

    #[test]
    fn slots_strictly_increase_and_looking_back_finds_what_looking_ahead_found(
        zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
        rule in prop::sample::select(&RULES[..]),
        anchor in 0_i64..4_000_000_000,
        ahead in 0_i64..100_000_000,
    ) {
        let mut context = context("2000-01-01T00:00:00Z");
        context.zone = zone;
        let anchor = Timestamp::from_timestamp(anchor, 0).unwrap();
        let series = Recurrence::new(&draft(rule), Some(anchor), &context).unwrap();
        let after = anchor + TimeDelta::seconds(ahead);
        let slots = series.slots();
        let first = slots.next_after(after).unwrap();
        let second = slots.next_after(first).unwrap();
        prop_assert!(after < first && first < second);
        prop_assert_eq!(slots.last_between(after, second), Some(second));
        prop_assert_eq!(slots.last_between(after, second - TimeDelta::microseconds(1)), Some(first));
        prop_assert_eq!(slots.last_between(after, first - TimeDelta::microseconds(1)), None);
        prop_assert!(series.contains(first));
    }

    /// By the hour, only where the clocks change by whole hours: elsewhere they name another minute afterwards.
    #[test]
    fn a_step_below_a_day_is_elapsed_time_whatever_the_clocks_do(
        (zone, change) in prop::sample::select(&CHANGES[..]),
        before in 0_i64..3_000,
        step in 1_i64..400,
        hourly in any::<bool>(),
    ) {
        prop_assume!(!hourly || zone != Tz::Australia__Lord_Howe);
        let anchor = at(change) - TimeDelta::minutes(before);
        let mut context = context("2000-01-01T00:00:00Z");
        context.zone = zone;
        let (rule, unit) = if hourly { ("HOURLY", 60) } else { ("MINUTELY", 1) };
        let series = Recurrence::new(&draft(&format!("FREQ={rule};INTERVAL={step}")), Some(anchor), &context).unwrap();
        let slots = series.slots_between(anchor, at(change) + TimeDelta::days(3), 200);
        for (index, slot) in (1..).zip(slots) {
            prop_assert_eq!(slot, anchor + TimeDelta::minutes(index * step * unit));
        }
    }

    #[test]
    fn any_expression_is_read_or_refused_and_never_panics(expression in "[-0-9*/,LW#?+A-Za-z ]{0,30}") {
        let context = context("2026-01-01T00:00:00Z");
        if let Ok(series) = Recurrence::new(&draft(&expression), None, &context) {
            prop_assert!(series.next_occurrence(context.now) > Some(context.now));
        }
    }
}
