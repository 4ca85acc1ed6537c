//! Due dates that move: to another day or time, or by a length of time.

use super::{
    Change, Evidence, Move, Question, Request, Shift,
    line::Line,
    reference::{is_explicit, references},
    update::{Read, date, of, value},
};
use crate::{Context, scan::Scan};

/// More tokens than a destination or a length has.
const LONGEST: usize = 16;

/// "move the dentist to friday", "push it by 2 days", "snooze it for 10 minutes", "postpone the rent until monday".
pub(super) fn moved(line: &Line<'_>) -> Read {
    const OWN: &str = "move back|move forward|move up|move|reschedule|postpone|push back|push out|push|shift|delay|defer|snooze|bump|\
        put off|put back|advance|extend|carry over|roll over";
    const DATES: &str = "the due date of|the due date for|the deadline of|the deadline for|the date of|due date of|the due date|\
        the deadline|the time of";
    let start = line.start;
    let verb = line.word(start);
    // "put the dentist off until", "bring the gym forward by".
    let apart = verb == "put" && line.has("off|back") || verb == "bring" && line.has("forward|up");
    let next = line.after_any(start, OWN).or(apart.then_some(start + 1))?;
    let from = line.skip(line.skip(next, "forward|up"), DATES);
    let sooner = matches!(verb, "bring" | "advance") || verb == "move" && line.has("up");
    let particle = |i: usize| matches!(line.word(i), "off" | "back" | "up" | "out" | "forward");
    let before = |at: usize| if at > from + 1 && particle(at - 1) { at - 1 } else { at };

    let counted = matches!(line.word(line.end - 1), "later" | "earlier" | "sooner");
    if let Some((at, change)) = destination(line, from).filter(|_| !counted) {
        let was = |i: &usize| line.word(*i) == "from" && date(line.text_of(i + 1, at), line.context).is_some();
        let end = (from + 1..at).rev().take(8).find(was).unwrap_or(at);
        return of(line, from, before(end), change, Evidence::Lead);
    }
    if let Some((at, shift)) = shift(line, from) {
        let shift = if sooner { Shift(shift.0.negated()) } else { shift };
        let change = if verb == "snooze" { snoozed(shift, line.context)? } else { Change::Due(Move::By(shift)) };
        return of(line, from, before(at), vec![change], Evidence::Lead);
    }
    // Where to?
    if matches!(verb, "reschedule" | "postpone" | "snooze" | "defer") || is_explicit(line, from, line.end) {
        let found = references(line, from, line.end);
        return Some((Request::Unclear(Question::WhichChange(found)), Evidence::Lead));
    }
    None
}

/// Where something is moved to, and where that begins: "to friday", "until next week", "tomorrow".
fn destination(line: &Line<'_>, from: usize) -> Option<(usize, Vec<Change>)> {
    let first = from.max(line.end.saturating_sub(LONGEST));
    let leads = |i: &usize| matches!(line.word(*i), "to" | "until" | "till" | "til" | "for" | "on" | "onto" | "at");
    let dated = |change: &Change| matches!(change, Change::Due(_) | Change::Repeat { .. });
    for at in (first..line.end).filter(leads) {
        let text = line.text_of(at + 1, line.end);
        // "for 10 minutes" is a length.
        if line.word(at) == "for" && Scan::new(text, line.context, true).length(0).is_some() {
            continue;
        }
        if let Some(changes) = value(text, line.context).filter(|changes| changes.iter().any(dated)) {
            return Some((at, changes));
        }
    }
    // Without a word between: "reschedule the dentist tomorrow".
    (first..line.end).find_map(|at| {
        let text = line.text_of(at, line.end);
        let scan = Scan::new(text, line.context, false);
        let (phrase, next) = scan.phrase(0)?;
        let due = date(text, line.context).filter(|_| scan.is_end(next) && !phrase.moment.is_time_only())?;
        Some((at, vec![Change::Due(due)]))
    })
}

/// A length of time that ends the line, and where it begins: "by 2 days", "an hour", "a week later".
fn shift(line: &Line<'_>, from: usize) -> Option<(usize, Shift)> {
    const LEADS: &str = "by another|by|for another|for|another|back by|back|up by|up|forward by|forward|off by|off for|out by|out|\
        ahead by|ahead";
    let (end, back) = match line.word(line.end - 1) {
        "later" | "back" | "forward" | "more" => (line.end - 1, false),
        "earlier" | "sooner" => (line.end - 1, true),
        _ => (line.end, false),
    };
    (from.max(end.saturating_sub(LONGEST))..end).find_map(|start| {
        let at = line.skip(start, LEADS);
        let text = line.text_of(at, end);
        // "another week" is one.
        let another = at > start && line.word(at - 1) == "another";
        let one = format!("a {text}");
        let scan = Scan::new(if another { &one } else { text }, line.context, true);
        let (length, next) = scan.length(0)?;
        let length = if back { length.negated() } else { length };
        (next == scan.tokens.len()).then_some((start, Shift(length)))
    })
}

/// So long from now.
fn snoozed(shift: Shift, context: &Context) -> Option<Change> {
    let (at, all_day) = Move::By(shift).apply(None, context)?;
    let day = todo_domain::zone::local(context.zone, at).date();
    Some(Change::Due(if all_day { Move::Day(day) } else { Move::Instant(todo_domain::clock::micros(at)) }))
}
