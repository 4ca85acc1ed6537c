//! An answer to a question that was asked before.

use todo_domain::Timestamp;
use todo_language::{
    Candidate, Change, Context, Evidence, Found, Intent, Reference, Request, Scene, read_changes, read_message,
    read_references, resolve,
};

use crate::chat::{Named, Pending};

/// What an answer comes to.
pub(super) enum Waited {
    /// What waited is not wanted any more.
    GivenUp,
    /// A message that is answered now.
    Message {
        /// What was said.
        text: String,
        /// When.
        at: Timestamp,
        /// Which of its requests, if not all.
        part: Option<usize>,
        /// Which tasks its ambiguous references mean.
        chosen: Vec<Named>,
    },
    /// Changes of tasks.
    Changes { tasks: Vec<Named>, changes: Vec<Change> },
}

/// Reads a message as the answer to what waits; nothing if it is about something else.
pub(super) fn read(pending: Pending, text: &str, intents: &[Intent], context: &Context) -> Option<Waited> {
    if let [Intent { request: Request::No, .. }] = intents {
        return Some(Waited::GivenUp);
    }
    match pending {
        Pending::Which { text: asked, at, part, mut chosen, options } => {
            chosen.push(choice(text, intents, &options, context)?);
            Some(Waited::Message { text: asked, at, part: Some(part), chosen })
        }
        Pending::Change { tasks } if !is_other(intents) => {
            Some(Waited::Changes { tasks, changes: read_changes(text, context)? })
        }
        Pending::More { text: begun } if !is_other(intents) => {
            let clear = |text: &String| {
                !matches!(read_message(text, context)[..], [Intent { request: Request::Unclear(_), .. }])
            };
            let text = [format!("{begun} {text}"), format!("{begun}: {text}")].into_iter().find(clear)?;
            Some(Waited::Message { text, at: context.now, part: None, chosen: Vec::new() })
        }
        // Calls are settled before any engine is asked.
        Pending::Calls { .. } | Pending::Change { .. } | Pending::More { .. } => None,
    }
}

/// Whether a message is a request by itself. What is no more than words may be an answer.
fn is_other(intents: &[Intent]) -> bool {
    intents.iter().any(|intent| {
        matches!(intent.evidence, Evidence::Phrase | Evidence::Lead)
            && !matches!(intent.request, Request::Unclear(_) | Request::Show(_))
    })
}

/// The task that an answer names among those that were shown. One is asked for, so that two are no answer.
fn choice(text: &str, intents: &[Intent], options: &[Named], context: &Context) -> Option<Named> {
    let [reference] = &read_references(text, context)[..] else { return None };
    let shown: Vec<_> =
        options.iter().enumerate().map(|(key, task)| Candidate { key, title: task.title.clone() }).collect();
    // "2" is the second one even where another is called so.
    let reference = match reference {
        Reference::Number(number) => &Reference::Nth(*number),
        Reference::Title(_) if is_other(intents) && shown.iter().all(|task| task.title != text.trim()) => return None,
        reference => reference,
    };
    match resolve(reference, &Scene { listed: &shown, touched: &[], tasks: &shown }) {
        Found::These(keys) => match keys[..] {
            [key] => options.get(key).cloned(),
            _ => None,
        },
        _ => None,
    }
}
