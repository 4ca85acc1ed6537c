//! The chat: `ChatService.Chat` and `SendMessage`. A turn begins when the backend has kept what the user said, is answered
//! by an [`Engine`] through the tools, and ends when the backend has kept the answer.
//!
//! | module | what it holds |
//! |---|---|
//! | `service` | the rpcs: a turn from its beginning to its end, told as it goes |
//! | `turn` | what an engine is given: what was said, and the tools |
//! | `answer` | what an engine leaves: what it decided, and what waits for a yes |
//! | `scene` | what later turns may refer to |

mod answer;
mod scene;
mod service;
mod turn;

pub use answer::{Answer, Call, Decision, Outcome, Pending};
pub use scene::{Change, Named, Scene};
pub use service::{PATIENCE, Ports, Service, build};
pub use turn::Turn;

/// Answers people.
#[async_trait::async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Answers a turn with what it says by [`Turn::say`]. It never fails: what went wrong is said, too. All that it does
    /// goes through [`Turn::call`], which keeps a turn that is repeated from doing anything twice.
    async fn answer(&self, turn: &mut Turn) -> Answer;
}
