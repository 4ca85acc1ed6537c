//! Tasks that are done, are not done after all, or are under way.

use todo_domain::task::Status;

use super::{
    Change, Evidence, Reference, Request, Target,
    filter::filter,
    line::{Line, is_done_sign},
    query::OPEN,
    reference::{is_explicit, references},
    words::{is_past, is_tasks},
};
use crate::parse_task;

type Read = Option<(Request, Evidence)>;

/// A state in words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    Open,
    UnderWay,
}

const NOT_DONE: &str = "not done yet|not done|not completed|not complete|not finished yet|not finished|not yet done|undone|incomplete|\
    uncompleted|unfinished|pending|open again|open|todo|to do|not started|unchecked|active|still open";
const UNDER_WAY: &str = "in progress|in - progress|started|ongoing|under way|underway";
const DONE: &str = "done|completed|complete|finished|closed|checked";

/// The tasks that some tokens name, or a filter that finds them.
pub(super) fn target(line: &Line<'_>, from: usize, to: usize) -> Option<(Target, bool)> {
    let explicit = is_explicit(line, from, to);
    let named = references(line, from, to);
    if explicit && !named.is_empty() && !named.iter().any(|reference| matches!(reference, Reference::Title(_))) {
        return Some((Target::Tasks(named), true));
    }
    let mut found = filter(line, from, to);
    let plural = (from..to).any(|i| is_tasks(line.word(i)));
    let every = found.all || matches!(line.word(from), "every" | "each" | "any");
    let matching =
        found.left.is_empty() && (every && found.noun || found.all || plural && (found.said > 0 || to <= from + 3));
    if matching {
        return Some((Target::Matching(Box::new(found.query)), true));
    }
    // "all my grocery tasks".
    if found.all && found.left.len() <= 2 && found.left.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        let (first, last) = (found.left[0], found.left[found.left.len() - 1]);
        found.query.search = Some(line.text_of(first, last + 1).to_owned());
        return Some((Target::Matching(Box::new(found.query)), true));
    }
    let (from, to) = without_date(line, from, to, explicit);
    let tasks = references(line, from, to);
    (!tasks.is_empty()).then_some((Target::Tasks(tasks), explicit))
}

/// Without the date at the end, by which a task may be told from others.
fn without_date(line: &Line<'_>, from: usize, to: usize, explicit: bool) -> (usize, usize) {
    if explicit || to > from + 24 {
        return (from, to);
    }
    let text = line.text_of(from, to);
    let reading = parse_task(text, line.context);
    let Some(span) = reading.spans.last().filter(|_| reading.has_title) else { return (from, to) };
    if span.end < text.chars().count() || span.start == 0 {
        return (from, to);
    }
    let bytes = text.char_indices().nth(span.start).map_or(text.len(), |(at, _)| at);
    let start = line.start_of(from) + bytes;
    (from, (from..to).find(|i| line.start_of(*i) >= start).filter(|cut| *cut > from).unwrap_or(to))
}

/// Whether a date says until when something is to be done.
pub(super) fn has_deadline(line: &Line<'_>) -> bool {
    let deadline = |i: usize| matches!(line.word(i), "by" | "before" | "until" | "due" | "every");
    (line.start..line.end).any(deadline)
        && parse_task(line.whole(), line.context).spans.iter().any(|span| {
            ["by ", "before ", "until ", "due ", "every "].iter().any(|lead| span.text.to_lowercase().starts_with(lead))
        })
}

fn complete(mut target: (Target, bool), evidence: Evidence) -> (Request, Evidence) {
    // What is done already is not meant.
    if let Target::Matching(query) = &mut target.0
        && query.statuses.is_empty()
    {
        query.statuses = OPEN.to_vec();
    }
    let evidence = if target.1 { Evidence::Phrase } else { evidence };
    (Request::Complete(target.0), evidence)
}

/// Reads a request about what is done and what is not.
pub(super) fn status(line: &Line<'_>) -> Read {
    bare(line)
        .or_else(|| not_done(line))
        .or_else(|| marked(line))
        .or_else(|| ticked(line))
        .or_else(|| done(line))
        .or_else(|| stated(line))
        .or_else(|| told(line))
}

/// "done", "that's done", "I did it".
fn bare(line: &Line<'_>) -> Read {
    const BARE: &str = "done|finished|completed|all done|i'm done|i am done|i'm finished|done with it|done with that|done with this|\
        did it|did that|i did it|i did that|i've done it|i've done that|i have done it|it's done|that's done|\
        it is done|that is done|this is done|got it done|i finished|i finished it|just did it|just finished|\
        already did it|already done|check|finished it|completed it|mark done|mark as done";
    const OPEN: &str =
        "undone|not done|it's not done|that's not done|it isn't done|i didn't do it|mark as not done|not finished";
    let it = || Target::Tasks(vec![Reference::It]);
    if line.is_any(BARE) {
        return Some((Request::Complete(it()), Evidence::Phrase));
    }
    line.is_any(OPEN).then(|| (Request::Reopen(it()), Evidence::Phrase))
}

/// "reopen the rent one", "uncheck X", "I didn't finish X", "not done with X".
fn not_done(line: &Line<'_>) -> Read {
    const LEADS: &str = "reopen|re open|uncheck|untick|uncomplete|unfinish|unmark|undo completing|undo the completion of|undo|\
        i didn't actually finish|i didn't actually do|i didn't actually complete|i didn't finish|i didn't do|\
        i didn't complete|i haven't finished|i haven't done|i haven't completed|i did not finish|i did not do|\
        i have not finished|i have not done|i'm not done with|i'm not finished with|i am not done with|not done with|\
        not finished with|haven't finished|didn't finish|mark as not done|mark as undone|mark as incomplete";
    let start = line.start;
    if let Some(next) = line.after_any(start, LEADS) {
        let end = line.end - usize::from(matches!(line.word(line.end - 1), "yet" | "actually"));
        if next >= end {
            let which = line.word(start) != "undo";
            return which.then_some((Request::Unclear(super::Question::WhichTask), Evidence::Lead));
        }
        let (target, explicit) = target(line, next, end)?;
        let target = opened(target);
        return Some((Request::Reopen(target), if explicit { Evidence::Phrase } else { Evidence::Lead }));
    }
    // "I didn't buy the milk".
    let next = line.after_any(start, "i didn't actually|i didn't|i haven't|i did not|i never")?;
    let (target, _) = target(line, next, line.end)?;
    (line.end <= start + 12).then_some((Request::Reopen(target), Evidence::Either))
}

/// A filter of what is to be opened again finds what is done.
fn opened(mut target: Target) -> Target {
    if let Target::Matching(query) = &mut target {
        query.statuses = vec![Status::Completed];
    }
    target
}

/// "mark X as done", "set the status of X to in progress", "move X to done".
fn marked(line: &Line<'_>) -> Read {
    const VERBS: &str = "mark off|mark|flag|set|change|move|put|switch|turn";
    let start = line.start;
    let next = line.after_any(start, VERBS)?;
    let by_mark = matches!(line.word(start), "mark" | "flag");
    let with = |state: State, target: (Target, bool)| {
        let evidence = if target.1 { Evidence::Phrase } else { Evidence::Lead };
        Some(match state {
            State::Done => return Some(complete(target, evidence)),
            State::Open => (Request::Reopen(opened(target.0)), evidence),
            State::UnderWay => (Request::Update(target.0, vec![Change::Status(Status::InProgress)]), evidence),
        })
    };
    // "mark as done X".
    let early = line.skip(next, "as|to");
    if let Some((state, after)) = state_at(line, early).filter(|(_, after)| by_mark && *after < line.end) {
        return with(state, target(line, line.skip_signs(after), line.end)?);
    }
    if line.word(start) == "mark" && line.word(start + 1) == "off" {
        return Some(complete(target(line, next, line.end)?, Evidence::Lead));
    }
    let mut tail = (next..line.end)
        .rev()
        .take(4)
        .filter_map(|i| state_at(line, i).filter(|(_, after)| *after == line.end).map(|it| (i, it.0)));
    let (at, state) = tail.next_back()?;
    // "mark 1 as done and 2 as not done" is more than one.
    if (next..at - 1).any(|i| line.word(i) == "as" && state_at(line, i + 1).is_some()) && line.word(at - 2) != "as" {
        return Some((Request::Unclear(super::Question::WhichTask), Evidence::Lead));
    }
    let linked = matches!(line.word(at - 1), "as" | "to" | "into" | "back" | "being");
    let mut end = at;
    while end > next && matches!(line.word(end - 1), "as" | "to" | "into" | "back" | "be" | "being") {
        end -= 1;
    }
    if !linked && !by_mark {
        return None;
    }
    let from = line.skip(next, "the status of|status of|the state of|status to|status|the status to|the status");
    if from >= end {
        return with(state, (Target::Tasks(vec![Reference::It]), true));
    }
    with(state, target(line, from, end)?)
}

fn state_at(line: &Line<'_>, i: usize) -> Option<(State, usize)> {
    let hyphen = line.word(i) == "in" && line.sign(i + 1) == Some('-') && line.word(i + 2) == "progress";
    if hyphen {
        return Some((State::UnderWay, i + 3));
    }
    let find = |phrases: &str, state| line.after_any(i, phrases).map(|next| (state, next));
    find(NOT_DONE, State::Open).or_else(|| find(UNDER_WAY, State::UnderWay)).or_else(|| find(DONE, State::Done))
}

/// "check off X", "cross X off my list", "X ✅".
fn ticked(line: &Line<'_>) -> Read {
    const LEADS: &str = "check off|tick off|cross off|cross out|checkmark|tick|strike off|strike through|check mark";
    let start = line.start;
    if let Some(next) = line.after_any(start, LEADS) {
        return Some(complete(target(line, next, line.end)?, Evidence::Lead));
    }
    if matches!(line.word(start), "check" | "tick" | "cross") {
        let off = (start + 2..line.end).find(|i| line.word(*i) == "off")?;
        let rest = line.skip(off + 1, "of|from");
        let rest = line.skip(rest, "my todo list|my list|the list|my tasks|list");
        return if line.is_end(rest) { Some(complete(target(line, start + 1, off)?, Evidence::Lead)) } else { None };
    }
    let signed = |i: usize| line.sign(i).is_some_and(is_done_sign);
    if line.end > start + 1 && signed(line.end - 1) {
        return Some(complete(target(line, start, line.end - 1)?, Evidence::Lead));
    }
    if line.end > start + 1 && signed(start) {
        return Some(complete(target(line, start + 1, line.end)?, Evidence::Lead));
    }
    None
}

/// "finished X", "I'm done with X", "complete 1, 2 and 3".
fn done(line: &Line<'_>) -> Read {
    const SAID: &str = "i've already finished|i've already done|i already finished|i already did|i have already done|i just finished|\
        i just completed|i just did|i've just finished|i've finished|i've completed|i've done|i have finished|\
        i have completed|i have done|i'm done with|i am done with|i'm finished with|i'm through with|\
        i finally finished|i finally did|i finished with|i finished|i completed|i did|we finished|we did|we completed|\
        all done with|already did|already finished|just finished|just did|just completed|finally finished|finally did|\
        done with|finished with|finished|completed|done|did|wrapped up|took care of";
    const TOLD: &str = "complete|finish up|finish|close out|close|resolve";
    let start = line.start;
    if let Some(next) = line.after_any(start, SAID).filter(|next| *next < line.end) {
        // "did i pay the rent" asks.
        if line.word(next) == "i"
            || line.word(next) == "you"
            || super::talk::is_question(line) && line.word(start) != "did"
        {
            return None;
        }
        let next = line.skip_signs(line.skip(next, "task"));
        return Some(complete(target(line, next, line.end)?, Evidence::Lead));
    }
    let next = line.after_any(start, TOLD)?;
    if line.is_end(next) {
        return Some((Request::Unclear(super::Question::WhichTask), Evidence::Lead));
    }
    let (target, explicit) = target(line, next, line.end)?;
    let own = matches!(line.word(start), "complete" | "finish");
    let to_do = line.wish || has_deadline(line) || !own;
    if to_do && !explicit {
        return None;
    }
    Some(complete((target, explicit), Evidence::Either))
}

/// "the rent is paid", "laundry done".
fn stated(line: &Line<'_>) -> Read {
    let start = line.start;
    let end = line.end - usize::from(matches!(line.word(line.end - 1), "now" | "already" | "today"));
    if end < start + 2 || end > start + 12 || super::talk::is_question(line) {
        return None;
    }
    let verb = (start + 1..end).rev().take(4).find(|i| {
        matches!(line.word(*i), "is" | "are" | "was" | "were" | "been" | "got" | "isn't" | "aren't" | "wasn't" | "gets")
    });
    if let Some(verb) = verb {
        let next = line.skip(verb + 1, "now|already|all|finally|still|been");
        let not = matches!(line.word(verb), "isn't" | "aren't" | "wasn't");
        let subject = if line.word(verb) == "been" { verb - 1 } else { verb };
        if subject <= start {
            return None;
        }
        let state = state_at(line, next).filter(|(_, after)| *after == end);
        let past = next + 1 == end && is_past(line.word(next));
        let found = target(line, start, subject)?;
        return match state {
            Some((State::Done, _)) if not => Some((Request::Reopen(found.0), Evidence::Lead)),
            Some((State::Done, _)) => Some(complete(found, Evidence::Lead)),
            Some((State::Open, _)) => Some((Request::Reopen(opened(found.0)), Evidence::Lead)),
            Some((State::UnderWay, _)) => {
                Some((Request::Update(found.0, vec![Change::Status(Status::InProgress)]), Evidence::Lead))
            }
            None if past && not => Some((Request::Reopen(found.0), Evidence::Lead)),
            None if past => Some(complete(found, Evidence::Either)),
            None => None,
        };
    }
    // "laundry done", but not "get the laundry done".
    let last = line.word(end - 1);
    let orders = matches!(
        line.word(start),
        "get"
            | "have"
            | "want"
            | "need"
            | "be"
            | "make"
            | "show"
            | "list"
            | "i"
            | "clear"
            | "delete"
            | "remove"
            | "wipe"
            | "purge"
            | "hide"
            | "erase"
    );
    if matches!(last, "done" | "finished" | "completed" | "complete") && !orders && !line.wish {
        let not = line.word(end - 2) == "not";
        let at = if not { end - 2 } else { end - 1 };
        if at <= start {
            return None;
        }
        let found = target(line, start, at)?;
        return if not {
            Some((Request::Reopen(found.0), Evidence::Lead))
        } else {
            Some(complete(found, Evidence::Either))
        };
    }
    None
}

/// "I bought the groceries", "called mom": something to do in the past tense.
fn told(line: &Line<'_>) -> Read {
    let start = line.start;
    let said = line.skip(
        start,
        "i've already|i have already|i've just|i have just|i've finally|i finally|i already|i just|i've|i have|we've|i|we|already|finally",
    );
    if line.is_end(said + 1) && said == start
        || line.end > start + 14
        || !is_past(line.word(said))
        || matches!(line.word(said), "started" | "began" | "begun" | "tried" | "needed")
    {
        return None;
    }
    let (target, _) = target(line, said, line.end)?;
    let evidence = if said > start { Evidence::Lead } else { Evidence::Either };
    Some((Request::Complete(target), evidence))
}
