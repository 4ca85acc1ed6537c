//! The engine that needs no model: a grammar.

use serde_json::Map;
use todo_language::{Context, IntentType, read_message};

use crate::chat::{Answer, Decision, Engine, Outcome, Turn};

/// Reads messages by the grammar of `todo-language`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

#[async_trait::async_trait]
impl Engine for Builtin {
    async fn answer(&self, turn: &mut Turn) -> Answer {
        let intents = read_message(&turn.text, &Context::new(turn.now, turn.zone));
        turn.say("I can read that, but not answer yet.");
        Answer {
            intent: IntentType::of(&intents),
            confidence: intents.first().map_or(0.0, |intent| intent.evidence.confidence()),
            params: Map::new(),
            decision: Decision::RespondOnly,
            outcome: Outcome::ResponseGiven,
            pending: None,
        }
    }
}
