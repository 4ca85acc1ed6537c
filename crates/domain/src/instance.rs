//! The task that a slot becomes.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    clock::Timestamp,
    ids,
    series::GRACE,
    task::{Reminder, ReminderState, Status, Task, When},
    zone::Tz,
};

/// The new pending task for a slot of the series of `source`, under its id.
///
/// It has the source's title, description, priority, tags, all-day flag and relative reminders (those already past at
/// `now` are dropped, except by less than [`GRACE`]: a task appears at the moment of its longest reminder, which it is
/// made to ring, and is always made a little after that), is due at the slot, and has no recurrence of its own. The same arguments give the same
/// task: its reminders' ids are derived from its own and the offset. `zone` is the owner's. Revisions are 0 until it is stored.
#[must_use]
pub fn instance(source: &Task, id: Uuid, slot: Timestamp, now: Timestamp, zone: Tz) -> Task {
    let mut task = Task {
        id,
        user_id: source.user_id,
        title: source.title.clone(),
        description: source.description.clone(),
        status: Status::Pending,
        priority: source.priority,
        tags: source.tags.clone(),
        due: Some(slot),
        due_all_day: source.due_all_day,
        reminders: Vec::new(),
        recurrence: None,
        created_at: now,
        updated_at: now,
        completed_at: None,
        revision: 0,
        content_revision: 0,
        source_task_id: Some(source.id),
    };
    if let Some(base) = task.reminder_base(zone) {
        let offsets = source.reminders.iter().filter_map(Reminder::before_due_seconds);
        let moments = offsets.map(|seconds| (seconds, base - TimeDelta::seconds(seconds)));
        task.reminders = moments
            .filter(|(_, at)| *at > now - GRACE)
            .map(|(seconds, trigger_at)| Reminder {
                id: ids::instance_reminder_id(id, seconds),
                when: When::BeforeDue(seconds),
                trigger_at: Some(trigger_at),
                state: ReminderState::Pending,
                created_at: now,
            })
            .collect();
        task.reminders.sort_by_key(|reminder| (reminder.trigger_at, reminder.id));
    }
    task
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        task::{Draft, ReminderDraft},
        testing::{at, context},
    };

    const ZONE: Tz = Tz::Europe__Berlin;

    fn source(due_all_day: bool) -> Task {
        let relative = |seconds| ReminderDraft { before_due_seconds: Some(seconds), ..ReminderDraft::default() };
        let absolute = ReminderDraft { trigger_at: Some(at("2026-03-04T00:00:00Z")), ..ReminderDraft::default() };
        let draft = Draft {
            title: "Water plants".into(),
            description: "all of them".into(),
            tags: vec!["home".into()],
            due: Some(at("2026-03-02T10:00:00Z")),
            due_all_day,
            reminders: vec![relative(600), relative(86_400), absolute],
            ..Draft::default()
        };
        Task::create(draft, &context("2026-03-01T00:00:00Z")).unwrap()
    }

    #[test]
    fn an_instance_is_its_source_at_the_slot() {
        let (id, slot, now) = (Uuid::from_u128(9), at("2026-03-03T10:00:00Z"), at("2026-03-03T00:00:00Z"));
        let mut source = source(false);
        source.complete(&context("2026-03-02T12:00:00Z"));
        let made = instance(&source, id, slot, now, ZONE);
        assert_eq!((made.id, made.source_task_id), (id, Some(source.id)));
        assert_eq!((made.status, made.due, made.completed_at), (Status::Pending, Some(slot), None));
        assert_eq!((&made.title, &made.description, &made.tags), (&source.title, &source.description, &source.tags));
        // The one a day before is past already, the absolute one is the source's own.
        let [reminder] = &made.reminders[..] else { panic!("{:?}", made.reminders) };
        assert_eq!(reminder.trigger_at, Some(at("2026-03-03T09:50:00Z")));
        assert!(reminder.is_pending() && source.reminders.iter().all(|other| other.id != reminder.id));
        assert_eq!(made, instance(&source, id, slot, now, ZONE));
    }

    #[test]
    fn the_reminder_for_which_it_appears_early_still_rings() {
        let slot = at("2026-03-03T10:00:00Z");
        let rings = |now| {
            let made = instance(&source(false), Uuid::nil(), slot, at(now), ZONE);
            made.reminders.iter().filter_map(Reminder::before_due_seconds).collect::<Vec<_>>()
        };
        assert_eq!(rings("2026-03-02T10:00:00.004Z"), [86_400, 600]);
        assert_eq!(rings("2026-03-02T10:05:00Z"), [600]);
        assert_eq!(rings("2026-03-05T10:00:00Z"), [0; 0]);
    }

    #[test]
    fn an_all_day_instance_reminds_from_nine() {
        let slot = at("2026-03-03T00:00:00+01:00");
        let made = instance(&source(true), Uuid::nil(), slot, at("2026-03-01T00:00:00Z"), ZONE);
        assert!(made.due_all_day);
        let moments: Vec<_> = made.reminders.iter().filter_map(|reminder| reminder.trigger_at).collect();
        assert_eq!(moments, [at("2026-03-02T09:00:00+01:00"), at("2026-03-03T08:50:00+01:00")]);
    }
}
