//! The tasks that a request names: by title, by number, by place in the last list, or as what was spoken of.

use super::{
    line::Line,
    words::{is_task, is_tasks},
};
use crate::lexicon;

/// A task, or several, as they are named; [`super::resolve`] finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By words of the title, as said, without what only says that it is a task.
    Title(String),
    /// By number: "#2".
    Number(u32),
    /// By place in the last list, from 1: "the first one".
    Nth(u32),
    /// The last one of the last list.
    Last,
    /// What was spoken of last: "it", "that one".
    It,
    /// Two of them: "both".
    Both,
    /// All that were spoken of or listed last: "them", "all of these".
    All,
}

/// The tasks named by some tokens; none if they name nothing.
pub(super) fn references(line: &Line<'_>, from: usize, to: usize) -> Vec<Reference> {
    let to = without_tail(line, from, to);
    if let Some(list) = listed(line, from, to) {
        return list;
    }
    let (from, to) = inner(line, from, to);
    if let Some(list) = listed(line, from, to) {
        return list;
    }
    let title = line.text_of(from, to).trim_matches(['"', '“', '”', '`', '\'', '‘', '’']).trim();
    if from < to && title.chars().any(char::is_alphanumeric) {
        vec![Reference::Title(title.to_owned())]
    } else {
        Vec::new()
    }
}

/// Whether some tokens name tasks as such, not by words that could be anything: "#2", "it", "the rent task".
pub(super) fn is_explicit(line: &Line<'_>, from: usize, to: usize) -> bool {
    let to = without_tail(line, from, to);
    let named = (from..to).any(|i| is_task(line.word(i)) || line.word(i) == "one" && i > from);
    let quoted = to == from + 1 && line.is_quoted(from);
    let (start, end) = inner(line, from, to);
    named || quoted || listed(line, from, to).is_some() || listed(line, start, end).is_some()
}

/// The end without what says no more than that it is on a list: "from my list", "as well".
fn without_tail(line: &Line<'_>, from: usize, mut to: usize) -> usize {
    const TAILS: &str = "from my schedule|from my calendar|off my calendar|from list|for good|too|as well|anymore|any more|i just added|\
        i just created|i added|i created|i made";
    loop {
        while to > from && line.word(to - 1).is_empty() && matches!(line.sign(to - 1), Some(',' | '.' | ':' | '-')) {
            to -= 1;
        }
        let fits = |at: usize, tail: &str| line.after(at, tail) == Some(to);
        let tail = TAILS.split('|').find_map(|tail| {
            let at = to.checked_sub(tail.split(' ').count()).filter(|at| *at > from)?;
            fits(at, tail).then_some(at)
        });
        // "from my list", "off of the todo list", "on my grocery list".
        let list = (from + 1..to).rev().take(5).find(|at| {
            let owned = line.skip(*at, "off of|from|off|on|in");
            let named = line.skip(owned, "my|the");
            let noun = line.after_any(named, "todo list|task list|list|tasks|todos|reminders");
            let other = (line.word(named + 1) == "list").then_some(named + 2);
            owned > *at && named > owned && (noun == Some(to) || other == Some(to))
        });
        match tail.or(list) {
            Some(at) => to = at,
            None => return to,
        }
    }
}

/// Without what only says that it is a task: "the", "task", "called".
fn inner(line: &Line<'_>, mut from: usize, to: usize) -> (usize, usize) {
    while from < to && matches!(line.sign(from), Some(':' | ',' | '-')) {
        from += 1;
    }
    let article = if matches!(line.word(from), "the" | "my" | "our" | "a" | "an") { from + 1 } else { from };
    // "the one about taxes", "the task to buy milk", "task 3".
    let noun = line.word(article);
    let heads = (is_task(noun) && !is_tasks(noun) || noun == "one") && article + 1 < to;
    let plural = is_tasks(noun) && article + 1 < to;
    if heads || plural {
        let linked = line.skip(article + 1, "that says|called|named|titled|about|for|with|to|of|saying|number|nr|no");
        let linked =
            if linked == article + 1 && matches!(line.sign(linked), Some(':' | '-')) { linked + 1 } else { linked };
        let numbered = line.number(linked).is_some() || line.sign(linked) == Some('#') || line.is_quoted(linked);
        if linked > article + 1 || numbered || heads && noun != "thing" && article == from {
            return (linked.min(to), to);
        }
    }
    // "the rent task", "the rent one", "my gym reminder".
    let last = line.word(to.saturating_sub(1));
    let tail = to > article + 1
        && (last == "one" || is_task(last) && !matches!(last, "list" | "agenda" | "schedule"))
        && !is_place(line, article, to - 1);
    if tail {
        return (article, to - 1);
    }
    let owned = article > from && to > article && !is_place(line, article, to);
    if owned { (article, to) } else { (from, to) }
}

/// Whether these tokens are a place in a list or a pointer, which need their article or noun.
fn is_place(line: &Line<'_>, from: usize, to: usize) -> bool {
    to <= from + 1
        && (place(line, from).is_some()
            || matches!(
                line.word(from),
                "this" | "that" | "last" | "next" | "same" | "other" | "first" | "task" | "one"
            ))
}

/// Numbers, places and pointers, one or several: "1, 2 and 3", "the first two", "it", "both".
fn listed(line: &Line<'_>, from: usize, to: usize) -> Option<Vec<Reference>> {
    let mut list = Vec::new();
    let mut next = from;
    while next < to {
        let (mut some, after) = one(line, next, to)?;
        list.append(&mut some);
        if list.len() > 100 {
            return None;
        }
        next = after;
        let joint = next;
        while next < to && (matches!(line.sign(next), Some(',' | '&')) || matches!(line.word(next), "and" | "plus")) {
            next += 1;
        }
        // Numbers may stand side by side: "#1 #2".
        if next < to && next == joint && line.sign(next) != Some('#') && line.number(next).is_none() {
            return None;
        }
    }
    (!list.is_empty()).then_some(list)
}

fn one(line: &Line<'_>, from: usize, to: usize) -> Option<(Vec<Reference>, usize)> {
    const POINTERS: [(&str, Reference); 40] = [
        ("both of them", Reference::Both),
        ("both of these", Reference::Both),
        ("both of those", Reference::Both),
        ("them both", Reference::Both),
        ("both tasks", Reference::Both),
        ("both", Reference::Both),
        ("all of them", Reference::All),
        ("all of these", Reference::All),
        ("all of those", Reference::All),
        ("all of it", Reference::All),
        ("them all", Reference::All),
        ("all these", Reference::All),
        ("all those", Reference::All),
        ("all three", Reference::All),
        ("all four", Reference::All),
        ("these tasks", Reference::All),
        ("those tasks", Reference::All),
        ("these", Reference::All),
        ("those", Reference::All),
        ("them", Reference::All),
        ("it all", Reference::All),
        ("what i just added", Reference::It),
        ("what you just added", Reference::It),
        ("the one i just added", Reference::It),
        ("the one you just added", Reference::It),
        ("the task i just added", Reference::It),
        ("the task you just added", Reference::It),
        ("the new one", Reference::It),
        ("the same one", Reference::It),
        ("this one", Reference::It),
        ("that one", Reference::It),
        ("this task", Reference::It),
        ("that task", Reference::It),
        ("this reminder", Reference::It),
        ("that reminder", Reference::It),
        ("this item", Reference::It),
        ("that item", Reference::It),
        ("this", Reference::It),
        ("that", Reference::It),
        ("it", Reference::It),
    ];
    let ends = |next: usize| (next <= to).then_some(next);
    for (words, reference) in POINTERS {
        if let Some(next) = line.after(from, words).and_then(ends) {
            return Some((vec![reference], next));
        }
    }
    let start = line.skip(from, "the");
    // "the task" alone, when one was spoken of.
    if start > from && start + 1 == to && matches!(line.word(start), "task" | "reminder" | "item" | "todo" | "one") {
        return Some((vec![Reference::It], to));
    }
    let noun =
        if is_task(line.word(start)) || matches!(line.word(start), "number" | "nr" | "no") { start + 1 } else { start };
    let noun = line.skip(noun, "number|nr|no");
    let hash = if line.sign(noun) == Some('#') { noun + 1 } else { noun };
    let spelled = lexicon::small(line.word(hash)).filter(|number| noun > start && (1..=20).contains(number));
    if let Some(first) = line.number(hash).or(spelled).filter(|_| hash < to) {
        let nth = matches!(line.word(hash + 1), "st" | "nd" | "rd" | "th") && line.glued(hash + 1);
        if nth {
            let (next, _) = end_of_place(line, hash + 2, to);
            return Some((vec![Reference::Nth(first)], next));
        }
        // "1-3", "2 to 4".
        let through = matches!(line.sign(hash + 1), Some('-' | '–')) || matches!(line.word(hash + 1), "to" | "through");
        let last = line.number(hash + 2).filter(|last| through && hash + 2 < to && *last > first && *last - first < 50);
        return Some(match last {
            Some(last) => ((first..=last).map(Reference::Number).collect(), hash + 3),
            None => (vec![Reference::Number(first)], hash + 1),
        });
    }
    let (nth, next) = place(line, start)?;
    let (next, closed) = end_of_place(line, next, to);
    // "the first two"; "first" alone needs an article or a noun.
    let count = line
        .number(next)
        .or_else(|| lexicon::small(line.word(next)))
        .filter(|count| next < to && (2..=20).contains(count));
    if let (Some(count), Some(1)) = (count, nth) {
        let (next, _) = end_of_place(line, next + 1, to);
        return Some(((1..=count).map(Reference::Nth).collect(), next));
    }
    let reference = nth.map_or(Reference::Last, Reference::Nth);
    let joined = matches!(line.word(next), "and") || line.sign(next) == Some(',');
    (start > from || closed || joined || next == to).then_some((vec![reference], next))
}

/// "first", "last": a place in a list, and the token after it.
fn place(line: &Line<'_>, i: usize) -> Option<(Option<u32>, usize)> {
    match line.word(i) {
        "last" | "bottom" | "final" => Some((None, i + 1)),
        "top" => Some((Some(1), i + 1)),
        word => Some((Some(lexicon::nth(word)?), i + 1)),
    }
}

/// Over the noun of a place, and whether there is one.
fn end_of_place(line: &Line<'_>, i: usize, to: usize) -> (usize, bool) {
    let noun = matches!(
        line.word(i),
        "one" | "ones" | "task" | "tasks" | "item" | "items" | "reminder" | "entry" | "todo" | "todos"
    );
    if noun && i < to { (i + 1, true) } else { (i, false) }
}
