//! Conversations with the assistant, and what it decided in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;

/// A conversation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// What it is called.
    pub title: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its last message came.
    pub updated_at: DateTime<Utc>,
    /// How many messages it has.
    pub messages: i64,
    /// The turn that is under way.
    pub lease: Option<Lease>,
    /// The action that waits for a yes, with what may be said to it, as JSON, and until when.
    pub pending: Option<(String, DateTime<Utc>)>,
    /// What later turns may refer to, as JSON.
    pub scene: Option<String>,
}

/// A turn that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Shown by who may finish it.
    pub id: Uuid,
    /// The message that is answered.
    pub turn: Uuid,
    /// When another may take it over.
    pub until: DateTime<Utc>,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// Its place there, from 1.
    pub place: i64,
    /// Who says it, as in the proto.
    pub role: i64,
    /// What is said.
    pub content: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// The tools called for it, as a JSON array.
    pub tool_calls: String,
}

/// A decision as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Its id.
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// The conversation.
    pub conversation_id: Uuid,
    /// What the user said.
    pub message: String,
    /// How it was read.
    pub intent_type: String,
    /// How sure that is.
    pub confidence: f64,
    /// What was read out of it, as a JSON object.
    pub params: String,
    /// What was done about it.
    pub decision_type: String,
    /// What came of it.
    pub outcome: String,
    /// What was answered.
    pub response: String,
    /// When it was said.
    pub created_at: DateTime<Utc>,
    /// How long the turn took.
    pub duration_ms: i64,
}

/// One call of a tool for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The decision.
    pub decision_id: Uuid,
    /// Its place, from 1.
    pub sequence: i64,
    /// The tool.
    pub tool: String,
    /// How long it took.
    pub duration_ms: i64,
    /// All of it, as JSON.
    pub call: String,
}

/// Which decisions.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// Of this conversation.
    pub conversation_id: Option<Uuid>,
    /// At or after this moment.
    pub start: Option<DateTime<Utc>>,
    /// Before this moment.
    pub end: Option<DateTime<Utc>>,
    /// Of this type; empty for any.
    pub decision_type: String,
    /// Whose outcome begins so; empty for any.
    pub outcome: String,
}

/// How often something was, and how long all of that took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What.
    pub names: Vec<String>,
    /// How often.
    pub count: i64,
    /// How long in all, in milliseconds.
    pub duration_ms: i64,
}

/// Conversations, their messages and decisions.
#[async_trait]
pub trait Talk {
    /// A page of an owner's conversations, newest activity first.
    async fn conversations(&mut self, user_id: Uuid, limit: i64, offset: i64) -> Result<Vec<Conversation>, Error>;
    /// How many an owner has.
    async fn count_conversations(&mut self, user_id: Uuid) -> Result<i64, Error>;
    /// One of an owner's.
    async fn conversation(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Conversation>, Error>;
    /// Stores a new one.
    async fn add_conversation(&mut self, conversation: &Conversation) -> Result<(), Error>;
    /// Writes everything of one but id, owner and beginning.
    async fn put_conversation(&mut self, conversation: &Conversation) -> Result<(), Error>;
    /// Removes one with all that belongs to it; `false` if there is none.
    async fn remove_conversation(&mut self, user_id: Uuid, id: Uuid) -> Result<bool, Error>;

    /// The last messages of a conversation before a place, oldest first.
    async fn messages(&mut self, conversation_id: Uuid, before: i64, limit: i64) -> Result<Vec<Message>, Error>;
    /// A message.
    async fn message(&mut self, id: Uuid) -> Result<Option<Message>, Error>;
    /// Stores a message.
    async fn add_message(&mut self, message: &Message) -> Result<(), Error>;

    /// Stores a decision with the calls that were made for it.
    async fn add_decision(&mut self, decision: &Decision, calls: &[ToolCall]) -> Result<(), Error>;
    /// A page of an owner's decisions, newest first.
    async fn decisions(
        &mut self,
        user_id: Uuid,
        filter: &DecisionFilter,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Decision>, Error>;
    /// How many of an owner's decisions match.
    async fn count_decisions(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<i64, Error>;
    /// One of an owner's decisions.
    async fn decision(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Decision>, Error>;
    /// The calls made for a decision, in order.
    async fn tool_calls(&mut self, decision_id: Uuid) -> Result<Vec<ToolCall>, Error>;
    /// An owner's decisions by intent and outcome.
    async fn tally_decisions(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<Vec<Tally>, Error>;
    /// The calls made for an owner's decisions, by tool.
    async fn tally_tools(&mut self, user_id: Uuid, filter: &DecisionFilter) -> Result<Vec<Tally>, Error>;
}
