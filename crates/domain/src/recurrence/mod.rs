//! Recurrence: a rule in a time zone, and the slots it has.
//!
//! A series belongs to its source task, which is its first occurrence: the anchor. The anchor need not match the
//! rule. Every later slot does, and slots strictly increase. Local times follow the one rule in [`crate::zone`]; steps
//! below a day (a cron expression whose hour field has a `*`, an RRULE by the hour or minute) count elapsed time, so
//! both passes of a repeated hour are slots.

mod calendar;
mod cron;
mod draft;
mod rrule;

use chrono::{Datelike as _, Months};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::draft::RecurrenceDraft;
use self::{
    calendar::Calendar,
    cron::Cron,
    rrule::{Frequency, Rrule},
};
use crate::{
    clock::Timestamp,
    limits,
    names::named,
    zone::{self, Tz},
};

/// The kind of rule a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RecurrenceType {
    /// None was named: refused when written.
    #[default]
    Unspecified,
    /// Every local day.
    Daily,
    /// Every seventh local day.
    Weekly,
    /// A cron expression.
    Custom,
    /// An RFC 5545 rule.
    Rrule,
}

named!(RecurrenceType {
    Unspecified = "unspecified",
    Daily = "daily",
    Weekly = "weekly",
    Custom = "custom",
    Rrule = "rrule",
});

/// What a slot does that comes while an instance (the source included) is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overlap {
    /// It becomes a task all the same.
    #[default]
    Keep,
    /// It is gone.
    Skip,
}

named!(Overlap { Keep = "keep", Skip = "skip" });

/// Which of the slots that were missed are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CatchUp {
    /// The latest.
    #[default]
    Latest,
    /// All, up to [`crate::limits::CATCH_UP_MAX`].
    All,
    /// None.
    None,
}

named!(CatchUp { Latest = "latest", All = "all", None = "none" });

/// What the next slot is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Anchor {
    /// The schedule.
    #[default]
    Schedule,
    /// The moment the last one was closed. There is one open task at a time.
    Completion,
}

named!(Anchor { Schedule = "schedule", Completion = "completion" });

/// When a series has its slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The anchor's local time, every day.
    Daily,
    /// The anchor's local time, every seventh day.
    Weekly,
    /// A cron expression of five fields, with single spaces between them.
    Cron(String),
    /// An RFC 5545 rule in its canonical form, without `UNTIL` and `COUNT`.
    Rrule(String),
}

impl Rule {
    /// The `recurrence_type` of the contract.
    #[must_use]
    pub fn recurrence_type(&self) -> RecurrenceType {
        match self {
            Self::Daily => RecurrenceType::Daily,
            Self::Weekly => RecurrenceType::Weekly,
            Self::Cron(_) => RecurrenceType::Custom,
            Self::Rrule(_) => RecurrenceType::Rrule,
        }
    }

    /// The `cron_expression` of the contract.
    #[must_use]
    pub fn cron_expression(&self) -> Option<&str> {
        match self {
            Self::Cron(expression) => Some(expression),
            _ => None,
        }
    }

    /// The `rrule` of the contract.
    #[must_use]
    pub fn rrule(&self) -> Option<&str> {
        match self {
            Self::Rrule(rule) => Some(rule),
            _ => None,
        }
    }
}

/// A recurrence as it is kept with its source task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// Stays the same when the rule is edited; a new one only after the recurrence was cleared.
    pub id: Uuid,
    /// When the slots are.
    pub rule: Rule,
    /// The zone of the rule, fixed when the rule was written.
    pub zone: Tz,
    /// The first slot: the source's due date, or the moment of writing if it has none.
    pub anchor_at: Timestamp,
    /// Slots at or before this instant are never made, except the source itself. It is the moment when the series was
    /// written, re-anchored or resumed: what passed before that is gone, not missed.
    pub armed_at: Timestamp,
    /// No slot after this instant (inclusive), as asked for.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// How many slots there are, the source and unmade ones included, as asked for.
    #[serde(default)]
    pub count: Option<i64>,
    /// No slot after this instant: computed from `until` and `count` whenever the series is anchored. Nothing when
    /// neither is given, or when the last slot lies more than [`limits::SEARCH_YEARS`] ahead. With [`Anchor::Completion`]
    /// `count` ends the series when its last task is made.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Whether the series stands still.
    #[serde(default)]
    pub paused: bool,
    /// What a slot does that comes while one is open.
    #[serde(default)]
    pub overlap: Overlap,
    /// How long before its slot a task appears, in seconds.
    #[serde(default)]
    pub lead_seconds: i64,
    /// Which missed slots are made.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// What the next slot is counted from.
    #[serde(default)]
    pub anchor: Anchor,
    /// When the recurrence was first written.
    pub created_at: Timestamp,
    /// Whether too many tasks of the series are open for another to be made: a finding of [`crate::series::plan`],
    /// kept beside the rule and not with it.
    #[serde(skip)]
    pub blocked: bool,
}

impl Recurrence {
    /// The first slot strictly after `after`. The anchor is never it, since the source stands for it. Ignores `paused`.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.slots().next_after(after)
    }

    /// The slots in (`after`, `until`], ascending, at most `limit`. The anchor is not among them. Ignores `paused`.
    #[must_use]
    pub fn slots_between(&self, after: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        self.slots().after(after).take_while(|slot| *slot <= until).take(limit).collect()
    }

    /// When the task is due that follows one which was closed at `closed_at`. Nothing when the series ends before that.
    /// Ignores `paused`.
    ///
    /// The rule begins anew for it: on the local day of `closed_at` at the series' time of day, but steps below a day and
    /// cron expressions at `closed_at` itself.
    #[must_use]
    pub fn next_after_closing(&self, closed_at: Timestamp) -> Option<Timestamp> {
        let closed_at = closed_at.max(self.armed_at);
        let counts_days = match &self.rule {
            Rule::Daily | Rule::Weekly => true,
            Rule::Cron(_) => false,
            Rule::Rrule(rule) => Rrule::parse(rule).is_ok_and(|(rule, _)| rule.frequency <= Frequency::Daily),
        };
        let anchor_at = if counts_days {
            let day = zone::local(self.zone, closed_at).date();
            zone::resolve(self.zone, day.and_time(zone::local(self.zone, self.anchor_at).time()))
        } else {
            closed_at
        };
        Self { anchor_at, ..self.clone() }.next_after(closed_at)
    }

    /// The slot that a preview shows after another, or after the present: with [`Anchor::Completion`], as if each task
    /// were closed when it is due.
    #[must_use]
    pub fn preview_after(&self, at: Timestamp) -> Option<Timestamp> {
        match self.anchor {
            Anchor::Schedule => self.next_after(at),
            Anchor::Completion => self.next_after_closing(at),
        }
    }

    /// What a reader sees as `next_occurrence`: the first slot after `now`. Nothing when the series ended or is paused,
    /// or when it follows from when a task will be closed.
    #[must_use]
    pub fn next_occurrence(&self, now: Timestamp) -> Option<Timestamp> {
        if self.paused || self.anchor == Anchor::Completion { None } else { self.next_after(now) }
    }

    /// Whether more is to come: not paused and not ended.
    #[must_use]
    pub fn active(&self, now: Timestamp) -> bool {
        !self.paused && self.preview_after(now).is_some()
    }

    /// Whether the series as it is now has this slot; the anchor is one. Ignores `paused`. With [`Anchor::Completion`]
    /// it has whatever it once made.
    #[must_use]
    pub fn contains(&self, slot: Timestamp) -> bool {
        self.anchor == Anchor::Completion
            || slot == self.anchor_at
            || self.next_after(slot - chrono::TimeDelta::microseconds(1)) == Some(slot)
    }

    /// Moves the series to a new first slot: its end is counted anew, and what passed before `now` is gone.
    pub fn anchor_to(&mut self, anchor_at: Timestamp, now: Timestamp) {
        self.anchor_at = anchor_at;
        self.armed_at = now;
        self.ends_at = self.end();
    }

    /// The slots, ready for more than one question.
    pub(crate) fn slots(&self) -> Slots {
        Slots { calendar: self.calendar(), anchor_at: self.anchor_at, ends_at: self.ends_at }
    }

    /// Nothing if the rule cannot be read, which was checked when it was written.
    fn calendar(&self) -> Option<Calendar> {
        let anchor = zone::local(self.zone, self.anchor_at);
        match &self.rule {
            Rule::Daily => Some(Calendar::daily(self.zone, anchor.time())),
            Rule::Weekly => Some(Calendar::weekly(self.zone, anchor.weekday(), anchor.time())),
            Rule::Cron(expression) => Cron::parse(expression).ok().map(|cron| Calendar::cron(self.zone, cron)),
            Rule::Rrule(rule) => {
                Rrule::parse(rule).ok().map(|(rule, _)| Calendar::rrule(self.zone, &rule, self.anchor_at))
            }
        }
    }

    /// The last instant that may be a slot, by `until` and `count`.
    fn end(&self) -> Option<Timestamp> {
        let last = self.count.filter(|count| *count == 1 || self.anchor == Anchor::Schedule).and_then(|count| {
            let later = usize::try_from(count).unwrap_or_default().saturating_sub(1);
            let slots = Slots { calendar: self.calendar(), anchor_at: self.anchor_at, ends_at: self.until };
            match later.checked_sub(1) {
                Some(index) => {
                    let far = self.anchor_at.checked_add_months(Months::new(limits::SEARCH_YEARS * 12));
                    slots.after(self.anchor_at).take_while(|slot| far.is_none_or(|far| *slot <= far)).nth(index)
                }
                None => Some(self.anchor_at),
            }
        });
        last.into_iter().chain(self.until).min()
    }
}

/// The slots of a series after its anchor.
pub(crate) struct Slots {
    calendar: Option<Calendar>,
    anchor_at: Timestamp,
    ends_at: Option<Timestamp>,
}

impl Slots {
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let next = self.calendar.as_ref()?.next_after(after.max(self.anchor_at))?;
        self.ends_at.is_none_or(|end| next <= end).then_some(next)
    }

    /// The last slot in (`after`, `until`].
    pub(crate) fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let until = self.ends_at.map_or(until, |end| until.min(end));
        self.calendar.as_ref()?.last_between(after.max(self.anchor_at), until)
    }

    /// The slots after an instant, ascending.
    pub(crate) fn after(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after), |slot| self.next_after(*slot))
    }
}

#[cfg(test)]
mod tests;
