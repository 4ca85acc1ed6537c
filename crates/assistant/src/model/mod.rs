//! The engine that has a language model answer, over any provider of `OpenAI`'s chat completions.
//!
//! The model chooses words and tools; what may be done and said is decided here, whatever it was told by the text of a
//! task: ids stay here, deletions and changes of many tasks are put to the user, what was done is said by the program, and
//! what the model claims beyond that is not passed on.
//!
//! | module | what it holds |
//! |---|---|
//! | `prompt.md` | what the model is told |
//! | `client`, `reply` | a call of the provider, and its answer put together |
//! | `history` | what is sent: the conversation, cut to a length |
//! | `tools` | the tools as the model sees them: handles for ids, results marked as data |
//! | `talk` | a turn: rounds of answers and calls, and what came of it |
//! | `voice`, `claim`, `leak` | what the model says, and which of it may be said |

mod claim;
mod client;
mod history;
mod leak;
mod reply;
mod talk;
mod tools;
mod voice;

use std::time::Duration;

use http::Uri;
use serde_json::json;
use tokio::time::Instant;

pub use self::client::Key;
use self::{
    client::{Client, Unavailable},
    talk::Talk,
};
use crate::{
    builtin::Builtin,
    chat::{Answer, Engine, Turn},
};

/// What the model is told.
const PROMPT: &str = include_str!("prompt.md");
const OPENAI: &str = "https://api.openai.com/v1";

/// Which model answers, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Where the provider is; `/chat/completions` is added. Where a key is known, `OpenAI`'s unless said.
    pub base_url: Option<Uri>,
    /// The model, as the provider calls it.
    pub model: String,
    /// How long one call may take, its second try included.
    pub timeout: Duration,
    /// How freely it chooses words, from 0 to 2.
    pub temperature: f64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// After how many rounds of tools it must answer.
    pub rounds: u32,
}

/// Has a language model answer, and the built-in engine where that fails before anything was changed.
#[expect(missing_debug_implementations, reason = "a connection has nothing to show")]
pub struct Model {
    options: Options,
    client: Client,
    instead: Builtin,
}

impl Model {
    /// Prepares it; the provider is not asked yet.
    ///
    /// # Errors
    /// A sentence for the operator, when there is no provider or its address cannot be used.
    pub fn new(options: Options, key: Key) -> Result<Self, String> {
        let client = match &options.base_url {
            Some(base) => Client::new(base, key)?,
            // What people ask is sent nowhere that nobody chose.
            None if key.get().is_some() => Client::new(&Uri::from_static(OPENAI), key)?,
            None => {
                return Err(format!(
                    "LLM_MODEL (--llm-model) needs a provider: LLM_BASE_URL (--llm-base-url), or for {OPENAI} the secret \
                     llm-api-key (LLM_API_KEY)"
                ));
            }
        };
        Ok(Self { options, client, instead: Builtin })
    }

    /// Asks it for a word, whichever.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn ping(&self) -> Result<(), String> {
        let messages = json!([{ "role": "user", "content": "ping" }]);
        let body = json!({ "model": self.options.model, "messages": messages, "max_tokens": self.options.max_tokens });
        let reply = self.client.ask(&body, Instant::now() + self.options.timeout, |_| {}).await;
        reply.map(drop).map_err(|Unavailable(why)| why)
    }
}

#[async_trait::async_trait]
impl Engine for Model {
    async fn answer(&self, turn: &mut Turn) -> Answer {
        if let Some(answer) = Talk::new(self, turn).run().await {
            return answer;
        }
        let gap = if turn.said().is_empty() { "" } else { "\n\n" };
        turn.say(&format!("{gap}The language model is not available, so I answered by myself.\n\n"));
        self.instead.answer(turn).await
    }
}
