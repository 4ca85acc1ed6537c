//! A message cut into parts where a new request begins.

use std::ops::Range;

use super::{
    line::Line,
    words::{is_tasks, is_verb},
};
use crate::Context;

/// More parts than a message has.
const PARTS_MAX: usize = 50;

/// A part of a message.
pub(super) struct Part {
    /// In bytes.
    pub(super) range: Range<usize>,
    /// Whether it is an item of a list with bullets or numbers.
    pub(super) item: bool,
}

/// The parts of a message, in order.
pub(super) fn parts(text: &str, context: &Context) -> Vec<Part> {
    let mut parts = Vec::new();
    for line in lines(text) {
        let bulleted = super::create::bullet(&text[line.clone()]);
        let item = bulleted.len() < text[line.clone()].trim().len();
        let start = line.end - (text[line.clone()].len() - offset(&text[line.clone()], bulleted));
        let items = super::create::numbered(&text[line.clone()]);
        if items.len() > 1 {
            parts.extend(items.into_iter().map(|item| {
                let inside = super::create::bullet(item.trim());
                let start = line.start + offset(&text[line.clone()], item) + offset(item, inside);
                Part { range: start..start + inside.len(), item: true }
            }));
            continue;
        }
        if item {
            parts.push(Part { range: start..line.end, item });
            continue;
        }
        parts.extend(cut(text, line, context).into_iter().map(|range| Part { range, item: false }));
    }
    parts.truncate(PARTS_MAX);
    parts
}

fn offset(whole: &str, part: &str) -> usize {
    whole.find(part).unwrap_or(0)
}

/// The lines that hold something; all of it at once where the first line leads a list ("add these:").
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let inside = line.trim();
        if inside.chars().any(char::is_alphanumeric) || !inside.is_empty() && text.trim() == inside {
            let start = at + offset(line, inside);
            ranges.push(start..start + inside.len());
        }
        at += line.len();
    }
    match ranges.first() {
        Some(first) if ranges.len() > 1 && text[first.clone()].ends_with(':') => {
            std::iter::once(first.start..ranges[ranges.len() - 1].end).collect()
        }
        _ => ranges,
    }
}

/// One line cut where a new request begins.
fn cut(text: &str, line: Range<usize>, context: &Context) -> Vec<Range<usize>> {
    const COURTESIES: &str = "can you please|could you please|can you|could you|please|also|then|just";
    let whole = Line::new(&text[line.clone()], context);
    let mut ranges = Vec::new();
    let (mut from, mut first) = (line.start, whole.start);
    let courteous = |i: usize| begins(&whole, whole.skip(i, COURTESIES));
    let colon = (whole.start..whole.end.min(whole.start + 12)).find(|i| whole.sign(*i) == Some(':'));
    let lists = colon.is_some_and(|colon| {
        (whole.start..colon).any(|i| is_tasks(whole.word(i)) || matches!(whole.word(i), "these" | "following"))
    });
    for i in whole.start..whole.end {
        // "add tasks: a; b" lists items, up to the next line.
        if lists && begins(&whole, i) != Begins::Sure {
            continue;
        }
        // A description goes on to the end.
        if whole.sign(i) == Some('/') && whole.sign(i + 1) == Some('/') && !whole.glued(i) {
            break;
        }
        let Some(joint) = joint(&whole, i).filter(|joint| joint.next < whole.end && i > first) else { continue };
        let left = courteous(first);
        let cuts = match courteous(joint.next) {
            Begins::Sure => true,
            Begins::Lead => matches!(left, Begins::Sure | Begins::Lead) || joint.strong,
            Begins::Past => joint.strong || past(&whole, first),
            Begins::Verb => joint.also || joint.stop && left != Begins::Nothing,
            Begins::Nothing => false,
        };
        if cuts {
            ranges.push(from..line.start + whole.end_of(i - 1));
            from = line.start + whole.start_of(joint.next);
            first = joint.next;
        }
    }
    ranges.push(from..line.end);
    ranges
}

/// What parts two requests.
struct Joint {
    next: usize,
    /// More than a comma or "and".
    strong: bool,
    /// "also": another one of the same kind follows.
    also: bool,
    /// The end of a sentence.
    stop: bool,
}

fn joint(line: &Line<'_>, i: usize) -> Option<Joint> {
    let mut next = i;
    let (mut strong, mut also, mut stop) = (false, false, false);
    while next < line.end {
        match (line.sign(next), line.word(next)) {
            (Some(','), _) | (_, "and" | "&" | "plus") => {}
            (Some('&' | '+'), _) if !line.glued(next) => {}
            (Some('.' | '!' | '?'), _) if line.glued(next) && !line.glued(next + 1) => (strong, stop) = (true, true),
            (Some(';'), _) => (strong, stop) = (true, true),
            (_, "then") => strong = true,
            (_, "also" | "additionally") => (strong, also) = (true, true),
            _ if line.at(next, "after that") => {
                strong = true;
                next += 1;
            }
            _ => break,
        }
        next += 1;
    }
    (next > i).then_some(Joint { next, strong, also, stop })
}

/// How a new request may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// With words that mean nothing else.
    Sure,
    /// With a verb of a request, which may also be one of something to do.
    Lead,
    /// With something that was done.
    Past,
    /// With a verb of something to do.
    Verb,
    Nothing,
}

fn begins(line: &Line<'_>, i: usize) -> Begins {
    const SURE: &str = "remind me to|remind me about|remind me that|show me|show my|show the list|show all|show the|list my|list all|\
        list the|list everything|what's on|what's due|what's left|what's next|what is due|what are my|what do i|\
        what did i|what's overdue|how many|undo|delete it|delete them|delete that|remove it|complete it|finish it|\
        move it|push it|make it|rename it|mark it|tag it|mark the|mark as|don't forget to|i need to|i have to|\
        i also need to|i gotta|i should|i finished|i've finished|i'm done with|tell me what|reopen|snooze it";
    const LEADS: &str = "add|create|delete|remove|erase|cancel|complete|finish|mark|check off|tick off|cross off|move|reschedule|\
        postpone|push|snooze|rename|change|update|edit|tag|untag|set|make|show|list|display|reopen|uncheck|prioritize|\
        clear|new task|todo|get rid of|remind me|pause|resume|find|search|what|put";
    if line.after_any(i, SURE).is_some() {
        return Begins::Sure;
    }
    // "mark 2 as done", "add a task", "delete #3": what follows is a task as such.
    if let Some(next) = line.after_any(i, LEADS) {
        let named = line.number(next).is_some()
            || line.sign(next) == Some('#')
            || matches!(
                line.word(line.skip(next, "a|the|another|my|new|a new")),
                "task" | "tasks" | "todo" | "reminder" | "list"
            );
        let again = matches!(line.word(next), "a" | "me") && line.word(i) == "remind";
        if line.word(i) == "remind" && line.word(next - 1) == "me" {
            // "remind me 1 hour before" belongs to the task before it; "remind me tomorrow to" does not.
            let to = (next..line.end.min(next + 8)).any(|i| line.word(i) == "to")
                && !(next..line.end.min(next + 8)).any(|i| line.word(i) == "before");
            return if to && !again { Begins::Sure } else { Begins::Nothing };
        }
        return if named { Begins::Sure } else { Begins::Lead };
    }
    if super::words::is_past(line.word(i))
        || matches!(line.word(i), "i" | "i've") && super::words::is_past(line.word(i + 1))
    {
        return Begins::Past;
    }
    if is_verb(line.word(i)) { Begins::Verb } else { Begins::Nothing }
}

/// Whether what was done stands at the beginning.
fn past(line: &Line<'_>, first: usize) -> bool {
    let next = line.skip(first, "i've|i have|i|we");
    super::words::is_past(line.word(next)) && next > first
}
