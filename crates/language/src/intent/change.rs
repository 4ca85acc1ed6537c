//! What an update changes.

use chrono::{NaiveDate, NaiveTime};
use todo_domain::{
    Timestamp,
    recurrence::RecurrenceDraft,
    task::{Priority, ReminderDraft, Status},
    zone,
};

use crate::{
    Context,
    number::{Length, in_range},
};

/// One change of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Another title.
    Title(String),
    /// Another description; the empty one clears.
    Description(String),
    /// More description, as a line of its own.
    AddDescription(String),
    /// Another due date.
    Due(Move),
    /// No due date.
    ClearDue,
    /// Another priority.
    Priority(Priority),
    /// One step up.
    RaisePriority,
    /// One step down.
    LowerPriority,
    /// More tags.
    AddTags(Vec<String>),
    /// Fewer tags.
    RemoveTags(Vec<String>),
    /// No tags.
    ClearTags,
    /// More reminders.
    AddReminders(Vec<ReminderDraft>),
    /// No reminders.
    ClearReminders,
    /// Another recurrence.
    Repeat {
        /// The rule.
        recurrence: Box<RecurrenceDraft>,
        /// When the first task is due, and whether as a whole day; for a task without a due date.
        first: (Timestamp, bool),
    },
    /// No recurrence.
    ClearRecurrence,
    /// No further slots for now.
    Pause,
    /// Slots again.
    Resume,
    /// Another status; never [`Status::Completed`].
    Status(Status),
}

/// How a due date moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To a day as such. A task that is due at a time of day keeps that.
    Day(NaiveDate),
    /// To a time of day, on the day that the task is due; without one, at the next such time.
    Time {
        /// The time of day.
        time: NaiveTime,
        /// The next such time.
        next: Timestamp,
    },
    /// To an instant.
    Instant(Timestamp),
    /// By a length of time; without a due date, from now.
    By(Shift),
}

impl Move {
    /// The new due date of a task, and whether it is the day as such; nothing if it leaves the years that dates may have.
    #[must_use]
    pub fn apply(&self, due: Option<(Timestamp, bool)>, context: &Context) -> Option<(Timestamp, bool)> {
        let local = |at: Timestamp| zone::local(context.zone, at);
        match (*self, due) {
            (Self::Day(day), Some((at, false))) => Some((in_range(day.and_time(local(at).time()), context)?, false)),
            (Self::Day(day), _) => Some((zone::start_of_day(context.zone, day), true)),
            (Self::Time { time, .. }, Some((at, _))) => {
                Some((in_range(local(at).date().and_time(time), context)?, false))
            }
            (Self::Time { next, .. }, None) => Some((next, false)),
            (Self::Instant(at), _) => Some((at, false)),
            (Self::By(shift), due) => shift.apply(due, context),
        }
    }
}

/// A length of time, forwards or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift(pub(crate) Length);

impl Shift {
    /// Months, then days, then working days, on the calendar.
    #[must_use]
    pub const fn calendar(&self) -> (i64, i64, i64) {
        (self.0.months, self.0.days, self.0.business_days)
    }

    /// What elapses besides.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        self.0.seconds
    }

    /// A due date so much later.
    fn apply(self, due: Option<(Timestamp, bool)>, context: &Context) -> Option<(Timestamp, bool)> {
        let length = self.0;
        let (at, all_day) = due.unwrap_or((context.now, length.is_whole_days()));
        let local = zone::local(context.zone, at);
        if all_day && length.is_whole_days() {
            let day = length.day_after(local.date())?;
            return in_range(day.and_time(NaiveTime::MIN), context)
                .map(|_| (zone::start_of_day(context.zone, day), true));
        }
        Some((length.instant_after(local, context)?, false))
    }
}
