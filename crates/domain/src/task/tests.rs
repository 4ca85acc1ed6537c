use super::*;
use crate::{
    Error,
    recurrence::{RecurrenceDraft, RecurrenceType},
    testing::{at, context},
};

const MORNING: &str = "2026-03-02T08:00:00Z";
const NOON: &str = "2026-03-02T11:00:00Z";
const EVENING: &str = "2026-03-02T18:00:00Z";

fn create(draft: Draft) -> Result<Task, Error> {
    Task::create(Draft { title: "Pay rent".into(), ..draft }, &context(MORNING))
}

/// A task due in the evening, with a reminder at noon and one an hour before.
fn evening_task() -> Task {
    let reminders = vec![absolute(NOON), relative(3600)];
    create(Draft { due: Some(at(EVENING)), reminders, ..Draft::default() }).unwrap()
}

fn absolute(trigger_at: &str) -> ReminderDraft {
    ReminderDraft { trigger_at: Some(at(trigger_at)), ..ReminderDraft::default() }
}

fn relative(seconds: i64) -> ReminderDraft {
    ReminderDraft { before_due_seconds: Some(seconds), ..ReminderDraft::default() }
}

fn daily() -> RecurrenceDraft {
    RecurrenceDraft { recurrence_type: RecurrenceType::Daily, ..RecurrenceDraft::default() }
}

fn apply(task: &mut Task, now: &str, patch: Patch) -> Outcome {
    task.apply(patch, &context(now)).unwrap()
}

fn due(instant: &str) -> Patch {
    Patch { due: Some(Some(at(instant))), ..Patch::default() }
}

fn status(status: Status) -> Patch {
    Patch { status: Some(status), ..Patch::default() }
}

fn reminders(reminders: Vec<ReminderDraft>) -> Patch {
    Patch { reminders: Some(reminders), ..Patch::default() }
}

fn states(task: &Task) -> Vec<ReminderState> {
    task.reminders.iter().map(|reminder| reminder.state).collect()
}

fn violations(result: Result<impl Sized, Error>) -> Vec<String> {
    result.err().unwrap().violations.iter().map(ToString::to_string).collect()
}

use ReminderState::{Cancelled, Fired, Pending};

#[test]
fn a_new_task_is_pending_and_clean() {
    let task = create(Draft {
        description: " as is\n".into(),
        tags: vec![" Home".into(), "HOME ".into(), "Büro".into(), "bu\u{308}ro".into()],
        ..Draft::default()
    })
    .unwrap();
    assert_eq!(
        (task.status, task.priority, task.description.as_str()),
        (Status::Pending, Priority::Medium, " as is\n")
    );
    assert_eq!(task.tags, ["Home", "Büro"]);
    assert_eq!((task.created_at, task.updated_at, task.revision), (at(MORNING), at(MORNING), 0));
    assert_eq!(task.id.get_version_num(), 7);
}

/// Makes something of a draft as large as asked for.
type Grow = fn(&mut Draft, usize);

#[test]
fn every_limit_holds_at_below_and_above() {
    let with = |change: Grow, size: usize| {
        let mut draft = Draft { title: "t".into(), due: Some(at(EVENING)), ..Draft::default() };
        change(&mut draft, size);
        Task::create(draft, &context(MORNING)).is_ok()
    };
    let limits: [(Grow, usize); 5] = [
        (|draft, size| draft.title = "ü".repeat(size), 200),
        (|draft, size| draft.description = "ü".repeat(size), 2000),
        (|draft, size| draft.tags = (0..size).map(|tag| tag.to_string()).collect(), 10),
        (|draft, size| draft.tags = vec!["ü".repeat(size)], 50),
        (|draft, size| draft.reminders = (0..size).map(|size| relative(i64::try_from(size).unwrap())).collect(), 5),
    ];
    for (change, limit) in limits {
        assert!(with(change, limit - 1) && with(change, limit) && !with(change, limit + 1), "{limit}");
    }
    assert!(!with(|draft, _| draft.title = " \u{2003}".into(), 0));
    assert!(!with(|draft, _| draft.tags = vec![" ".into()], 0));
    let offset =
        |seconds| create(Draft { due: Some(at(EVENING)), reminders: vec![relative(seconds)], ..Draft::default() });
    assert!(offset(0).is_ok() && offset(31_536_000).is_ok() && offset(-1).is_err() && offset(31_536_001).is_err());
}

#[test]
fn everything_wrong_with_a_draft_is_said_at_once() {
    let draft = Draft {
        id: Some(Uuid::nil()),
        title: "\0".into(),
        description: "d".repeat(2001),
        tags: vec!["ok".into(), String::new()],
        due_all_day: true,
        reminders: vec![absolute("2026-03-01T00:00:00Z"), relative(60), ReminderDraft::default()],
        recurrence: Some(RecurrenceDraft::default()),
        ..Draft::default()
    };
    assert_eq!(
        violations(Task::create(draft, &context(MORNING))),
        [
            "id must be a UUID of version 4 or 7",
            "title must not contain the character U+0000",
            "description must be at most 2000 characters, got 2001",
            "tags[1] must be 1 to 50 characters, got 0",
            "due_all_day must only be true when there is a due date",
            "reminders[0].trigger_at must be in the future, got 2026-03-01T00:00:00.000000Z",
            "reminders[1].before_due_seconds must only be given when the task has a due date",
            "reminders[2] must have trigger_at or before_due_seconds",
            "recurrence.recurrence_type must be one of daily, weekly, custom, rrule",
        ]
    );
}

#[test]
fn a_refused_patch_changes_nothing() {
    let mut task = evening_task();
    let before = task.clone();
    let patch = Patch { title: Some("New".into()), tags: Some(vec![String::new()]), ..due(NOON) };
    assert!(task.apply(patch, &context(MORNING)).is_err());
    assert_eq!(task, before);
}

#[test]
fn sending_back_what_was_read_changes_nothing() {
    let mut task = evening_task();
    apply(&mut task, MORNING, Patch { recurrence: Some(Some(daily())), due_all_day: Some(true), ..Patch::default() });
    task.reminders[0].state = Fired;
    for now in [MORNING, "2026-04-01T00:00:00Z"] {
        let before = task.clone();
        let mut later = context(now);
        later.zone = Tz::Asia__Tokyo;
        let outcome = task.apply(Patch::from(&before), &later).unwrap();
        assert!(outcome.is_unchanged());
        assert_eq!(task, before);
    }
    task.complete(&context(NOON));
    let before = task.clone();
    assert!(apply(&mut task, EVENING, Patch::from(&before)).is_unchanged());
    assert_eq!(task, before);
}

#[test]
fn changes_are_announced_by_name_and_in_order() {
    let mut task = evening_task();
    let patch = Patch {
        title: Some("Pay the rent".into()),
        description: Some(String::new()),
        priority: Some(Priority::High),
        tags: Some(vec!["home".into()]),
        recurrence: Some(Some(daily())),
        status: Some(Status::InProgress),
        ..due("2026-03-03T18:00:00Z")
    };
    let outcome = apply(&mut task, MORNING, patch);
    let names: Vec<_> = outcome.updated.iter().map(|field| field.as_str()).collect();
    assert_eq!(names, ["title", "status", "priority", "tags", "due_date", "reminders", "recurrence"]);
    assert!(!outcome.completed && !outcome.reopened && outcome.between.is_none());
}

#[test]
fn a_reminder_whose_time_is_over_is_refused_only_when_it_is_new() {
    let mut task = evening_task();
    task.reminders[0].state = Fired;
    let fired = task.reminders[0].clone();
    let by_time = reminders(vec![absolute(NOON), absolute("2026-03-02T13:00:00Z")]);
    let outcome = apply(&mut task, "2026-03-02T12:00:00Z", by_time);
    assert_eq!(outcome.updated, [Field::Reminders]);
    assert_eq!(task.reminders[0], fired);
    assert_eq!(states(&task), [Fired, Pending]);
    let refused = task.apply(reminders(vec![absolute("2026-03-02T11:59:59Z")]), &context("2026-03-02T12:00:00Z"));
    assert_eq!(violations(refused), ["reminders[0].trigger_at must be in the future, got 2026-03-02T11:59:59.000000Z"]);
}

#[test]
fn an_entry_is_the_reminder_that_it_equals_in_id_time_or_offset() {
    let mut task = evening_task();
    let (noon, hour_before) = (task.reminders[0].id, task.reminders[1].id);
    // By offset, and by the time at which the relative one rings.
    for entry in [relative(3600), absolute("2026-03-02T17:00:00Z")] {
        apply(&mut task, MORNING, reminders(vec![entry]));
        assert_eq!((task.reminders[0].id, task.reminders[0].when), (hour_before, When::BeforeDue(3600)));
    }
    // By id, with another moment: the same reminder, armed anew.
    task.reminders[0].state = Fired;
    apply(&mut task, MORNING, reminders(vec![ReminderDraft { id: Some(hour_before), ..relative(60) }]));
    assert_eq!((task.reminders[0].id, task.reminders[0].state), (hour_before, Pending));
    assert_eq!(task.reminders[0].trigger_at, Some(at("2026-03-02T17:59:00Z")));
    // An unknown id is not taken over, and one that was removed does not come back.
    apply(&mut task, MORNING, reminders(vec![ReminderDraft { id: Some(noon), ..absolute(NOON) }]));
    assert_ne!(task.reminders[0].id, noon);
    // Equal entries are one.
    let outcome = apply(&mut task, MORNING, reminders(vec![absolute(NOON), absolute(NOON)]));
    assert!(outcome.is_unchanged());
}

#[test]
fn relative_reminders_move_with_the_due_date_and_absolute_ones_stay() {
    let mut task = evening_task();
    task.reminders[0].state = Fired;
    task.reminders[1].state = Fired;
    apply(&mut task, "2026-03-02T19:00:00Z", due("2026-03-03T18:00:00Z"));
    assert_eq!(states(&task), [Fired, Pending]);
    assert_eq!(task.reminders[1].trigger_at, Some(at("2026-03-03T17:00:00Z")));
    // Past already when written: cancelled, not refused.
    let outcome = apply(&mut task, "2026-03-02T19:00:00Z", due("2026-03-02T19:30:00Z"));
    assert_eq!(outcome.updated, [Field::DueDate, Field::Reminders]);
    assert_eq!(states(&task), [Fired, Cancelled]);
    // The whole form is sent back with a new due date: the trigger time in it is but a reading.
    let read: Vec<_> = task.reminders.iter().map(ReminderDraft::from).collect();
    let patch = Patch { reminders: Some(read), ..due("2026-03-04T18:00:00Z") };
    apply(&mut task, "2026-03-02T19:00:00Z", patch);
    assert_eq!(task.reminders[1].trigger_at, Some(at("2026-03-04T17:00:00Z")));
    assert_eq!(states(&task), [Fired, Pending]);
}

#[test]
fn clearing_the_due_date_cancels_what_counts_from_it() {
    let mut task = evening_task();
    let clear = || Patch { due: Some(None), ..Patch::default() };
    apply(&mut task, MORNING, clear());
    assert_eq!(states(&task), [Pending, Cancelled]);
    assert_eq!(task.reminders[1].trigger_at, None);
    // It can be sent back, and comes to life with a new due date.
    let read = task.clone();
    assert!(apply(&mut task, MORNING, Patch::from(&read)).is_unchanged());
    apply(&mut task, MORNING, due(EVENING));
    assert_eq!(states(&task), [Pending, Pending]);
    // What fired stays fired; with the same moment again too.
    task.reminders[1].state = Fired;
    apply(&mut task, MORNING, clear());
    apply(&mut task, MORNING, due(EVENING));
    assert_eq!(states(&task), [Pending, Fired]);
    assert_eq!(
        violations(task.apply(Patch { reminders: Some(vec![relative(60)]), ..clear() }, &context(MORNING))),
        ["reminders[0].before_due_seconds must only be given when the task has a due date"]
    );
}

#[test]
fn completing_cancels_what_is_pending_and_reopening_does_not_bring_it_back() {
    let mut task = evening_task();
    task.reminders[0].state = Fired;
    let outcome = apply(&mut task, NOON, status(Status::Completed));
    assert_eq!(outcome, Outcome { completed: true, ..Outcome::default() });
    assert_eq!((task.status, task.completed_at), (Status::Completed, Some(at(NOON))));
    assert_eq!(states(&task), [Fired, Cancelled]);
    assert!(task.complete(&context(EVENING)).is_unchanged());
    assert_eq!(task.completed_at, Some(at(NOON)));

    let outcome = apply(&mut task, NOON, status(Status::Pending));
    assert_eq!((outcome.updated, outcome.reopened), (vec![Field::Status], true));
    assert_eq!((task.completed_at, states(&task)), (None, vec![Fired, Cancelled]));
    apply(&mut task, NOON, due("2026-03-03T18:00:00Z"));
    assert_eq!(states(&task), [Fired, Pending]);
}

#[test]
fn a_completed_task_must_be_reopened_before_it_is_in_progress() {
    let mut task = evening_task();
    for step in [Status::InProgress, Status::Pending, Status::InProgress, Status::Completed] {
        assert!(!apply(&mut task, NOON, status(step)).is_unchanged());
    }
    assert_eq!(
        violations(task.apply(status(Status::InProgress), &context(NOON))),
        ["status must be pending to reopen a completed task"]
    );
}

#[test]
fn an_update_that_completes_and_edits_is_two_steps() {
    let mut task = evening_task();
    let patch = Patch { title: Some("Paid".into()), ..status(Status::Completed) };
    let outcome = apply(&mut task, NOON, patch);
    assert_eq!((outcome.updated, outcome.completed), (vec![Field::Title], true));
    let between = outcome.between.unwrap();
    assert_eq!((between.title.as_str(), between.status), ("Paid", Status::Pending));
    assert_eq!(states(&between), [Pending, Pending]);
    assert_eq!(states(&task), [Cancelled, Cancelled]);
}

#[test]
fn a_completed_task_gets_no_pending_reminder() {
    let mut task = evening_task();
    task.complete(&context(MORNING));
    let patch = Patch { reminders: Some(vec![absolute(NOON), relative(60)]), ..due("2026-03-09T18:00:00Z") };
    apply(&mut task, MORNING, patch);
    assert_eq!(states(&task), [Cancelled, Cancelled]);
}

#[test]
fn an_all_day_task_is_due_with_its_day() {
    let mut task = create(Draft {
        due: Some(at("2026-03-29T13:00:00Z")),
        due_all_day: true,
        reminders: vec![relative(3600)],
        ..Draft::default()
    })
    .unwrap();
    // The day on which the clocks change in Berlin.
    assert_eq!(task.due, Some(at("2026-03-29T00:00:00+01:00")));
    assert_eq!(task.reminders[0].trigger_at, Some(at("2026-03-29T08:00:00+02:00")));
    let zone = Tz::Europe__Berlin;
    assert!(!task.is_overdue(at("2026-03-29T23:59:59+02:00"), zone));
    assert!(task.is_overdue(at("2026-03-30T00:00:00+02:00"), zone));
    // Without the flag the day's start is the due date as such.
    let outcome = apply(&mut task, MORNING, Patch { due_all_day: Some(false), ..Patch::default() });
    assert_eq!(outcome.updated, [Field::DueAllDay, Field::Reminders]);
    assert!(
        !task.is_overdue(task.due.unwrap(), zone)
            && task.is_overdue(at(EVENING), zone) == (at(EVENING) > task.due.unwrap())
    );
    apply(&mut task, MORNING, Patch { due_all_day: Some(true), ..Patch::default() });
    apply(&mut task, MORNING, Patch { due: Some(None), ..Patch::default() });
    assert!(!task.due_all_day);
    task.complete(&context(MORNING));
    assert!(!task.is_overdue(at("2030-01-01T00:00:00Z"), zone));
}

#[test]
fn moving_the_due_date_re_anchors_the_series() {
    let mut task = create(Draft { due: Some(at(EVENING)), recurrence: Some(daily()), ..Draft::default() }).unwrap();
    let outcome = apply(&mut task, NOON, due("2026-03-05T18:00:00Z"));
    assert_eq!(outcome.updated, [Field::DueDate]);
    let series = task.recurrence.as_ref().unwrap();
    assert_eq!((series.anchor_at, series.armed_at), (at("2026-03-05T18:00:00Z"), at(NOON)));
    // Past its end, the series has just ended.
    let until = RecurrenceDraft { until: Some(at("2026-03-06T00:00:00Z")), ..daily() };
    apply(&mut task, NOON, Patch { recurrence: Some(Some(until)), ..Patch::default() });
    apply(&mut task, NOON, due("2026-03-07T18:00:00Z"));
    assert!(!task.recurrence.as_ref().unwrap().active(at(NOON)));
    let outcome = apply(&mut task, NOON, Patch { recurrence: Some(None), ..Patch::default() });
    assert_eq!((outcome.updated, task.recurrence), (vec![Field::Recurrence], None));
}

#[test]
fn instants_are_kept_in_microseconds_and_within_the_calendar() {
    let task = create(Draft { due: Some(at("2026-03-02T18:00:00.123456789Z")), ..Draft::default() }).unwrap();
    assert_eq!(task.due, Some(at("2026-03-02T18:00:00.123456Z")));
    let far = Draft { due: Some(at("1899-12-31T00:00:00Z")), ..Draft::default() };
    assert_eq!(violations(create(far)), ["due_date must be in the years 1900 to 9999"]);
}

#[test]
fn a_before_image_reads_back_and_old_images_stay_readable() {
    let mut task = evening_task();
    apply(&mut task, MORNING, Patch { recurrence: Some(Some(daily())), ..Patch::default() });
    let mut image = serde_json::to_value(&task).unwrap();
    image.as_object_mut().unwrap().insert("of_a_later_version".into(), 1.into());
    image.as_object_mut().unwrap().remove("due_all_day");
    assert_eq!(serde_json::from_value::<Task>(image).unwrap(), task);
}

mod undoing {
    use super::*;

    fn undone(current: &Task, before: &Task, fields: &[Field], now: &str) -> (Task, Outcome) {
        match undo(Some(current), Some(before), fields, &context(now)) {
            Undone::Updated(task, outcome) => (*task, outcome),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_update_takes_back_its_fields_and_leaves_the_others() {
        let before = evening_task();
        let mut task = before.clone();
        let patch =
            Patch { title: Some("Paid".into()), tags: Some(vec!["home".into()]), ..due("2026-03-09T18:00:00Z") };
        let fields = apply(&mut task, MORNING, patch).updated;
        apply(&mut task, MORNING, Patch { priority: Some(Priority::Low), ..Patch::default() });
        let (restored, outcome) = undone(&task, &before, &fields, MORNING);
        assert_eq!(outcome.updated, [Field::Title, Field::Tags, Field::DueDate, Field::Reminders]);
        assert_eq!(restored, Task { priority: Priority::Low, ..before.clone() });
        assert_eq!(undo(Some(&restored), Some(&before), &fields, &context(MORNING)), Undone::Nothing);
    }

    #[test]
    fn a_reminder_that_rang_since_stays_fired_and_one_that_is_past_is_cancelled() {
        let before = evening_task();
        let mut task = before.clone();
        apply(&mut task, MORNING, reminders(vec![absolute(NOON)]));
        task.reminders[0].state = Fired;
        let (restored, _) = undone(&task, &before, &[Field::Reminders], "2026-03-02T12:00:00Z");
        assert_eq!(states(&restored), [Fired, Pending]);
        apply(&mut task, MORNING, reminders(Vec::new()));
        let (restored, _) = undone(&task, &before, &[Field::Reminders], "2026-03-02T12:00:00Z");
        assert_eq!(states(&restored), [Cancelled, Pending]);
    }

    #[test]
    fn a_completion_takes_its_cancellations_with_it() {
        let before = evening_task();
        let mut task = before.clone();
        task.complete(&context(MORNING));
        let (restored, outcome) = undone(&task, &before, &[Field::Status], "2026-03-02T12:00:00Z");
        assert_eq!((outcome.updated, outcome.reopened), (vec![Field::Status, Field::Reminders], true));
        assert_eq!((restored.completed_at, states(&restored)), (None, vec![Cancelled, Pending]));
    }

    #[test]
    fn a_reopening_is_undone_by_completing_again() {
        let mut before = evening_task();
        before.complete(&context(MORNING));
        let mut task = before.clone();
        let fields = apply(&mut task, NOON, status(Status::Pending)).updated;
        let (restored, outcome) = undone(&task, &before, &fields, EVENING);
        assert!(outcome.completed && outcome.updated.is_empty());
        assert_eq!(restored, before);
    }

    #[test]
    fn a_deletion_brings_the_task_back_as_far_as_time_allows() {
        let draft = Draft { due: Some(at(EVENING)), recurrence: Some(daily()), ..Draft::default() };
        let mut before = create(Draft { reminders: vec![absolute(NOON), relative(60)], ..draft }).unwrap();
        before.reminders[0].state = Pending;
        let now = "2026-03-02T12:00:00Z";
        let Undone::Returned(task) = undo(None, Some(&before), &[], &context(now)) else { panic!() };
        assert_eq!((task.id, states(&task)), (before.id, vec![Cancelled, Pending]));
        assert_eq!(task.recurrence.unwrap().armed_at, at(now));
    }

    #[test]
    fn a_creation_is_undone_by_deleting() {
        assert_eq!(undo(Some(&evening_task()), None, &[], &context(NOON)), Undone::Removed);
        assert_eq!(undo(None, None, &[], &context(NOON)), Undone::Nothing);
    }

    #[test]
    fn a_recurrence_returns_with_its_id_and_begins_now() {
        let before = create(Draft { due: Some(at(EVENING)), recurrence: Some(daily()), ..Draft::default() }).unwrap();
        let mut task = before.clone();
        let fields = apply(&mut task, NOON, Patch { recurrence: Some(None), ..Patch::default() }).updated;
        let (restored, _) = undone(&task, &before, &fields, "2026-03-09T12:00:00Z");
        let (is, was) = (restored.recurrence.unwrap(), before.recurrence.unwrap());
        assert_eq!((is.id, is.anchor_at, is.armed_at), (was.id, was.anchor_at, at("2026-03-09T12:00:00Z")));
    }
}
