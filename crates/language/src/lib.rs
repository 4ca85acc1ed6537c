//! English about tasks, read by a grammar: no model, no network, no guessing.
//!
//! [`parse_task`] reads a task from a line of text, [`parse_phrase`] a date, a rule or a mark alone (as when one of them
//! is edited), [`dates`] the dates in a text (for filters such as "what's due this week"), [`read_message`] what a message to
//! the assistant asks for; [`resolve`] finds the tasks that it means. All are functions of their arguments. The rules are in
//! `docs/language.md`; the phrases in `corpus/` check every one of them.
//!
//! # Map
//!
//! | module | what it holds |
//! |---|---|
//! | `token`, `scan` | words, numbers and signs with their places, and the small questions the grammar asks of them |
//! | `lexicon` | the words it knows, as people type them |
//! | `number` | numbers, places in a row, lengths of time |
//! | `clock` | times of day |
//! | `date`, `relative`, `nth`, `away` | days: of the calendar, by name, by their place, counted from others |
//! | `moment`, `phrase` | days and times together, ranges, and what leads to them |
//! | `repeat`, `rule_days`, `rule` | recurrences, their days, and what they become (RFC 5545) |
//! | `reminder`, `mark` | reminders; priorities, tags, descriptions |
//! | `find`, `task`, `series`, `title` | all of it found in a text, and what it means together |
//! | `explain`, `spoken` | a reading in words, and what is kept of a task |
//! | `intent` | what a message to the assistant asks for, and which tasks it means |
//! | [`corpus`] | files of phrases with what they are expected to mean |
//!
//! # Invariants
//!
//! * Every part of the grammar looks at a bounded number of tokens and never goes back: the time a text takes grows with
//!   its length.
//! * A part of the grammar gives what it read and the token after it, or nothing. It never reads a part of a chunk such
//!   as "221b" (`Scan::begins`, `Scan::ends`).
//! * Arithmetic on dates is checked; what leaves the years 1900 to 9998 is no date.

mod away;
mod clock;
pub mod corpus;
mod date;
mod explain;
mod extent;
mod find;
mod intent;
mod lexicon;
mod mark;
mod moment;
mod nth;
mod number;
mod phrase;
mod reading;
mod relative;
mod reminder;
mod repeat;
mod rule;
mod rule_days;
mod scan;
mod series;
mod spoken;
mod task;
mod title;
mod token;

use chrono::Weekday;
use todo_domain::{Timestamp, zone::Tz};

pub use self::{
    extent::Extent,
    intent::{
        Ask, Candidate, Change, Chat, Evidence, Found, Intent, IntentType, Move, Order, Query, Question, Reference,
        Request, Scene, Shift, Target, Task, has_all_words, narrowing, read_changes, read_message, read_references,
        render_intents, resolve,
    },
    reading::{Reading, Refusal, Span, SpanKind},
    spoken::{length_in_words, rule_in_words},
    task::{dates, parse_phrase, parse_task},
};

/// Which of two numbers is the month where both could be ("03/04").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// 03/04 is the 4th of March.
    #[default]
    MonthFirst,
    /// 03/04 is the 3rd of April.
    DayFirst,
}

/// What a text is read against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The present moment.
    pub now: Timestamp,
    /// The owner's zone.
    pub zone: Tz,
    /// The owner's first day of the week.
    pub week_start: Weekday,
    /// How dates in numbers are read.
    pub date_order: DateOrder,
}

impl Context {
    /// What holds where nothing else is known: weeks begin on Monday, the month comes first in numbers.
    #[must_use]
    pub const fn new(now: Timestamp, zone: Tz) -> Self {
        Self { now, zone, week_start: Weekday::Mon, date_order: DateOrder::MonthFirst }
    }
}
