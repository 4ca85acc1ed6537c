//! Changes of tasks that there are.

use todo_domain::task::{Priority, Status};

use super::{
    Change, Evidence, Move, Question, Reference, Request, Target,
    filter::level,
    line::Line,
    query::OPEN,
    reference::{is_explicit, references},
    status::target,
    words::is_task,
};
use crate::{Context, parse_phrase, scan::Scan, task::due_of};

pub(super) type Read = Option<(Request, Evidence)>;

/// Reads a request to change tasks.
pub(super) fn update(line: &Line<'_>) -> Read {
    super::field::cleared(line)
        .or_else(|| super::field::repeated(line))
        .or_else(|| super::field::tagged(line))
        .or_else(|| super::field::noted(line))
        .or_else(|| super::field::reminded(line))
        .or_else(|| super::field::set(line))
        .or_else(|| prioritized(line))
        .or_else(|| renamed(line))
        .or_else(|| super::postpone::moved(line))
        .or_else(|| made(line))
        .or_else(|| started(line))
        .or_else(|| changed(line))
}

/// An update of what some tokens name; of what was spoken of if they are none.
pub(super) fn of(line: &Line<'_>, from: usize, to: usize, changes: Vec<Change>, sure: Evidence) -> Read {
    if from >= to {
        return Some((Request::Update(Target::Tasks(vec![Reference::It]), changes), Evidence::Phrase));
    }
    let (mut target, explicit) = target(line, from, to)?;
    if let Target::Matching(query) = &mut target
        && query.statuses.is_empty()
    {
        query.statuses = OPEN.to_vec();
    }
    Some((Request::Update(target, changes), if explicit { Evidence::Phrase } else { sure }))
}

/// What a text says a task shall be: a date, a rule, a priority, tags.
pub(super) fn value(text: &str, context: &Context) -> Option<Vec<Change>> {
    let text = text.trim().trim_matches(['"', '“', '”', '.', '!', ',']).trim();
    let text = text.strip_suffix(" instead").unwrap_or(text);
    let lower = text.to_lowercase();
    let bare = ["priority to ", "be ", "to ", "a ", "due date to ", "as "]
        .iter()
        .find_map(|lead| lower.strip_prefix(lead))
        .unwrap_or(&lower);
    if let Some(priority) = level(bare.strip_suffix(" priority").unwrap_or(bare)) {
        return Some(vec![Change::Priority(priority)]);
    }
    if let Some(due) = date(text, context) {
        return Some(vec![Change::Due(due)]);
    }
    if text.split_whitespace().count() > 24 {
        return None;
    }
    let reading = parse_phrase(text, context).or_else(|| parse_phrase(bare, context))?;
    let mut changes = Vec::new();
    let draft = reading.draft;
    match (draft.recurrence, draft.due) {
        (Some(recurrence), Some(due)) => {
            changes.push(Change::Repeat { recurrence: Box::new(recurrence), first: (due, draft.due_all_day) });
        }
        (None, Some(due)) => {
            let phrase = |span: &&crate::Span| matches!(span.kind, crate::SpanKind::Due);
            let said = reading.spans.iter().find(phrase).and_then(|span| date(&span.text, context));
            let all_day = todo_domain::zone::local(context.zone, due).date();
            changes.push(Change::Due(said.unwrap_or(if draft.due_all_day {
                Move::Day(all_day)
            } else {
                Move::Instant(due)
            })));
        }
        _ => {}
    }
    if draft.priority != Priority::Medium || reading.spans.iter().any(|span| span.kind == crate::SpanKind::Priority) {
        changes.push(Change::Priority(draft.priority));
    }
    if !draft.tags.is_empty() {
        changes.push(Change::AddTags(draft.tags));
    }
    if !draft.reminders.is_empty() {
        changes.push(Change::AddReminders(draft.reminders));
    }
    (!changes.is_empty()).then_some(changes)
}

/// A text that is a date and nothing else.
pub(super) fn date(text: &str, context: &Context) -> Option<Move> {
    let scan = Scan::new(text, context, true);
    if scan.tokens.len() > 24 {
        return None;
    }
    let (phrase, next) = scan.phrase(0)?;
    if !scan.is_end(next) {
        return None;
    }
    let (at, all_day) = due_of(&scan, &phrase)?;
    let local = todo_domain::zone::local(context.zone, at);
    Some(match (all_day, phrase.moment.is_time_only() && phrase.to.is_none()) {
        (true, _) => Move::Day(local.date()),
        (false, true) => Move::Time { time: local.time(), next: at },
        _ => Move::Instant(at),
    })
}

/// "make it high priority", "prioritize the rent", "lower the priority of laundry".
fn prioritized(line: &Line<'_>) -> Read {
    let start = line.start;
    if let Some(next) = line.after_any(start, "prioritize|prioritise") {
        return of(line, next, line.end, vec![Change::Priority(Priority::High)], Evidence::Either);
    }
    if let Some(next) = line.after_any(start, "deprioritize|deprioritise") {
        return of(line, next, line.end, vec![Change::Priority(Priority::Low)], Evidence::Either);
    }
    let up = matches!(line.word(start), "raise" | "increase" | "bump" | "up");
    let down = matches!(line.word(start), "lower" | "decrease" | "reduce" | "drop");
    if !(up || down) || !line.has("priority|importance") {
        return None;
    }
    let next = line.skip(start + 1, "up");
    let from = line.skip(
        next,
        "the priority of|the priority on|the priority for|priority of|priority on|priority for|the priority|the importance of",
    );
    let at = (from..line.end).rev().take(4).find(|i| line.word(*i) == "to");
    let to = at.unwrap_or(line.end);
    let change = match at.map(|at| value(line.text_of(at + 1, line.end), line.context)) {
        Some(changes) => changes?,
        None if up => vec![Change::RaisePriority],
        None => vec![Change::LowerPriority],
    };
    // "raise X's priority", "raise its priority".
    let to = if matches!(line.word(to - 1), "priority" | "importance") && to > from { to - 1 } else { to };
    if to == from + 1 && matches!(line.word(from), "its" | "the") {
        return of(line, from, from, change, Evidence::Lead);
    }
    of(line, from, to, change, Evidence::Lead)
}

/// "rename X to Y", "change the title of X to Y".
fn renamed(line: &Line<'_>) -> Read {
    const LEADS: &str = "rename|retitle|change the title of|change the name of|update the title of|edit the title of|change title of|\
        change the wording of";
    let next = line.after_any(line.start, LEADS)?;
    let to = (next..line.end)
        .find(|i| matches!(line.word(*i), "to" | "as" | "into") && *i > next || line.sign(*i) == Some('>'))?;
    if line.is_end(to + 1) {
        return None;
    }
    let end = if line.sign(to) == Some('>') && matches!(line.sign(to - 1), Some('-' | '=')) { to - 1 } else { to };
    of(line, next, end, vec![Change::Title(title(line, to + 1))], Evidence::Phrase)
}

fn title(line: &Line<'_>, from: usize) -> String {
    line.rest(from).trim_matches(['"', '“', '”', '`']).trim().to_owned()
}

/// "make it friday", "make the gym weekly", "set it to 5pm", "mark X as urgent".
fn made(line: &Line<'_>) -> Read {
    const LEADS: &str = "make|set|mark|flag|turn|schedule";
    let next = line.after_any(line.start, LEADS)?;
    let first = next.max(line.end.saturating_sub(16));
    // "set a reminder for tomorrow" asks for a new one.
    let named =
        (next + 1..line.end.min(next + 4)).any(|i| matches!(line.word(i), "reminder" | "alarm" | "alert" | "note"));
    if named && matches!(line.word(next), "a" | "an" | "another") {
        return None;
    }
    for at in first..line.end {
        let from = line.skip(at, "repeat|recur|to repeat|as being|as|to be|to|into|for|a");
        let Some(changes) = value(line.text_of(from, line.end), line.context).filter(|_| from < line.end) else {
            continue;
        };
        let due_said = line.word(from) == "due";
        let explicit = is_explicit(line, next, at);
        let mark = !matches!(changes[0], Change::Due(_) | Change::AddReminders(_));
        let to_date = line.word(line.start) == "set" && line.word(at) == "to";
        if at == next {
            return None;
        }
        // "make a dentist appointment friday" is something to do.
        let article = matches!(line.word(next), "a" | "an" | "some");
        return (explicit
            || (mark || due_said || to_date) && !article && line.word(line.start) != "schedule" && !line.wish)
            .then(|| {
                of(
                    line,
                    next,
                    at,
                    changes,
                    if mark && line.word(line.start) != "set" { Evidence::Lead } else { Evidence::Either },
                )
            })
            .flatten();
    }
    None
}

/// "start working on X", "I'm working on X".
fn started(line: &Line<'_>) -> Read {
    const LEADS: &str = "start working on|started working on|i started working on|i've started working on|i'm working on|\
        i am working on|working on|i started|i've started|i have started|i began|begin working on";
    let next = line.after_any(line.start, LEADS).or_else(|| {
        let next = line.after_any(line.start, "start|begin|started")?;
        is_explicit(line, next, line.end).then_some(next)
    })?;
    if line.is_end(next) {
        return None;
    }
    of(line, next, line.end, vec![Change::Status(Status::InProgress)], Evidence::Lead)
}

/// "change X to Y": a date, a rule, a priority, or else another title.
fn changed(line: &Line<'_>) -> Read {
    let start = line.start;
    let next = line.after_any(start, "change|update|edit|modify|switch|alter|correct|fix|replace")?;
    let own = matches!(line.word(start), "change" | "update" | "edit" | "modify" | "alter");
    let with = matches!(line.word(start), "replace");
    let first = next.max(line.end.saturating_sub(16));
    let links = |i: &usize| matches!(line.word(*i), "to" | "into" | "from" | "for") || with && line.word(*i) == "with";
    for at in (first..line.end).filter(links) {
        if at == next || line.word(at) == "from" {
            continue;
        }
        if let Some(changes) = value(line.text_of(at + 1, line.end), line.context) {
            if !own && !is_explicit(line, next, at) {
                return None;
            }
            let was = |i: &usize| line.word(*i) == "from" && value(line.text_of(i + 1, at), line.context).is_some();
            let end = (next + 1..at).rev().take(8).find(was).unwrap_or(at);
            return of(line, next, end, changes, Evidence::Lead);
        }
    }
    let explicit_until = |end: usize| is_explicit(line, next, end);
    let to = (next + 1..line.end)
        .find(|i| line.word(*i) == "to" || with && line.word(*i) == "with" || line.sign(*i) == Some(':'));
    match to.filter(|to| *to + 1 < line.end) {
        Some(to) if own || explicit_until(to) => {
            let about = (next..to).any(|i| is_task(line.word(i)));
            let evidence = if about || explicit_until(to) { Evidence::Lead } else { Evidence::Either };
            of(line, next, to, vec![Change::Title(title(line, to + 1))], evidence)
        }
        _ if line.is_end(next) => Some((Request::Unclear(Question::WhichTask), Evidence::Lead)),
        _ if own && explicit_until(line.end) => {
            let found = references(line, next, line.end);

            Some((Request::Unclear(Question::WhichChange(found)), Evidence::Lead))
        }
        _ => None,
    }
}
