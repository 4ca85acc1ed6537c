//! Changes that name the part of a task that they change: its date, rule, tags, notes, reminders.

use todo_domain::task::{Priority, ReminderDraft};

use super::{
    Change, Evidence, Reference, Request, Target,
    line::Line,
    reference::{is_explicit, references},
    update::{Read, of, value},
};
use crate::{parse_phrase, parse_task};

/// "remove the due date of X", "clear its reminders", "untag X".
pub(super) fn cleared(line: &Line<'_>) -> Read {
    const VERBS: &str = "remove|delete|clear|drop|cancel|unset|erase|take off|get rid of|take away|strip|take";
    let start = line.start;
    if let Some(next) = line.after(start, "untag") {
        return untagged(line, next);
    }
    let next = line.after_any(start, VERBS)?;
    let field = line.skip(next, "all of the|all of its|all the|all its|any|all|the|its|their|a|my");
    let tagged = line.sign(field) == Some('#') && line.number(field + 1).is_none();
    if tagged && line.has("from|off") {
        return untagged(line, field);
    }
    // "the home tag from X".
    if line.word(field + 1) == "tag" || line.word(field + 1) == "label" {
        let from = line.skip(field + 2, "from|off|of|on");
        return (from > field + 2 || line.is_end(from))
            .then(|| {
                of(line, from, line.end, vec![Change::RemoveTags(vec![line.word(field).to_owned()])], Evidence::Lead)
            })
            .flatten();
    }
    if let Some(name) = line.after_any(field, "tag|label").filter(|name| !line.is_end(*name)) {
        return untagged(line, line.skip(name, "called|named"));
    }
    // "remove the dentist's due date".
    let owned = (field + 1..line.end).find_map(|i| {
        let (next, change) = without(line, i)?;
        (next == line.end && line.word(i - 1).ends_with("'s")).then_some((i, change))
    });
    if let Some((i, change)) = owned {
        let words = line.text_of(field, i);
        let words = words.strip_suffix("'s").or_else(|| words.strip_suffix("’s")).unwrap_or(words);
        let target = Target::Tasks(vec![Reference::Title(words.to_owned())]);
        return Some((Request::Update(target, vec![change]), Evidence::Lead));
    }
    let (next, change) = without(line, field)?;
    // "delete the reminder to call mom" is about a task, "clear my reminders" about all.
    let whole = line.is_end(next)
        && (matches!(line.word(next - 1), "reminders" | "reminder" | "alarm" | "alarms" | "notes" | "note" | "date"));
    let mine = line.word(field.saturating_sub(1)) == "my";
    if whole
        && (matches!(line.word(field.saturating_sub(1)), "my" | "all")
            || field == next
            || line.word(start) == "cancel"
            || mine)
    {
        return None;
    }
    let from = line.skip(next, "of|from|for|on|off|off of");
    let about_task = matches!(line.word(next - 1), "reminder" | "alarm")
        && !matches!(line.word(next), "of" | "from" | "on" | "off" | "");
    if about_task || from == next && !line.is_end(next) {
        return None;
    }
    of(line, from, line.end, vec![change], Evidence::Lead)
}

/// What a task may be without: the token after its name, and the change.
fn without(line: &Line<'_>, i: usize) -> Option<(usize, Change)> {
    let find = |names: &str, change: Change| line.after_any(i, names).map(|next| (next, change));
    find("due dates|due date|deadline|due time|date", Change::ClearDue)
        .or_else(|| find("reminders|reminder|alarms|alarm", Change::ClearReminders))
        .or_else(|| find("tags|labels", Change::ClearTags))
        .or_else(|| find("priority", Change::Priority(Priority::Medium)))
        .or_else(|| find("description|notes|note", Change::Description(String::new())))
        .or_else(|| find("recurrence|repetition|repeat", Change::ClearRecurrence))
}

/// "untag X", "untag home from X", "remove the tag home from X".
fn untagged(line: &Line<'_>, tag: usize) -> Read {
    let Some(from) = (tag..line.end).find(|i| matches!(line.word(*i), "from" | "off") && *i > tag) else {
        return match line.word(line.start) {
            "untag" => of(line, tag, line.end, vec![Change::ClearTags], Evidence::Lead),
            _ => of(line, line.end, line.end, vec![Change::RemoveTags(tags(line, tag, line.end))], Evidence::Lead),
        };
    };
    let next = line.skip(from + 1, "of");
    of(line, next, line.end, vec![Change::RemoveTags(tags(line, tag, from))], Evidence::Lead)
}

/// The names of tags: "home", "#home and #work", "\"two words\"".
fn tags(line: &Line<'_>, from: usize, to: usize) -> Vec<String> {
    let text = line.text_of(from, to);
    let name = |part: &str| part.trim().trim_matches(['#', '"', '“', '”', '\'', '.']).trim().to_owned();
    text.split(',')
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| if part.contains('#') { part.split(' ').collect() } else { vec![part] })
        .map(name)
        .filter(|name| !name.is_empty())
        .collect()
}

/// "stop repeating X", "pause X", "resume X".
pub(super) fn repeated(line: &Line<'_>) -> Read {
    const ENDS: &str = "from repeating|from recurring|not repeat|not recurring|non recurring";
    let start = line.start;
    if let Some(next) = line.after_any(
        start,
        "stop repeating|stop recurring|don't repeat|do not repeat|quit repeating|end the recurrence of|stop the recurrence of",
    ) {
        return of(line, next, line.end, vec![Change::ClearRecurrence], Evidence::Lead);
    }
    if let Some(next) = line.after_any(
        start,
        "don't remind me about|don't remind me of|don't remind me to|stop reminding me about|stop reminding me to|stop reminding me of|stop the reminders for|stop reminding me",
    ) {
        return of(line, next, line.end, vec![Change::ClearReminders], Evidence::Lead);
    }
    if matches!(line.word(start), "stop" | "make" | "keep") {
        let end = ENDS.split('|').find_map(|tail| {
            let words = tail.split(' ').count();
            let at = line.end.checked_sub(words).filter(|at| *at > start)?;
            line.at(at, tail).then_some(at)
        });
        if let Some(end) = end {
            return of(line, start + 1, end, vec![Change::ClearRecurrence], Evidence::Lead);
        }
    }
    let pause = |next: Option<usize>, change: Change| {
        let next = line.skip(next?, "the recurrence of|repeating|the repetition of");
        let sure = next > start + 1 || is_explicit(line, next, line.end);
        of(line, next, line.end, vec![change], if sure { Evidence::Lead } else { Evidence::Either })
    };
    pause(line.after(start, "pause"), Change::Pause)
        .or_else(|| pause(line.after_any(start, "resume|unpause").filter(|next| !line.is_end(*next)), Change::Resume))
}

/// "tag X with home", "add the tag home to X", "add #home to X".
pub(super) fn tagged(line: &Line<'_>) -> Read {
    let start = line.start;
    if let Some(next) = line.after_any(start, "tag|label") {
        // "tag it home".
        if line.end == next + 2
            && matches!(line.word(next), "it" | "this" | "that" | "them" | "both")
            && line.sign(next + 1).is_none()
        {
            return of(line, next, next + 1, vec![Change::AddTags(tags(line, next + 1, line.end))], Evidence::Phrase);
        }
        let at = (next..line.end)
            .find(|i| matches!(line.word(*i), "with" | "as") || line.sign(*i) == Some('#') && *i > next)?;
        let names = if line.sign(at) == Some('#') { at } else { at + 1 };
        let names = tags(line, names, line.end);
        return (at > next && !names.is_empty())
            .then(|| of(line, next, at, vec![Change::AddTags(names)], Evidence::Lead))
            .flatten();
    }
    let next = line.after_any(start, "add|put|attach|give")?;
    // "give X the tag home".
    if line.word(start) == "give" {
        let at = (next + 1..line.end).find(|i| line.after_any(*i, "the tag|the label|a tag|tag").is_some())?;
        let names = line.skip(at, "the tag|the label|a tag|tag");
        return of(line, next, at, vec![Change::AddTags(tags(line, names, line.end))], Evidence::Lead);
    }
    let named = line.after_any(next, "the tags|the tag|the label|a tag|tags|tag|label|the labels");
    let tag = named.unwrap_or(next);
    if named.is_none() && line.sign(next) != Some('#') {
        // "add the home tag to X".
        let name = line.skip(next, "the|a");
        let to = line.after_any(name + 1, "tag to|label to|tag on")?;
        return of(line, to, line.end, vec![Change::AddTags(vec![line.word(name).to_owned()])], Evidence::Lead);
    }
    let at = (tag..line.end).find(|i| matches!(line.word(*i), "to" | "on" | "onto"));
    let added = tags(line, tag, at.unwrap_or(line.end));
    if added.is_empty() {
        return None;
    }
    of(line, at.map_or(line.end, |at| at + 1), line.end, vec![Change::AddTags(added)], Evidence::Lead)
}

/// "add a note to X: Y", "add milk to the groceries task", "add Y to the description of X".
pub(super) fn noted(line: &Line<'_>) -> Read {
    const NOTES: &str = "a note|note|notes|a comment|the note|a description|description|some notes|details";
    let start = line.start;
    let next = line.after_any(start, "add|attach|append|put|include|write")?;
    let more = |text: &str| vec![Change::AddDescription(text.trim().trim_matches(['"', '“', '”']).trim().to_owned())];
    let colon = (next..line.end).find(|i| line.sign(*i) == Some(':'));
    if let Some(after) = line.after_any(next, NOTES) {
        let to = line.after_any(after, "to|for|on");
        if let (Some(to), Some(colon)) = (to, colon.filter(|colon| *colon + 1 < line.end)) {
            return of(line, to, colon, more(line.rest(colon + 1)), Evidence::Phrase);
        }
        // "add a note to the dentist saying bring the card", "add note bring the card to the dentist task".
        let says = (after..line.end).find_map(|i| Some((i, line.after_any(i, "that says|saying|that")?)));
        if let (Some(to), Some((end, words))) = (to, says.filter(|(_, words)| !line.is_end(*words))) {
            return of(line, to, end, more(line.rest(words)), Evidence::Phrase);
        }
        let last = (after + 1..line.end).rev().find(|i| line.word(*i) == "to")?;
        let text = line.text_of(line.skip_signs(after), last);
        return (last > after && is_explicit(line, last + 1, line.end))
            .then(|| of(line, last + 1, line.end, more(text), Evidence::Phrase))
            .flatten();
    }
    let last = (next + 1..line.end).rev().take(12).find(|i| matches!(line.word(*i), "to" | "on"))?;
    if let Some(of_task) = line.after_any(
        last + 1,
        "the description of|the notes of|the note of|the description for|the description|the notes|its description|its notes",
    ) {
        return of(line, of_task, line.end, more(line.text_of(next, last)), Evidence::Phrase);
    }
    // "add milk to the groceries task"; "to my list" is a new task.
    let named = is_explicit(line, last + 1, line.end) && !line.has("list|todos|agenda|schedule|tasks");
    let due = matches!(
        line.word(line.skip(next, "a|an|the|another")),
        "reminder" | "reminders" | "due" | "deadline" | "alarm" | "date" | "task" | "todo"
    );
    if !named || due || line.word(start) == "write" {
        return None;
    }
    of(line, last + 1, line.end, more(line.text_of(next, last)), Evidence::Phrase)
}

/// "remind me about X 1 hour before", "remind me 1 hour before X", "set a reminder for X 1 day before".
pub(super) fn reminded(line: &Line<'_>) -> Read {
    let start = line.start;
    let reminds = line.after_any(start, "remind me again|remind me|also remind me");
    let set = reminds.is_none().then(|| {
        let next = line.after_any(start, "set|add|create|put|give me")?;
        line.after_any(next, "a reminder|another reminder|reminder|reminders|an alarm|an alert")
    });
    let next = reminds.or(set.flatten())?;
    if line.at(start, "remind me again")
        && let Some(at) = crate::parse_phrase(line.text_of(next, line.end), line.context).and_then(|it| it.draft.due)
    {
        let draft = ReminderDraft { trigger_at: Some(at), ..ReminderDraft::default() };
        return of(line, next, next, vec![Change::AddReminders(vec![draft])], Evidence::Phrase);
    }
    // "remind me 1 hour before the dentist".
    let before = (next..line.end).take(10).find(|i| line.word(*i) == "before");
    if let Some(at) = before {
        let text = format!("reminder {} before", line.text_of(next, at));
        if let Some(drafts) = rings(&text, line) {
            let after = line.skip(at + 1, "it's due|it is due|the due date|the deadline|due");
            let after = line.skip(after, "for|about|of|to|on");
            if line.is_end(after) && reminds.is_some() && after == at + 1 {
                return of(line, after, after, vec![Change::AddReminders(drafts)], Evidence::Lead);
            }
            let dated = parse_phrase(line.text_of(after, line.end), line.context).is_some();
            return (!dated)
                .then(|| of(line, after, line.end, vec![Change::AddReminders(drafts)], Evidence::Lead))
                .flatten();
        }
    }
    // "remind me about X 1 hour before", "add a reminder to X 1 hour before".
    let about = line.after_any(next, "about|of|for|to|on")?;
    let (at, drafts) = (about + 1..line.end)
        .filter(|i| line.end - i <= 12)
        .find_map(|i| {
            let text = line.text_of(line.skip_signs(i), line.end);
            text.to_lowercase()
                .contains("before")
                .then(|| rings(&format!("reminder {text}"), line))
                .flatten()
                .map(|drafts| (i, drafts))
        })
        .or_else(|| {
            // "remind me about it tomorrow at 9".
            let explicit = |end: usize| {
                matches!(
                    &references(line, about, end)[..],
                    [Reference::It | Reference::Number(_) | Reference::Nth(_) | Reference::Last]
                )
            };
            let at = (about + 1..line.end.min(about + 5)).find(|i| explicit(*i))?;
            let reading = parse_task(&format!("remind me {} to x", line.text_of(at, line.end)), line.context);
            let due = reading.draft.due.filter(|_| reading.draft.title == "x")?;
            Some((at, vec![ReminderDraft { trigger_at: Some(due), ..ReminderDraft::default() }]))
        })?;
    let dated = parse_task(line.text_of(about, at), line.context).draft.due.is_some();
    (!dated).then(|| of(line, about, at, vec![Change::AddReminders(drafts)], Evidence::Lead)).flatten()
}

/// The reminders before the due date that a text says, if it says nothing else.
fn rings(text: &str, line: &Line<'_>) -> Option<Vec<ReminderDraft>> {
    // A due date to count from; the reminders count back from any.
    let reading = parse_task(&format!("x due 2100-06-01 12:00, {text}"), line.context);
    let whole = reading.draft.title == "x" && !reading.draft.reminders.is_empty();
    let relative = reading.draft.reminders.iter().all(|draft| draft.before_due_seconds.is_some());
    (whole && relative).then_some(reading.draft.reminders)
}

/// "set the due date of X to friday", "change its priority to low", "set X's tags to a and b".
pub(super) fn set(line: &Line<'_>) -> Read {
    const FIELDS: &str =
        "due date|due time|deadline|date|time|priority|importance|due|recurrence|repeat|description|notes|tags";
    let start = line.start;
    let next = line.after_any(start, "set|change|update|make|edit|modify|add|put|move|switch|give|adjust")?;
    let field = line.skip(next, "the|its|a|my");
    let Some((name, after)) = FIELDS.split('|').find_map(|name| Some((name, line.after(field, name)?))) else {
        return owned(line, next, FIELDS);
    };
    let of_task = line.skip(after, "of|for|on|to the task|in");
    // "add a due date of friday to X", "add a due date to X: friday".
    if matches!(line.word(start), "add" | "put" | "give") || line.word(next) == "a" {
        let target = line.after_any(after, "to|for|on");
        let colon = (after..line.end).find(|i| line.sign(*i) == Some(':')).filter(|colon| *colon > after);
        if let (Some(target), Some(colon)) = (target, colon) {
            return of(line, target, colon, worth(line, name, colon + 1, line.end)?, Evidence::Lead);
        }
        let to = (after..line.end).rev().take(12).find(|i| matches!(line.word(*i), "to" | "for" | "on"))?;
        let changes = worth(line, name, line.skip(after, "of|for"), to)?;
        return of(line, to + 1, line.end, changes, Evidence::Lead);
    }
    let first = of_task.max(line.end.saturating_sub(24));
    let to = (first..line.end).find(|i| {
        (matches!(line.word(*i), "to" | "as" | "at" | "be") || line.sign(*i) == Some(':') || line.sign(*i) == Some('='))
            && worth(line, name, i + 1, line.end).is_some()
    });
    let (end, value_at) = match to {
        Some(to) => (to, to + 1),
        None if of_task == after => (after, after),
        None => return None,
    };
    let changes = worth(line, name, value_at, line.end)?;
    let from = if of_task > after { of_task } else { end };
    // "change the date from monday to friday".
    let from = if line.word(from) == "from" || line.word(after) == "from" { end } else { from };
    of(line, from, end, changes, Evidence::Lead)
}

/// "set X's priority to high".
fn owned(line: &Line<'_>, from: usize, fields: &'static str) -> Read {
    let (i, name, after) = (from..line.end.min(from + 12)).find_map(|i| {
        let (name, after) = fields.split('|').find_map(|name| Some((name, line.after(i + 1, name)?)))?;
        line.word(i).ends_with("'s").then_some((i, name, after))
    })?;
    let to = line.skip(after, "to|as");
    let changes = worth(line, name, to, line.end)?;
    let words = line.text_of(from, i + 1);
    let words = words.strip_suffix("'s").or_else(|| words.strip_suffix("’s")).unwrap_or(words);
    let words = words.strip_prefix("the ").unwrap_or(words);
    Some((Request::Update(Target::Tasks(vec![Reference::Title(words.to_owned())]), changes), Evidence::Lead))
}

/// What a part of a task becomes.
fn worth(line: &Line<'_>, name: &str, from: usize, to: usize) -> Option<Vec<Change>> {
    if from >= to {
        return None;
    }
    let text = line.text_of(from, to);
    match name {
        "description" | "notes" => {
            Some(vec![Change::Description(text.trim_matches(['"', '“', '”']).trim().to_owned())])
        }
        "tags" => Some(vec![Change::ClearTags, Change::AddTags(tags(line, from, to))]),
        _ => {
            let changes = value(text, line.context)?;
            let fits = |change: &Change| match name {
                "priority" | "importance" => matches!(change, Change::Priority(_)),
                "recurrence" | "repeat" => matches!(change, Change::Repeat { .. }),
                _ => matches!(change, Change::Due(_) | Change::Repeat { .. }),
            };
            changes.iter().any(fits).then_some(changes)
        }
    }
}
