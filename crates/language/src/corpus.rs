//! Files of phrases with what they are expected to mean.
//!
//! A line is `phrase | expected` or `phrase | context | expected`; empty lines and lines that begin with `# ` are
//! skipped. A context overrides the default one ([`DEFAULT_NOW`], `Europe/Berlin`, weeks from Monday, month first) and
//! holds for its line: `now 2026-03-04T10:00, zone America/New_York, week sunday, order day`. A line `@ context` sets it
//! for the lines that follow.
//!
//! What is expected is a list of fields, parted by `, `; what is not named must not be in the reading, except the title,
//! which is compared only if it is named.
//!
//! | field | as in |
//! |---|---|
//! | `due` | `due 2026-03-06` (the day as such), `due 2026-03-06 17:00` (in the owner's zone) |
//! | `repeat` | `repeat daily`, `repeat weekly`, `repeat FREQ=MONTHLY;BYMONTHDAY=1` |
//! | `until`, `count`, `anchor` | `until 2026-12-01`, `count 10`, `anchor completion` |
//! | `reminder` | `reminder 3600` (seconds before it is due), `reminder 2026-03-06 08:00`; once for each |
//! | `high`, `low` | the priority |
//! | `tag` | `tag home`; once for each |
//! | `description` | `description by bank transfer` |
//! | `title` | `title pay rent` |
//! | `nothing` | nothing at all was understood |
//! | `dates` | what [`crate::dates`] finds: `dates 2026-03-02..2026-03-08`, `dates ..2026-03-04 12:00` |
//!
//! A line of messages begins what is expected with an intent; several are parted by ` + ` and all are compared. Of an
//! intent that is only named ("create") nothing more is compared, otherwise all of it:
//! `create buy milk, due 2026-03-05`, `list open due 2026-03-04`, `update "rent": high`, `delete #2`, `unclear title`; see
//! [`crate::render_intents`].

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, Weekday};
use todo_domain::{
    Timestamp,
    recurrence::{Anchor, RecurrenceType},
    task::Priority,
    zone::{self, Tz},
};

use crate::{Context, DateOrder, Extent, Reading, Span, dates, parse_task, read_message, render_intents};

/// The local time at which phrases are read unless a context says otherwise: a Wednesday.
pub const DEFAULT_NOW: &str = "2026-03-04T10:00";

/// A phrase and what it is expected to mean.
#[derive(Debug, Clone)]
pub struct Case {
    /// The line in its file, from 1.
    pub line: usize,
    /// The phrase.
    pub phrase: String,
    /// What it is read against.
    pub context: Context,
    /// What it is expected to mean.
    pub expected: Vec<String>,
}

/// How a reading compares with what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is what is expected.
    Right,
    /// No date and no rule was read where one is expected.
    Refused,
    /// It is something else: the reading, in the format of the file.
    Wrong(String),
}

/// A line that is not in the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads a file of phrases.
///
/// # Errors
/// The first line that is not in the format.
pub fn read(text: &str) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    let mut defaults = Options::default();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let error = |message: String| Error { line, message };
        let text = text.trim();
        if text.is_empty() || text == "#" || text.starts_with("# ") {
            continue;
        }
        if let Some(context) = text.strip_prefix("@ ") {
            defaults = Options::default().with(context).map_err(error)?;
            continue;
        }
        let fields: Vec<_> = text.split(" | ").map(str::trim).collect();
        let (phrase, context, expected) = match fields[..] {
            [phrase, expected] => (phrase, defaults.clone(), expected),
            [phrase, context, expected] => (phrase, defaults.clone().with(context).map_err(error)?, expected),
            _ => return Err(error("must be `phrase | expected` or `phrase | context | expected`".to_owned())),
        };
        let expected = if is_intent(expected) { vec![expected.to_owned()] } else { split(expected).map_err(error)? };
        cases.push(Case { line, phrase: phrase.to_owned(), context: context.context(), expected });
    }
    Ok(cases)
}

/// Reads a context, as in `now 2026-03-04T10:00, zone America/New_York`.
///
/// # Errors
/// What is wrong with it.
pub fn context(text: &str) -> Result<Context, String> {
    Ok(Options::default().with(text)?.context())
}

impl Case {
    /// Reads the phrase and compares.
    #[must_use]
    pub fn check(&self) -> Outcome {
        if let [expected] = &self.expected[..]
            && is_intent(expected)
        {
            return self.check_intents(expected);
        }
        let actual = if self.expected.iter().any(|field| field.starts_with("dates")) {
            vec![format!("dates {}", render_dates(&self.phrase, &self.context)).trim_end().to_owned()]
        } else {
            render(&parse_task(&self.phrase, &self.context), self.context.zone)
        };
        let titled = self.expected.iter().any(|field| field.starts_with("title "));
        let dated =
            |fields: &[String]| fields.iter().any(|field| field.starts_with("due ") || field.starts_with("repeat "));
        let mut compared: Vec<_> = actual.iter().filter(|field| titled || !field.starts_with("title ")).collect();
        let mut expected: Vec<_> = self.expected.iter().filter(|field| *field != "nothing").collect();
        compared.sort();
        expected.sort();
        if compared == expected {
            Outcome::Right
        } else if dated(&self.expected) && !dated(&actual) || actual == ["dates"] {
            Outcome::Refused
        } else {
            Outcome::Wrong(actual.join(", "))
        }
    }
}

impl Case {
    fn check_intents(&self, expected: &str) -> Outcome {
        let intents = read_message(&self.phrase, &self.context);
        let actual = render_intents(&intents, self.context.zone);
        let (found, wanted): (Vec<_>, Vec<_>) = (actual.split(" + ").collect(), expected.split(" + ").collect());
        let same = |(found, wanted): (&&str, &&str)| found == wanted || found.split(' ').next() == Some(*wanted);
        if found.len() == wanted.len() && found.iter().zip(&wanted).all(same) {
            Outcome::Right
        } else if found.iter().any(|it| it.starts_with("unclear")) {
            Outcome::Refused
        } else {
            Outcome::Wrong(actual)
        }
    }
}

/// Whether what is expected is intents.
fn is_intent(expected: &str) -> bool {
    const INTENTS: [&str; 18] = [
        "create",
        "list",
        "count",
        "show",
        "complete",
        "reopen",
        "update",
        "delete",
        "undo",
        "yes",
        "no",
        "greeting",
        "thanks",
        "farewell",
        "help",
        "smalltalk",
        "outside",
        "unclear",
    ];
    expected.split([' ', '+']).next().is_some_and(|first| INTENTS.contains(&first))
}

const KEYS: [&str; 13] = [
    "due",
    "repeat",
    "until",
    "count",
    "anchor",
    "reminder",
    "high",
    "low",
    "tag",
    "description",
    "title",
    "nothing",
    "dates",
];

/// Splits at `, ` where a field begins.
fn split(expected: &str) -> Result<Vec<String>, String> {
    let mut fields: Vec<String> = Vec::new();
    for piece in expected.split(", ") {
        let key = piece.split(' ').next().unwrap_or_default();
        let open = fields.last().is_some_and(|last| {
            last.starts_with("title ") || last.starts_with("description ") || last.starts_with("dates ")
        });
        if KEYS.contains(&key) {
            fields.push(piece.to_owned());
        } else if let (Some(last), true) = (fields.last_mut(), open) {
            *last = format!("{last}, {piece}");
        } else {
            return Err(format!("unknown field {key:?}, must be one of {}", KEYS.join(", ")));
        }
    }
    Ok(fields)
}

/// A reading as the fields of a line, the title last.
#[must_use]
pub fn render(reading: &Reading, zone: Tz) -> Vec<String> {
    let draft = &reading.draft;
    let mut fields = Vec::new();
    if let Some(due) = draft.due {
        fields.push(format!("due {}", if draft.due_all_day { day(zone, due) } else { minute(zone, due) }));
    }
    if let Some(recurrence) = &draft.recurrence {
        let rule = match recurrence.recurrence_type {
            RecurrenceType::Rrule => recurrence.rrule.clone().unwrap_or_default(),
            kind => kind.as_str().to_owned(),
        };
        fields.push(format!("repeat {rule}"));
        fields.extend(recurrence.until.map(|until| format!("until {}", day(zone, until))));
        fields.extend(recurrence.count.map(|count| format!("count {count}")));
        if recurrence.anchor == Anchor::Completion {
            fields.push("anchor completion".to_owned());
        }
    }
    for reminder in &draft.reminders {
        fields.push(match (reminder.before_due_seconds, reminder.trigger_at) {
            (Some(seconds), _) => format!("reminder {seconds}"),
            (None, at) => format!("reminder {}", at.map(|at| minute(zone, at)).unwrap_or_default()),
        });
    }
    match draft.priority {
        Priority::High => fields.push("high".to_owned()),
        Priority::Low => fields.push("low".to_owned()),
        Priority::Medium => {}
    }
    fields.extend(draft.tags.iter().map(|tag| format!("tag {tag}")));
    if !draft.description.is_empty() {
        fields.push(format!("description {}", draft.description));
    }
    fields.push(format!("title {}", draft.title));
    fields
}

fn day(zone: Tz, at: Timestamp) -> String {
    zone::local(zone, at).format("%Y-%m-%d").to_string()
}

pub(crate) fn minute(zone: Tz, at: Timestamp) -> String {
    let local = zone::local(zone, at);
    let seconds = if local.format("%S").to_string() == "00" { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    local.format(seconds).to_string()
}

fn render_dates(phrase: &str, context: &Context) -> String {
    let render = |(_, extent): &(Span, Extent)| render_extent(extent, context.zone);
    dates(phrase, context).iter().map(render).collect::<Vec<_>>().join(", ")
}

/// "2026-03-02..2026-03-08"; one of them if both ends are the same.
pub(crate) fn render_extent(extent: &Extent, zone: Tz) -> String {
    let days = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let instants = |at: Option<Timestamp>| at.map(|at| minute(zone, at)).unwrap_or_default();
    let (from, to) = match *extent {
        Extent::Days { first, last } => (days(first), days(last)),
        Extent::Instants { from, to } => (instants(from), instants(to)),
    };
    if from == to { from } else { format!("{from}..{to}") }
}

/// A context as it is written.
#[derive(Debug, Clone)]
struct Options {
    now: NaiveDateTime,
    zone: Tz,
    week_start: Weekday,
    date_order: DateOrder,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            now: local(DEFAULT_NOW).unwrap_or_default(),
            zone: Tz::Europe__Berlin,
            week_start: Weekday::Mon,
            date_order: DateOrder::MonthFirst,
        }
    }
}

impl Options {
    fn with(mut self, context: &str) -> Result<Self, String> {
        for option in context.split(", ") {
            let (key, value) = option.split_once(' ').ok_or("a context must be `key value`")?;
            let wrong = || format!("{key} takes no {value:?}");
            match key {
                "now" => self.now = local(value).ok_or_else(wrong)?,
                "zone" => self.zone = value.parse().map_err(|_| wrong())?,
                "week" => self.week_start = value.parse().map_err(|_| wrong())?,
                "order" => {
                    self.date_order = match value {
                        "month" => DateOrder::MonthFirst,
                        "day" => DateOrder::DayFirst,
                        _ => return Err(wrong()),
                    }
                }
                _ => return Err(format!("unknown key {key:?}, must be one of now, zone, week, order")),
            }
        }
        Ok(self)
    }

    fn context(&self) -> Context {
        Context {
            now: zone::resolve(self.zone, self.now),
            zone: self.zone,
            week_start: self.week_start,
            date_order: self.date_order,
        }
    }
}

fn local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}
