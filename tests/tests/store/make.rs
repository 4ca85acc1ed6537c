//! What the cases are made of: times, ids, tasks, and chance that is the same in every run.

use chrono::{DateTime, TimeDelta, Utc};
use todo_backend::store::{Conversation, Decision, ReminderRow, Series};
use todo_domain::{
    query::{Filter, Order, Query, SortKey},
    recurrence::{Anchor, CatchUp, Overlap, Recurrence, Rule},
    task::{Priority, Reminder, ReminderState, Status, Task, When},
    zone::Tz,
};
use uuid::Uuid;

/// An instant in RFC 3339.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an RFC 3339 time")
}

/// A moment of the day on which most cases happen.
pub(crate) fn second(second: i64) -> DateTime<Utc> {
    at("2026-03-01T00:00:00Z") + TimeDelta::seconds(second)
}

/// The id with this number; ids sort by it.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A task with nothing but a title.
pub(crate) fn task(owner: Uuid, number: u128, title: &str) -> Task {
    Task {
        id: id(number),
        user_id: owner,
        title: title.into(),
        description: String::new(),
        status: Status::Pending,
        priority: Priority::Medium,
        tags: Vec::new(),
        due: None,
        due_all_day: false,
        reminders: Vec::new(),
        recurrence: None,
        created_at: second(0),
        updated_at: second(0),
        completed_at: None,
        revision: 1,
        content_revision: 1,
        source_task_id: None,
    }
}

/// A task in which every field holds something.
pub(crate) fn full_task(owner: Uuid, number: u128) -> Task {
    let due = second(86_400);
    Task {
        description: "two litres,\nno more".into(),
        status: Status::InProgress,
        priority: Priority::High,
        tags: vec!["Home".into(), "ÜBER".into(), "a b".into()],
        due: Some(due),
        due_all_day: true,
        reminders: vec![
            Reminder {
                when: When::BeforeDue(3_600),
                trigger_at: Some(due - TimeDelta::hours(1)),
                ..reminder(number + 1, due)
            },
            Reminder { state: ReminderState::Fired, ..reminder(number + 2, due) },
            Reminder {
                when: When::BeforeDue(60),
                trigger_at: None,
                state: ReminderState::Cancelled,
                ..reminder(number + 3, due)
            },
        ],
        recurrence: Some(recurrence(number + 4)),
        updated_at: second(5),
        completed_at: Some(second(4)),
        revision: 9,
        content_revision: 8,
        source_task_id: Some(id(number + 5)),
        ..task(owner, number, "Water the plants")
    }
}

/// A pending reminder at an instant.
pub(crate) fn reminder(number: u128, trigger_at: DateTime<Utc>) -> Reminder {
    Reminder {
        id: id(number),
        when: When::At(trigger_at),
        trigger_at: Some(trigger_at),
        state: ReminderState::Pending,
        created_at: second(1),
    }
}

/// A snooze of a notification.
pub(crate) fn snooze(number: u128, task: &Task, notification: u128, trigger_at: DateTime<Utc>) -> ReminderRow {
    ReminderRow {
        id: id(number),
        task_id: task.id,
        user_id: task.user_id,
        trigger_at,
        notification_id: Some(id(notification)),
        traceparent: None,
    }
}

/// A recurrence in which every field holds something.
pub(crate) fn recurrence(number: u128) -> Recurrence {
    Recurrence {
        id: id(number),
        rule: Rule::Rrule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR".into()),
        zone: Tz::America__New_York,
        anchor_at: second(86_400),
        armed_at: second(0),
        until: Some(at("2027-01-01T00:00:00.000001Z")),
        count: Some(100),
        ends_at: Some(at("2026-12-31T00:00:00Z")),
        paused: true,
        overlap: Overlap::Skip,
        lead_seconds: 600,
        catch_up: CatchUp::All,
        anchor: Anchor::Schedule,
        created_at: second(2),
        blocked: false,
    }
}

/// The series of a recurrence, with nothing decided yet.
pub(crate) fn series(source: &Task, recurrence: &Recurrence) -> Series {
    Series {
        recurrence: recurrence.clone(),
        task_id: source.id,
        user_id: source.user_id,
        decided_to: None,
        due_at: None,
        blocked: recurrence.blocked,
        ended_at: None,
    }
}

/// A filter for a text, taken as it is.
pub(crate) fn containing(term: &str) -> Filter {
    Filter { search: Some(todo_domain::text::fold(term)), ..Filter::default() }
}

/// A list of everything that passes.
pub(crate) fn all(filter: Filter) -> Query {
    Query { filter, sort: SortKey::CreatedAt, order: Order::Asc, limit: 1_000, offset: 0, after: None }
}

/// No ids, where the compiler asks of what.
pub(crate) const NONE: [Uuid; 0] = [];

/// The ids of tasks.
pub(crate) fn ids(tasks: &[Task]) -> Vec<Uuid> {
    tasks.iter().map(|task| task.id).collect()
}

/// A sequence that looks like chance (`SplitMix64`), the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and without `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("small")).expect("small")
    }

    /// A moment among the first seconds of the day, so that many share one; some lie before 1970.
    pub(crate) fn moment(&mut self, moments: usize) -> DateTime<Utc> {
        let moment = second(i64::try_from(self.below(moments)).expect("small"));
        if self.one_in(10) { moment - TimeDelta::days(36_500) } else { moment }
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(crate) fn one_in(&mut self, parts: usize) -> bool {
        self.below(parts) == 0
    }

    /// An id anywhere.
    pub(crate) fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    /// Some of `of`, each at most once.
    pub(crate) fn some<T: Clone>(&mut self, of: &[T], at_most: usize) -> Vec<T> {
        let mut left = of.to_vec();
        (0..self.below(at_most + 1).min(of.len())).map(|_| left.swap_remove(self.below(left.len()))).collect()
    }
}

/// An owner's conversation, in which something waits for a yes.
pub(crate) fn conversation(user_id: Uuid, number: u128) -> Conversation {
    Conversation {
        id: id(number),
        user_id,
        title: "hers".into(),
        created_at: second(0),
        updated_at: second(1),
        messages: 0,
        lease: None,
        pending: Some(("{}".into(), second(9))),
        scene: Some("{}".into()),
    }
}

/// What was decided in a conversation.
pub(crate) fn decision(of: &Conversation, number: u128, created_at: DateTime<Utc>) -> Decision {
    Decision {
        id: id(number),
        user_id: of.user_id,
        conversation_id: of.id,
        message: "hers".into(),
        intent_type: "GENERAL_CHAT".into(),
        confidence: 0.5,
        params: "{}".into(),
        decision_type: "RESPOND_ONLY".into(),
        outcome: "SUCCESS:RESPONSE_GIVEN".into(),
        response: "ok".into(),
        created_at,
        duration_ms: 1,
    }
}
