//! What an engine leaves.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::Timestamp;
use todo_language::IntentType;

use super::Named;

/// What came of a turn, besides what was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How the message was read.
    pub intent: IntentType,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// What was read out of it.
    pub params: Map<String, Value>,
    /// What was decided.
    pub decision: Decision,
    /// What came of it.
    pub outcome: Outcome,
    /// What waits for a word of the user's; it ends after five minutes, or with the next message that is about something
    /// else.
    pub pending: Option<Pending>,
}

/// What waits for a word of the user's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pending {
    /// Calls that are made on a yes, in this order: a deletion, a `batch_change` with its token, a task that may be meant.
    Calls {
        /// The calls.
        calls: Vec<Call>,
        /// The tasks that they are about, as they were shown.
        tasks: Vec<Named>,
    },
    /// A message that waits for which task it means.
    Which {
        /// The message.
        text: String,
        /// When it was said: what "tomorrow" is counted from.
        at: Timestamp,
        /// Which of its requests waits, from 0.
        part: usize,
        /// Which tasks were chosen before, for the references of the request that came first.
        chosen: Vec<Named>,
        /// The tasks that it may mean, as they were shown.
        options: Vec<Named>,
    },
    /// Tasks that wait for what is to be changed.
    Change {
        /// The tasks.
        tasks: Vec<Named>,
    },
    /// Words that wait for those that are missing: "add a task", "delete".
    More {
        /// The words.
        text: String,
    },
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// What it is given.
    pub arguments: Map<String, Value>,
}

/// What is decided about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Tools were called.
    InvokeTool,
    /// Nothing was to be done.
    RespondOnly,
    /// The user was asked what is meant.
    AskClarification,
    /// The user was asked whether it is to be done.
    RequestConfirmation,
    /// What waited for a yes was done.
    ExecutePending,
    /// What waited for a yes was given up.
    CancelPending,
}

impl Answer {
    /// As the answer to a question that was asked before.
    pub(crate) fn answered(self) -> Self {
        let outcome = match self.outcome {
            Outcome::TaskCompleted | Outcome::ResponseGiven if self.pending.is_none() => Outcome::ClarificationAnswered,
            outcome => outcome,
        };
        Self { outcome, ..self }
    }
}

impl Decision {
    /// The name on every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvokeTool => "INVOKE_TOOL",
            Self::RespondOnly => "RESPOND_ONLY",
            Self::AskClarification => "ASK_CLARIFICATION",
            Self::RequestConfirmation => "REQUEST_CONFIRMATION",
            Self::ExecutePending => "EXECUTE_PENDING",
            Self::CancelPending => "CANCEL_PENDING",
        }
    }
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that was asked for was done.
    TaskCompleted,
    /// An answer was all that was asked for.
    ResponseGiven,
    /// What was unclear is settled, and done.
    ClarificationAnswered,
    /// What was asked for cannot be.
    UserInput,
    /// The message could not be read.
    IntentClassification,
    /// A tool failed.
    ToolInvocation,
    /// The answer could not be made.
    ResponseGeneration,
    /// It is no business of the assistant's.
    OutOfScope,
    /// The token is not good for it.
    MissingPermission,
    /// It was asked for too often.
    RateLimited,
    /// What is wanted is not clear.
    UnclearIntent,
    /// Several tasks may be meant.
    MultipleMatches,
    /// There is nothing that could be meant.
    MissingContext,
}

impl Outcome {
    /// Of what came of several requests, what counts: failures before questions, questions before answers.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        const FROM_WORST: [Outcome; 12] = [
            Outcome::ResponseGeneration,
            Outcome::ToolInvocation,
            Outcome::MissingPermission,
            Outcome::RateLimited,
            Outcome::UserInput,
            Outcome::IntentClassification,
            Outcome::MissingContext,
            Outcome::MultipleMatches,
            Outcome::UnclearIntent,
            Outcome::OutOfScope,
            Outcome::ClarificationAnswered,
            Outcome::TaskCompleted,
        ];
        FROM_WORST.into_iter().find(|outcome| [self, other].contains(outcome)).unwrap_or(self)
    }

    /// The name on every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaskCompleted => "SUCCESS:TASK_COMPLETED",
            Self::ResponseGiven => "SUCCESS:RESPONSE_GIVEN",
            Self::ClarificationAnswered => "SUCCESS:CLARIFICATION_ANSWERED",
            Self::UserInput => "ERROR:USER_INPUT",
            Self::IntentClassification => "ERROR:INTENT_CLASSIFICATION",
            Self::ToolInvocation => "ERROR:TOOL_INVOCATION",
            Self::ResponseGeneration => "ERROR:RESPONSE_GENERATION",
            Self::OutOfScope => "REFUSAL:OUT_OF_SCOPE",
            Self::MissingPermission => "REFUSAL:MISSING_PERMISSION",
            Self::RateLimited => "REFUSAL:RATE_LIMITED",
            Self::UnclearIntent => "AMBIGUITY:UNCLEAR_INTENT",
            Self::MultipleMatches => "AMBIGUITY:MULTIPLE_MATCHES",
            Self::MissingContext => "AMBIGUITY:MISSING_CONTEXT",
        }
    }
}

impl Pending {
    /// What may be said to settle it, as buttons may show it.
    #[must_use]
    pub fn replies(&self) -> Vec<String> {
        match self {
            Self::Calls { .. } => vec!["yes".to_owned(), "no".to_owned()],
            Self::Which { options, .. } => (1..=options.len()).map(|place| place.to_string()).collect(),
            Self::Change { .. } | Self::More { .. } => Vec::new(),
        }
    }

    /// Whether a yes deletes something.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        let deletes =
            |call: &Call| call.tool == "delete_task" || call.arguments.get("action") == Some(&"delete".into());
        matches!(self, Self::Calls { calls, .. } if calls.iter().any(deletes))
    }
}
