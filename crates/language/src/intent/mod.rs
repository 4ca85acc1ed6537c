//! What a message to the assistant asks for: its requests, in the order in which they are to be done.
//!
//! | module | what it holds |
//! |---|---|
//! | `line` | a part of a message as words, without courtesies |
//! | `words` | words as people type them, verbs of things to do, forms of one word |
//! | `split` | a message cut where a new request begins |
//! | `clause` | one part read: the readers below, in order |
//! | `talk` | yes, no, undo, greetings, what is no business of the assistant's |
//! | `list`, `query`, `filter` | lists, counts and questions, and which tasks they are about |
//! | `create`, `status`, `delete`, `update`, `field`, `postpone` | the requests that change something |
//! | `change` | what an update changes |
//! | `reference`, `resolve` | the tasks that are meant, as said and among those that there are |
//! | `render` | intents as files of phrases expect them |

mod change;
mod clause;
mod create;
mod delete;
mod field;
mod filter;
mod line;
mod list;
mod postpone;
mod query;
mod reference;
mod render;
mod resolve;
mod split;
mod status;
mod talk;
mod update;
mod words;

use crate::Reading;

pub use self::{
    change::{Change, Move, Shift},
    clause::{read_changes, read_message, read_references},
    query::{Ask, Order, Query},
    reference::Reference,
    render::render_intents,
    resolve::{Candidate, Found, Scene, has_all_words, narrowing, resolve},
    talk::Chat,
};

/// One thing that a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// What is asked for.
    pub request: Request,
    /// What that was read from.
    pub evidence: Evidence,
    /// Where in the message it begins, in Unicode scalar values.
    pub start: usize,
    /// Where in the message it ends, not included.
    pub end: usize,
    /// The same words as a task of their own: what may be meant instead where no task fits ("remove the old carpet"), and
    /// what an unclear text would be as a task.
    pub as_task: Option<Box<Task>>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new task.
    Create(Box<Task>),
    /// Tasks to be shown, or a question about them.
    List(Box<Query>),
    /// One task, or a few, to be shown with all there is.
    Show(Vec<Reference>),
    /// Tasks that are done.
    Complete(Target),
    /// Tasks that are not done after all.
    Reopen(Target),
    /// Changes of tasks; at least one.
    Update(Target, Vec<Change>),
    /// Tasks to be deleted.
    Delete(Target),
    /// The last change, to be taken back.
    Undo,
    /// Consent to what was asked last. Only where the message is nothing else.
    Yes,
    /// No consent, or a request to stop. Only where the message is nothing else.
    No,
    /// Talk that asks for nothing.
    Chat(Chat),
    /// A request outside tasks.
    OutOfScope,
    /// Nothing that is clear, and the question that would settle it.
    Unclear(Question),
}

/// A task that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The words that say it; the spans of the reading count in them.
    pub text: String,
    /// What they say.
    pub reading: Reading,
}

/// The tasks that a request is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Those named, each to be found with [`resolve`].
    Tasks(Vec<Reference>),
    /// All that a filter finds ("delete all completed tasks").
    Matching(Box<Query>),
}

/// What one question would settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether the text is a new task, or what else to do with it.
    WhatToDo,
    /// What the new task is.
    WhichTitle,
    /// Which task is meant.
    WhichTask,
    /// What to change of these tasks.
    WhichChange(Vec<Reference>),
}

/// What a request was read from. Its confidence follows from that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// A phrase that means nothing else, or words that name tasks or lists as such.
    Phrase,
    /// Words that lead such a request, and all after them fits.
    Lead,
    /// No such words, but a date, a mark or a verb of things to do, as tasks have.
    Shape,
    /// Words that could be something else as well.
    Either,
    /// Nothing.
    Nothing,
}

impl Evidence {
    /// How sure the reading is, from 0 to 1.
    #[must_use]
    pub const fn confidence(self) -> f64 {
        match self {
            Self::Phrase => 1.0,
            Self::Lead => 0.95,
            Self::Shape => 0.85,
            Self::Either => 0.6,
            Self::Nothing => 0.2,
        }
    }
}

/// The kinds of intent that decisions are recorded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentType {
    /// A new task.
    CreateTask,
    /// Tasks to be shown.
    ListTasks,
    /// Tasks that are done.
    CompleteTask,
    /// Tasks to be changed, reopening and undoing included.
    UpdateTask,
    /// Tasks to be deleted.
    DeleteTask,
    /// Talk, and what is outside tasks.
    GeneralChat,
    /// Nothing that is clear.
    Ambiguous,
    /// Several of them.
    MultiIntent,
    /// Consent.
    ConfirmYes,
    /// No consent.
    ConfirmNo,
}

impl IntentType {
    /// The kind of a whole message.
    #[must_use]
    pub fn of(intents: &[Intent]) -> Self {
        match intents {
            [] => Self::Ambiguous,
            [one] => match one.request {
                Request::Create(_) => Self::CreateTask,
                Request::List(_) | Request::Show(_) => Self::ListTasks,
                Request::Complete(_) => Self::CompleteTask,
                Request::Reopen(_) | Request::Update(..) | Request::Undo => Self::UpdateTask,
                Request::Delete(_) => Self::DeleteTask,
                Request::Yes => Self::ConfirmYes,
                Request::No => Self::ConfirmNo,
                Request::Chat(_) | Request::OutOfScope => Self::GeneralChat,
                Request::Unclear(_) => Self::Ambiguous,
            },
            _ => Self::MultiIntent,
        }
    }

    /// The name on every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTask => "CREATE_TASK",
            Self::ListTasks => "LIST_TASKS",
            Self::CompleteTask => "COMPLETE_TASK",
            Self::UpdateTask => "UPDATE_TASK",
            Self::DeleteTask => "DELETE_TASK",
            Self::GeneralChat => "GENERAL_CHAT",
            Self::Ambiguous => "AMBIGUOUS",
            Self::MultiIntent => "MULTI_INTENT",
            Self::ConfirmYes => "CONFIRM_YES",
            Self::ConfirmNo => "CONFIRM_NO",
        }
    }
}
