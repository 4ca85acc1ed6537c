//! Intents in words, as files of phrases expect them.

use todo_domain::zone::Tz;

use super::{Ask, Change, Chat, Intent, Move, Query, Question, Reference, Request, Target, Task};
use crate::{Extent, corpus};

/// The intents of a message as the fields of a line, parted by ` + `.
#[must_use]
pub fn render_intents(intents: &[Intent], zone: Tz) -> String {
    intents.iter().map(|intent| request(&intent.request, zone)).collect::<Vec<_>>().join(" + ")
}

fn request(request: &Request, zone: Tz) -> String {
    match request {
        Request::Create(task) => format!("create {}", created(task, zone)),
        Request::List(query) => {
            let kind = if query.ask == Ask::Count { "count" } else { "list" };
            format!("{kind} {}", filtered(query, zone)).trim_end().to_owned()
        }
        Request::Show(references) => format!("show {}", referred(references)),
        Request::Complete(target) => format!("complete {}", targeted(target, zone)),
        Request::Reopen(target) => format!("reopen {}", targeted(target, zone)),
        Request::Delete(target) => format!("delete {}", targeted(target, zone)),
        Request::Update(target, changes) => {
            let changes = changes.iter().map(|it| change(it, zone)).collect::<Vec<_>>().join(", ");
            format!("update {}: {changes}", targeted(target, zone))
        }
        Request::Undo => "undo".to_owned(),
        Request::Yes => "yes".to_owned(),
        Request::No => "no".to_owned(),
        Request::Chat(chat) => match chat {
            Chat::Greeting => "greeting",
            Chat::Thanks => "thanks",
            Chat::Farewell => "farewell",
            Chat::Help => "help",
            Chat::SmallTalk => "smalltalk",
        }
        .to_owned(),
        Request::OutOfScope => "outside".to_owned(),
        Request::Unclear(question) => match question {
            Question::WhatToDo => "unclear what".to_owned(),
            Question::WhichTitle => "unclear title".to_owned(),
            Question::WhichTask => "unclear task".to_owned(),
            Question::WhichChange(references) => format!("unclear change {}", referred(references)),
        },
    }
}

/// The title first, then the rest.
fn created(task: &Task, zone: Tz) -> String {
    let mut fields = corpus::render(&task.reading, zone);
    fields.rotate_right(1);
    if let Some(title) = fields.first_mut().and_then(|title| title.strip_prefix("title ").map(str::to_owned)) {
        fields[0] = title;
    }
    fields.join(", ")
}

fn targeted(target: &Target, zone: Tz) -> String {
    match target {
        Target::Tasks(references) => referred(references),
        Target::Matching(query) => {
            let words = filtered(query, zone);
            if words.is_empty() { "all".to_owned() } else { format!("all {words}") }
        }
    }
}

fn referred(references: &[Reference]) -> String {
    let words = references.iter().map(|reference| match reference {
        Reference::Title(title) => format!("\"{title}\""),
        Reference::Number(number) => format!("#{number}"),
        Reference::Nth(nth) => format!("nth {nth}"),
        Reference::Last => "last".to_owned(),
        Reference::It => "it".to_owned(),
        Reference::Both => "both".to_owned(),
        Reference::All => "them".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn filtered(query: &Query, zone: Tz) -> String {
    let mut words = Vec::new();
    match &query.statuses[..] {
        [] => {}
        statuses if *statuses == super::query::OPEN => words.push("open".to_owned()),
        statuses => words.extend(statuses.iter().map(|status| status.as_str().to_owned())),
    }
    words.extend(query.priorities.iter().map(|priority| priority.as_str().to_owned()));
    words.extend(query.tags.iter().map(|tag| format!("#{tag}")));
    if query.overdue {
        words.push("overdue".to_owned());
    }
    if query.undated {
        words.push("undated".to_owned());
    }
    let extent = |extent: &Extent| corpus::render_extent(extent, zone);
    words.extend(query.due.as_ref().map(|due| format!("due {}", extent(due))));
    words.extend(query.completed.as_ref().map(|completed| format!("when {}", extent(completed))));
    words.extend(query.created.as_ref().map(|created| format!("added {}", extent(created))));
    words.extend(query.search.as_ref().map(|search| format!("search {search}")));
    words.extend(
        query.order.map(|order| format!("by {}{}", order.key.as_str(), if order.descending { " down" } else { "" })),
    );
    words.extend(query.limit.map(|limit| format!("top {limit}")));
    words.join(" ")
}

fn change(change: &Change, zone: Tz) -> String {
    match change {
        Change::Title(title) => format!("title {title}"),
        Change::Description(text) => format!("description {text}").trim_end().to_owned(),
        Change::AddDescription(text) => format!("note {text}"),
        Change::Due(due) => match due {
            Move::Day(day) => format!("due {day}"),
            Move::Time { time, .. } => format!("at {}", time.format("%H:%M")),
            Move::Instant(at) => format!("due {}", corpus::minute(zone, *at)),
            Move::By(shift) => {
                let (months, days, working) = shift.calendar();
                let parts =
                    [(months, "months"), (days, "days"), (working, "working days"), (shift.seconds(), "seconds")];
                let words =
                    parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count} {unit}"));
                format!("by {}", words.collect::<Vec<_>>().join(" "))
            }
        },
        Change::ClearDue => "no due".to_owned(),
        Change::Priority(priority) => priority.as_str().to_owned(),
        Change::RaisePriority => "raise".to_owned(),
        Change::LowerPriority => "lower".to_owned(),
        Change::AddTags(tags) => format!("tag {}", tags.join(" ")),
        Change::RemoveTags(tags) => format!("untag {}", tags.join(" ")),
        Change::ClearTags => "no tags".to_owned(),
        Change::AddReminders(drafts) => {
            let words = drafts.iter().map(|draft| match (draft.before_due_seconds, draft.trigger_at) {
                (Some(seconds), _) => seconds.to_string(),
                (None, at) => at.map(|at| corpus::minute(zone, at)).unwrap_or_default(),
            });
            format!("reminder {}", words.collect::<Vec<_>>().join(" "))
        }
        Change::ClearReminders => "no reminders".to_owned(),
        Change::Repeat { recurrence, .. } => {
            format!(
                "repeat {}",
                recurrence.rrule.clone().unwrap_or_else(|| recurrence.recurrence_type.as_str().to_owned())
            )
        }
        Change::ClearRecurrence => "no repeat".to_owned(),
        Change::Pause => "pause".to_owned(),
        Change::Resume => "resume".to_owned(),
        Change::Status(status) => format!("status {}", status.as_str()),
    }
}
