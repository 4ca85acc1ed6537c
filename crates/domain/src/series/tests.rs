use proptest::prelude::*;

use super::*;
use crate::{
    recurrence::{RecurrenceDraft, RecurrenceType},
    task::Draft,
    testing::{at, context},
};

/// A series in Berlin whose source is due on 1 March 2026 at 09:00 and was written then.
fn series(cron: &str, change: impl FnOnce(&mut RecurrenceDraft)) -> Recurrence {
    let mut draft = RecurrenceDraft {
        recurrence_type: RecurrenceType::Custom,
        cron_expression: Some(cron.into()),
        ..RecurrenceDraft::default()
    };
    change(&mut draft);
    let due = Some(at("2026-03-01T09:00:00+01:00"));
    let draft = Draft { title: "Water plants".into(), due, recurrence: Some(draft), ..Draft::default() };
    Task::create(draft, &context("2026-03-01T09:00:00+01:00")).unwrap().recurrence.unwrap()
}

fn daily(change: impl FnOnce(&mut RecurrenceDraft)) -> Recurrence {
    series("0 9 * * *", change)
}

/// 09:00 in Berlin on a day of March 2026.
fn day(day: u32) -> Timestamp {
    at(&format!("2026-03-{day:02}T09:00:00+01:00"))
}

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

const CLOSED: State = State { cursor: None, open_instances: 0, source_open: false, longest_reminder_seconds: 0 };

#[test]
fn a_slot_is_made_when_its_time_comes_and_once() {
    let daily = daily(|_| {});
    let early = plan(&daily, &CLOSED, day(2) - minutes(1));
    assert_eq!((early.make, early.next), (vec![], Some(Upcoming { slot: day(2), appear_at: day(2) })));
    let due = plan(&daily, &CLOSED, day(2));
    assert_eq!((&due.make, due.cursor, due.skipped_until), (&vec![day(2)], Some(day(2)), None));
    assert_eq!(due.next, Some(Upcoming { slot: day(3), appear_at: day(3) }));
    let again = plan(&daily, &State { cursor: due.cursor, ..CLOSED }, day(2) + minutes(1));
    assert_eq!((again.make, again.next, again.cursor), (vec![], due.next, due.cursor));
}

#[test]
fn of_what_was_missed_catch_up_chooses() {
    let late = day(6) + minutes(60);
    let planned = |catch_up| plan(&daily(|draft| draft.catch_up = catch_up), &CLOSED, late);
    let latest = planned(CatchUp::Latest);
    assert_eq!((latest.make, latest.skipped_until, latest.cursor), (vec![day(6)], Some(day(5)), Some(day(6))));
    let all = planned(CatchUp::All);
    assert_eq!((all.make, all.skipped_until), ((2..=6).map(day).collect(), None));
    let none = planned(CatchUp::None);
    assert_eq!((none.make, none.skipped_until, none.cursor), (vec![], Some(day(6)), Some(day(6))));
    assert_eq!(none.next.unwrap().slot, day(7));
}

#[test]
fn a_late_tick_is_not_an_outage() {
    let none = daily(|draft| draft.catch_up = CatchUp::None);
    assert_eq!(plan(&none, &CLOSED, day(2) + GRACE).make, [day(2)]);
    let plan = plan(&none, &CLOSED, day(2) + GRACE + TimeDelta::microseconds(1));
    assert_eq!((plan.make, plan.skipped_until), (vec![], Some(day(2))));
}

#[test]
fn all_is_the_latest_fifty() {
    let hourly = series("0 * * * *", |draft| draft.catch_up = CatchUp::All);
    let plan = plan(&hourly, &CLOSED, day(11));
    assert_eq!((plan.make.len(), plan.blocked), (50, false));
    assert_eq!((plan.make[0], plan.skipped_until), (day(11) - minutes(49 * 60), Some(day(11) - minutes(50 * 60))));
}

#[test]
fn a_task_appears_ahead_of_its_slot_but_not_before_the_one_that_precedes_it() {
    let hour = daily(|draft| draft.lead_seconds = 3600);
    assert_eq!(plan(&hour, &CLOSED, day(1)).next.unwrap().appear_at, day(2) - minutes(60));
    let ahead = plan(&hour, &CLOSED, day(2) - minutes(60));
    assert_eq!((&ahead.make, ahead.cursor), (&vec![day(2)], Some(day(2))));
    assert_eq!(ahead.next, Some(Upcoming { slot: day(3), appear_at: day(3) - minutes(60) }));
    // Its slot comes, and it is there already.
    assert!(plan(&hour, &State { cursor: ahead.cursor, ..CLOSED }, day(2)).make.is_empty());

    let week = daily(|draft| draft.lead_seconds = 7 * 86_400);
    let ahead = plan(&week, &CLOSED, day(1));
    assert_eq!((ahead.make, ahead.next), (vec![day(2)], Some(Upcoming { slot: day(3), appear_at: day(2) })));

    let reminded = State { longest_reminder_seconds: 7200, ..CLOSED };
    assert_eq!(plan(&hour, &reminded, day(1)).next.unwrap().appear_at, day(2) - minutes(120));
    let missed = plan(&hour, &CLOSED, day(6) - minutes(30));
    assert_eq!((missed.make, missed.skipped_until), (vec![day(5), day(6)], Some(day(4))));
}

#[test]
fn with_overlap_skip_a_slot_that_comes_while_one_is_open_is_gone() {
    let skip = daily(|draft| draft.overlap = Overlap::Skip);
    for open in [State { open_instances: 1, ..CLOSED }, State { source_open: true, ..CLOSED }] {
        let plan = plan(&skip, &open, day(2));
        assert_eq!((plan.make, plan.skipped_until, plan.cursor), (vec![], Some(day(2)), Some(day(2))));
        assert_eq!(plan.next.unwrap().slot, day(3));
    }
    assert_eq!(plan(&skip, &CLOSED, day(2)).make, [day(2)]);
    // Several at once would overlap each other.
    let all = daily(|draft| (draft.overlap, draft.catch_up) = (Overlap::Skip, CatchUp::All));
    let plan = plan(&all, &CLOSED, day(6));
    assert_eq!((plan.make, plan.skipped_until), (vec![day(6)], Some(day(5))));
}

#[test]
fn with_overlap_skip_what_could_come_early_waits_until_its_time() {
    let skip = daily(|draft| (draft.overlap, draft.lead_seconds) = (Overlap::Skip, 7200));
    let open = State { open_instances: 1, ..CLOSED };
    let waiting = plan(&skip, &open, day(2) - minutes(60));
    assert_eq!((waiting.make, waiting.cursor), (vec![], None));
    assert_eq!(waiting.next, Some(Upcoming { slot: day(2), appear_at: day(2) }));
    // The open one is closed within the lead.
    assert_eq!(plan(&skip, &CLOSED, day(2) - minutes(59)).make, [day(2)]);
}

#[test]
fn fifty_open_instances_block_until_one_is_closed() {
    let full = State { open_instances: 50, ..CLOSED };
    let daily_ = daily(|_| {});
    let calm = plan(&daily_, &full, day(1));
    assert!(!calm.blocked && calm.next.is_some());
    let blocked = plan(&daily_, &full, day(4));
    assert!(blocked.blocked && blocked.make.is_empty());
    assert_eq!((blocked.cursor, blocked.next, blocked.skipped_until), (None, None, None));
    assert_eq!(plan(&daily_, &State { open_instances: 49, ..CLOSED }, day(4)).make, [day(4)]);

    let all = daily(|draft| draft.catch_up = CatchUp::All);
    let some = plan(&all, &State { open_instances: 48, ..CLOSED }, day(6));
    assert_eq!((&some.make, some.cursor, some.blocked), (&vec![day(2), day(3)], Some(day(3)), true));
    let rest = plan(&all, &State { cursor: some.cursor, ..CLOSED }, day(6));
    assert_eq!(rest.make, [day(4), day(5), day(6)]);
}

#[test]
fn what_passes_while_paused_is_gone() {
    let paused = daily(|draft| draft.paused = true);
    let nothing = plan(&paused, &State { cursor: Some(day(2)), ..CLOSED }, day(5));
    assert_eq!(nothing, Plan { cursor: Some(day(2)), ..Plan::default() });
    let resumed = Recurrence { paused: false, armed_at: day(5), ..paused };
    let plan = plan(&resumed, &State { cursor: Some(day(2)), ..CLOSED }, day(5) + minutes(1));
    assert_eq!((plan.make, plan.next.unwrap().slot), (vec![], day(6)));
}

#[test]
fn what_passed_before_the_series_was_written_is_not_missed() {
    let late = Recurrence { armed_at: day(10) + minutes(5), ..daily(|_| {}) };
    let plan = plan(&late, &CLOSED, day(10) + minutes(5));
    assert_eq!((plan.make, plan.next.unwrap().slot), (vec![], day(11)));
}

#[test]
fn a_series_that_ended_makes_what_it_owes_and_no_more() {
    let two = daily(|draft| draft.count = Some(2));
    let last = plan(&two, &CLOSED, day(20));
    assert_eq!((last.make, last.next, last.skipped_until), (vec![day(2)], None, None));
    let over = plan(&two, &State { cursor: Some(day(2)), ..CLOSED }, day(20));
    assert_eq!((over.make, over.next, over.blocked), (vec![], None, false));
}

#[test]
fn a_year_of_missed_minutes_is_one_question() {
    let minutely = series("* * * * *", |_| {});
    let plan = plan(&minutely, &CLOSED, at("2027-03-01T12:00:30Z"));
    assert_eq!(plan.make, [at("2027-03-01T12:00:00Z")]);
    assert_eq!(plan.skipped_until, Some(at("2027-03-01T11:59:00Z")));
}

proptest! {
    #[test]
    fn however_ticks_fall_slots_are_made_in_order_and_once(
        cron in prop::sample::select(&["0 9 * * *", "*/20 * * * *", "30 2 * * *", "0 9 31 * *"][..]),
        catch_up in prop::sample::select(CatchUp::ALL),
        lead_seconds in prop::sample::select(&[0_i64, 600, 100_000][..]),
        skip in any::<bool>(),
        gaps in prop::collection::vec((0_i64..100_000, 0_usize..3), 1..30),
    ) {
        let series = series(cron, |draft| {
            draft.catch_up = catch_up;
            draft.lead_seconds = lead_seconds;
            draft.overlap = if skip { Overlap::Skip } else { Overlap::Keep };
        });
        let (mut now, mut cursor, mut made) = (day(28), None, Vec::new());
        for (gap, open_instances) in gaps {
            now += TimeDelta::seconds(gap);
            let plan = plan(&series, &State { cursor, open_instances, ..CLOSED }, now);
            prop_assert!(plan.cursor >= cursor);
            for slot in &plan.make {
                prop_assert!(series.contains(*slot));
                prop_assert!(made.last() < Some(slot));
                prop_assert!(*slot - TimeDelta::seconds(lead_seconds) <= now);
                made.push(*slot);
            }
            prop_assert!(!skip || plan.make.len() + open_instances.min(1) <= 1);
            prop_assert_eq!(plan.next.is_none(), plan.blocked);
            prop_assert!(plan.next.is_none_or(|next| next.slot > now && next.appear_at <= next.slot));
            cursor = plan.cursor;
            // Asked again at once there is nothing left to do.
            let still = super::plan(&series, &State { cursor, open_instances: open_instances + plan.make.len(), ..CLOSED }, now);
            prop_assert_eq!((still.make, still.skipped_until, still.cursor), (vec![], None, cursor));
        }
    }
}
