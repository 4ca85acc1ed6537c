//! A message read: cut into parts, each read by the first reader that knows it.

use super::{
    Change, Evidence, Intent, Question, Reference, Request, Target, Task,
    create::{create, shaped},
    delete::delete,
    line::Line,
    list::list,
    reference::references,
    split::parts,
    status::status,
    talk::{is_question, out_of_scope, phrase},
    update::{update, value},
};
use crate::Context;

/// Reads what a message to the assistant asks for, in the order in which it is to be done; at least one intent.
///
/// A message is several requests only where each part reads as one by itself: "buy bread and milk" is one task, "buy milk,
/// then show my list" is two requests.
#[must_use]
pub fn read_message(text: &str, context: &Context) -> Vec<Intent> {
    let mut intents = Vec::new();
    let mut characters = (0, 0);
    for part in parts(text, context) {
        let before = intents.len();
        let words = &text[part.range.clone()];
        let read = part_of(words, part.item, context);
        let start = characters.1 + text[characters.0..part.range.start].chars().count();
        let end = start + words.chars().count();
        characters = (part.range.end, end);
        for (request, evidence, as_task) in read {
            intents.push(Intent { request, evidence, start, end, as_task });
        }
        debug_assert!(intents.len() > before);
    }
    // Consent is read only where the message is nothing else.
    if intents.len() > 1 {
        intents.retain(|intent| !matches!(intent.request, Request::Yes | Request::No | Request::Chat(_)));
    }
    if intents.is_empty() {
        let request = Request::Unclear(Question::WhatToDo);
        intents.push(Intent {
            request,
            evidence: Evidence::Nothing,
            start: 0,
            end: text.chars().count(),
            as_task: None,
        });
    }
    intents
}

/// The tasks that an answer to "which one?" names: "2", "the second one", "both", "the dentist"; none if it names nothing.
#[must_use]
pub fn read_references(text: &str, context: &Context) -> Vec<Reference> {
    let line = Line::new(text, context);
    references(&line, line.start, line.end)
}

/// The changes that an answer to "to what?" says: "friday", "every week", "high priority"; nothing if it says none.
#[must_use]
pub fn read_changes(text: &str, context: &Context) -> Option<Vec<Change>> {
    value(text, context)
}

type Read = (Request, Evidence, Option<Box<Task>>);

fn part_of(text: &str, item: bool, context: &Context) -> Vec<Read> {
    if let Some(request) = phrase(text) {
        return vec![(request, Evidence::Phrase, None)];
    }
    let line = Line::new(text, context);
    if line.start >= line.end {
        return vec![(Request::Unclear(Question::WhatToDo), Evidence::Nothing, None)];
    }
    if let Some((request, evidence)) = known(&line) {
        let as_task =
            may_be_task(&line, &request, evidence).then(|| Task::read(line.whole(), context).map(Box::new)).flatten();
        return vec![(request, evidence, as_task)];
    }
    if let Some(created) = create(&line) {
        return created.into_iter().map(|(request, evidence)| (request, evidence, None)).collect();
    }
    vec![rest(&line, item)]
}

/// Requests about tasks that there are, and what is none of the assistant's business.
fn known(line: &Line<'_>) -> Option<(Request, Evidence)> {
    if let Some(evidence) = out_of_scope(line) {
        return Some((Request::OutOfScope, evidence));
    }
    // What is wished for is to be done, unless it names tasks as such.
    let read = list(line).or_else(|| status(line)).or_else(|| update(line)).or_else(|| delete(line));
    read.filter(|(request, evidence)| {
        !(line.wish && (*evidence == Evidence::Either || matches!(request, Request::Unclear(_))))
    })
}

/// Whether the words could be a task of their own: nothing but a title says which task is meant.
fn may_be_task(line: &Line<'_>, request: &Request, evidence: Evidence) -> bool {
    let target = match request {
        Request::Complete(target) | Request::Reopen(target) | Request::Update(target, _) | Request::Delete(target) => {
            target
        }
        Request::Show(_) | Request::List(_) => return evidence == Evidence::Either && !is_question(line),
        _ => return false,
    };
    match target {
        Target::Tasks(_) => evidence != Evidence::Phrase,
        Target::Matching(query) => query.search.is_some(),
    }
}

/// A text without words of a request.
fn rest(line: &Line<'_>, item: bool) -> Read {
    let question = is_question(line) || line.text.trim_end().ends_with('?');
    if let Some(request) = shaped(line).filter(|_| !question) {
        return (request, if line.wish { Evidence::Lead } else { Evidence::Shape }, None);
    }
    let task = Task::read(line.whole(), line.context);
    if let (true, Some(task)) = (item, task.clone()) {
        return (Request::Create(Box::new(task)), Evidence::Shape, None);
    }
    if question {
        return (Request::OutOfScope, Evidence::Either, None);
    }
    (Request::Unclear(Question::WhatToDo), Evidence::Nothing, task.map(Box::new))
}
