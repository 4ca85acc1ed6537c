//! The engine that needs no model: a grammar reads what is asked for, and each request is done by the tools, one after the
//! other.
//!
//! | module | what it holds |
//! |---|---|
//! | `session` | a message while it is answered: what was said, what is asked, what came of it |
//! | `waiting` | an answer to a question that was asked before |
//! | `lookup` | the tasks that are meant, among those that there are |
//! | `query` | lists, counts and questions |
//! | `act`, `change` | what changes something |
//! | `values` | what was read, as arguments of tools |
//! | `talk` | what needs no tool |

mod act;
mod change;
mod lookup;
mod query;
mod session;
mod talk;
mod values;
mod waiting;

use todo_language::{Context, IntentType, read_message};

use self::{session::Session, waiting::Waited};
use crate::chat::{Answer, Decision, Engine, Outcome, Turn};

/// Reads messages by the grammar of `todo-language`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

#[async_trait::async_trait]
impl Engine for Builtin {
    async fn answer(&self, turn: &mut Turn) -> Answer {
        let context = turn.context();
        let intents = read_message(&turn.text, &context);
        let waited = turn.pending.take().and_then(|pending| waiting::read(pending, &turn.text, &intents, &context));
        match waited {
            None => {
                let text = turn.text.clone();
                Session::new(turn, text, context).answer(&intents).await
            }
            Some(Waited::GivenUp) => {
                turn.say("Okay, I left it.");
                Answer {
                    intent: IntentType::ConfirmNo,
                    confidence: 1.0,
                    params: session::params(&intents, turn.zone),
                    decision: Decision::CancelPending,
                    outcome: Outcome::ResponseGiven,
                    pending: None,
                }
            }
            Some(Waited::Message { text, at, part, chosen }) => {
                let context = Context { now: at, ..turn.context() };
                let mut intents = read_message(&text, &context);
                if let Some(part) = part.filter(|part| *part < intents.len()) {
                    intents = vec![intents.swap_remove(part)];
                }
                let mut session = Session::new(turn, text, context);
                session.part = part;
                session.chosen = chosen.into();
                session.answer(&intents).await.answered()
            }
            Some(Waited::Changes { tasks, changes }) => {
                let mut session = Session::new(turn, String::new(), context);
                session.update(tasks, &changes).await;
                let answer = session.finish(&[]).await.answered();
                Answer { intent: IntentType::UpdateTask, confidence: 1.0, ..answer }
            }
        }
    }
}
