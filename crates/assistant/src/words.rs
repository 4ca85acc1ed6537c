//! Tasks, dates and numbers as people read them. All of it is made from what the tools answered.

use chrono::{Datelike as _, NaiveTime};
use serde_json::{Map, Value};
use todo_domain::{
    Timestamp,
    zone::{self, Tz},
};
use todo_language::{length_in_words, rule_in_words};

use crate::chat::Turn;

/// How many characters of a text are quoted.
const QUOTED: usize = 100;

/// The reader's present.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// The moment.
    pub now: Timestamp,
    /// The reader's zone.
    pub zone: Tz,
}

impl When {
    /// That of a turn.
    #[must_use]
    pub fn of(turn: &Turn) -> Self {
        Self { now: turn.now, zone: turn.zone }
    }

    /// "Tue, Dec 1"; with the year where it is not the present one. Days are never "tomorrow": what is said is read later.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        let local = zone::local(self.zone, at);
        let format =
            if local.year() == zone::local(self.zone, self.now).year() { "%a, %b %-d" } else { "%a, %b %-d, %Y" };
        local.format(format).to_string()
    }

    /// "9:00 AM"
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        clock(zone::local(self.zone, at).time())
    }

    /// "Tue, Dec 1 at 9:00 AM"
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        format!("{} at {}", self.day(at), self.time(at))
    }

    /// When a task is due; nothing if it is not.
    #[must_use]
    pub fn due(&self, task: &Value) -> Option<String> {
        let at = moment(&task["due_date"])?;
        Some(if task["due_all_day"] == true { self.day(at) } else { self.moment(at) })
    }

    /// Whether a task should be done by now: of a whole day when that is over.
    #[must_use]
    pub fn is_overdue(&self, task: &Value) -> bool {
        let Some(at) = moment(&task["due_date"]) else { return false };
        let end = if task["due_all_day"] == true {
            let day = zone::local(self.zone, at).date();
            zone::start_of_day(self.zone, day.succ_opt().unwrap_or(day))
        } else {
            at
        };
        task["status"] != "completed" && end <= self.now
    }

    /// How a task comes again: "every month on the 1st at 9:00 AM"; nothing if it does not.
    #[must_use]
    pub fn repeats(&self, task: &Value) -> Option<String> {
        let recurrence = Some(&task["recurrence"]).filter(|recurrence| recurrence.is_object())?;
        let due = moment(&task["due_date"]);
        let rule = text(&task["recurrence"]["rrule"]);
        let mut words = match text(&task["recurrence"]["recurrence_type"]) {
            "daily" => "every day".to_owned(),
            "weekly" => match due {
                Some(at) => format!("every week on {}", zone::local(self.zone, at).format("%A")),
                None => "every week".to_owned(),
            },
            "custom" => format!("by the schedule {}", text(&recurrence["cron_expression"])),
            _ => rule_in_words(rule, clock).unwrap_or_else(|| format!("by the rule {rule}")),
        };
        if let (Some(at), false, false) = (due, has_own_times(task), task["due_all_day"] == true) {
            words = format!("{words} at {}", self.time(at));
        }
        if recurrence["anchor"] == "completion" {
            words.push_str(" after it was done");
        }
        if let Some(until) = moment(&recurrence["until"]) {
            words = format!("{words}, until {}", self.day(until));
        }
        if let Some(count) = recurrence["count"].as_i64() {
            words = format!("{words}, {}", counted(count, "time"));
        }
        if recurrence["paused"] == true {
            words.push_str(", paused");
        }
        Some(words)
    }

    /// "reminder 1 hour before"; nothing if there is none.
    #[must_use]
    pub fn reminders(&self, task: &Value) -> Option<String> {
        let reminders = task["reminders"].as_array().filter(|reminders| !reminders.is_empty())?;
        let words = reminders.iter().map(|reminder| {
            let mut words = match (reminder["before_due_seconds"].as_i64(), moment(&reminder["trigger_at"])) {
                (Some(0), _) => "when it is due".to_owned(),
                (Some(seconds), _) => format!("{} before", length_in_words(seconds)),
                (None, at) => at.map(|at| format!("on {}", self.moment(at))).unwrap_or_default(),
            };
            if reminder["fired"] == true {
                words.push_str(" (it rang)");
            } else if reminder["cancelled"] == true {
                words.push_str(" (it will not ring)");
            }
            words
        });
        let noun = if reminders.len() == 1 { "reminder" } else { "reminders" };
        Some(format!("{noun} {}", and(words.collect())))
    }

    /// A task in a list: "Pay rent (due Tue, Dec 1 at 9:00 AM, high, #home)".
    #[must_use]
    pub fn line(&self, task: &Value) -> String {
        let mut facts = Vec::new();
        if let (true, Some(at)) = (task["status"] == "completed", moment(&task["completed_at"])) {
            facts.push(format!("done {}", self.day(at)));
        } else if let Some(due) = self.due(task) {
            facts.push(format!("{} {due}", if self.is_overdue(task) { "was due" } else { "due" }));
        }
        if task["status"] == "in_progress" {
            facts.push("in progress".to_owned());
        }
        facts.extend(priority(task));
        facts.extend(tags(task));
        let title = one_line(text(&task["title"]));
        if facts.is_empty() { title } else { format!("{title} ({})", facts.join(", ")) }
    }
}

/// Whether the rule of a recurring task says at what times of day it comes.
pub(crate) fn has_own_times(task: &Value) -> bool {
    let recurrence = &task["recurrence"];
    let rule = text(&recurrence["rrule"]);
    recurrence["recurrence_type"] == "custom" || ["HOUR", "MINUTE"].iter().any(|part| rule.contains(part))
}

/// What a task matters, if that is not medium.
pub(crate) fn priority(task: &Value) -> Option<String> {
    task["priority"].as_str().filter(|priority| *priority != "medium").map(ToOwned::to_owned)
}

/// "#home #work"
pub(crate) fn tags(task: &Value) -> Option<String> {
    let tags = task["tags"].as_array().filter(|tags| !tags.is_empty())?;
    Some(tags.iter().map(|tag| format!("#{}", text(tag))).collect::<Vec<_>>().join(" "))
}

/// “Pay rent”
pub(crate) fn quoted(title: &str) -> String {
    format!("“{}”", one_line(title))
}

/// The title of a task, quoted.
pub(crate) fn titled(task: &Value) -> String {
    quoted(text(&task["title"]))
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(words: &str) -> String {
    let line = one_line(words);
    let mut short: String = line.chars().take(QUOTED).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of a result; empty if it is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A time of a result.
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// "1 task", "3 tasks"
pub(crate) fn counted(count: i64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// "a, b and c"
pub(crate) fn and(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// A numbered list of at most so many lines, and how many more there are.
pub(crate) fn numbered(lines: &[String], most: usize, total: usize) -> String {
    let mut list: Vec<_> =
        lines.iter().take(most).enumerate().map(|(index, line)| format!("{}. {line}", index + 1)).collect();
    let more = total.saturating_sub(list.len());
    if more > 0 {
        list.push(format!("and {more} more"));
    }
    list.join("\n")
}

/// Arguments of one name and value.
pub(crate) fn one(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

fn clock(time: NaiveTime) -> String {
    time.format("%-I:%M %p").to_string()
}
