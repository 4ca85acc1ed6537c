//! A reading in words.

use chrono::Datelike as _;
use todo_domain::{
    Timestamp,
    task::{Draft, Priority},
    zone,
};

use crate::{
    Context,
    rule::{Rule, and, weekday_name},
    spoken::length_in_words,
};

/// One line that says what was understood: "due Tue 1 Dec 2026 at 09:00, repeats every month on the 1st".
pub(crate) fn explain(draft: &Draft, rule: Option<&Rule>, context: &Context) -> String {
    let mut parts = Vec::new();
    if let Some(due) = draft.due {
        let words = if draft.due_all_day { day(due, context) } else { moment(due, context) };
        parts.push(format!("due {words}"));
    }
    if let (Some(rule), Some(recurrence)) = (rule, &draft.recurrence) {
        parts.push(format!("repeats {}", rule.words(|time| time.format("%H:%M").to_string())));
        if let Some(until) = recurrence.until {
            parts.push(format!("until {}", day(until, context)));
        }
        if let Some(count) = recurrence.count {
            parts.push(format!("{count} times"));
        }
    }
    if !draft.reminders.is_empty() {
        let words =
            draft.reminders.iter().filter_map(|reminder| match (reminder.before_due_seconds, reminder.trigger_at) {
                (Some(0), _) => Some("when due".to_owned()),
                (Some(seconds), _) => Some(format!("{} before", length_in_words(seconds))),
                (None, Some(at)) => Some(format!("on {}", moment(at, context))),
                (None, None) => None,
            });
        parts.push(format!("reminder {}", and(words.collect())));
    }
    match draft.priority {
        Priority::High => parts.push("high priority".to_owned()),
        Priority::Low => parts.push("low priority".to_owned()),
        Priority::Medium => {}
    }
    if !draft.tags.is_empty() {
        let tags = draft.tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>();
        parts.push(format!("tagged {}", tags.join(" ")));
    }
    if !draft.description.is_empty() {
        parts.push("with a description".to_owned());
    }
    parts.join(", ")
}

fn day(at: Timestamp, context: &Context) -> String {
    let local = zone::local(context.zone, at);
    let weekday = &weekday_name(local.weekday())[..3];
    format!("{weekday} {}", local.format("%-d %b %Y"))
}

fn moment(at: Timestamp, context: &Context) -> String {
    let local = zone::local(context.zone, at);
    format!("{} at {}", day(at, context), local.format("%H:%M"))
}
