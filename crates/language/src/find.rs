//! What a text holds: dates, rules, reminders and marks, from left to right, without overlaps.

use std::ops::Range;

use todo_domain::task::Priority;

use crate::{
    SpanKind,
    clock::Clock,
    lexicon,
    number::Length,
    phrase::Phrase,
    reminder::Clause,
    repeat::Repeat,
    rule::{Freq, Rule},
    scan::{Parsed, Scan},
    token::Kind,
};

/// What was found at a place.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Phrase(Phrase),
    Repeat(Repeat),
    Reminder(Clause),
    Count(i64),
    Lasting(Length),
    Priority(Priority),
    Tag(String),
    Description(String),
    /// Several times of day.
    Clocks(Vec<Clock>),
    /// A rule that is not understood.
    Unread,
}

#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) item: Item,
    pub(crate) tokens: Range<usize>,
    pub(crate) used: Option<SpanKind>,
}

/// Everything in the text, from left to right, without overlaps.
pub(crate) fn find(scan: &Scan<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < scan.tokens.len() {
        if let Some(next) = unread_rule(scan, i) {
            found.push(Found { item: Item::Unread, tokens: i..next, used: None });
            i = next;
            continue;
        }
        let (item, next) = match at(scan, i) {
            Some((item, next)) if next > i => (item, next),
            _ => {
                i += 1;
                continue;
            }
        };
        found.push(Found { item, tokens: i..next, used: None });
        i = next;
    }
    found
}

fn at(scan: &Scan<'_>, i: usize) -> Parsed<Item> {
    if scan.tokens[i].kind == Kind::Opaque {
        return None;
    }
    if scan.starts_description(i) {
        let start = scan.tokens[i + 1].end;
        return Some((Item::Description(scan.text[start..].trim().to_owned()), scan.tokens.len()));
    }
    let item = |(item, next)| Some((item, next));
    if let Some((tag, next)) = scan.tag(i) {
        return item((Item::Tag(tag), next));
    }
    if let Some((priority, next)) = scan.priority(i) {
        return item((Item::Priority(priority), next));
    }
    if let Some((clause, next)) = scan.reminder(i) {
        return item((Item::Reminder(clause), next));
    }
    if let Some((repeat, next)) = scan.repeat(i) {
        return item((Item::Repeat(repeat), next));
    }
    if let Some((count, next)) = count(scan, i) {
        return item((Item::Count(count), next));
    }
    if let Some((length, next)) = lasting(scan, i) {
        return item((Item::Lasting(length), next));
    }
    if scan.word(i) == "at" || scan.sign(i) == Some('@') {
        let (clocks, next) = scan.times(i);
        if clocks.len() > 1 {
            return item((Item::Clocks(clocks), next));
        }
    }
    let (phrase, next) = scan.phrase(i)?;
    item((Item::Phrase(phrase), next))
}

/// A rule that is not understood: nothing of it is a date.
fn unread_rule(scan: &Scan<'_>, i: usize) -> Option<usize> {
    if let Some(end) = scan.unsaid_list(i) {
        return Some(end);
    }
    // "last friday of every quarter".
    let placed = scan.placed_day(scan.skip_word(i, &["the"]), &Rule::every(1, Freq::Monthly));
    let every = placed.filter(|(_, next)| scan.word(*next) == "of" && matches!(scan.word(next + 1), "every" | "each"));
    if let Some((_, next)) = every.filter(|_| scan.begins(i) && scan.repeat(i).is_none()) {
        return Some((next + 3).min(scan.tokens.len()));
    }
    if !matches!(scan.word(i), "every" | "each") || scan.repeat(i).is_some() {
        return None;
    }
    let next = scan.skip_word(i + 1, &["other", "single", "the", "last"]);
    let next = scan.cardinal(next).or_else(|| scan.ordinal(next)).map_or(next, |(_, next)| next);
    let word = scan.word(next);
    let timed = lexicon::unit(word).is_some()
        || lexicon::weekday(word).is_some()
        || lexicon::weekdays(word).is_some()
        || scan.ordinal(i + 1).is_some()
        || lexicon::month(word).is_some();
    let end = (next..scan.tokens.len()).find(|i| matches!(scan.sign(*i), Some(',' | ';' | '#' | '!' | '/')));
    timed.then_some(end.unwrap_or(scan.tokens.len()))
}

/// "10 times", "for 5 occurrences".
fn count(scan: &Scan<'_>, i: usize) -> Parsed<i64> {
    let start = scan.skip_word(i, &["for"]);
    let (count, next) = scan.cardinal(start)?;
    let unit = matches!(scan.word(next), "times" | "occurrences" | "repetitions" | "x" | "time");
    let fits = unit && scan.begins(i) && scan.ends(next + 1) && !matches!(scan.word(next + 1), "a" | "per" | "each");
    fits.then_some((i64::from(count), next + 1))
}

/// "for 3 weeks", "for the next 10 days".
fn lasting(scan: &Scan<'_>, i: usize) -> Parsed<Length> {
    if scan.word(i) != "for" {
        return None;
    }
    let start = if scan.words(i + 1, &["up", "to"]) { i + 3 } else { scan.skip_word(i + 1, &["the"]) };
    let start = scan.skip_word(start, &["next"]);
    let one = || {
        let unit = lexicon::unit(scan.word(start)).filter(|_| scan.word(start - 1) == "next")?;
        Some((Length::of(1_000, unit)?, start + 1))
    };
    let (length, next) = scan.length(start).or_else(one)?;
    (length.is_whole_days() && scan.word(next) != "from").then_some((length, next))
}
