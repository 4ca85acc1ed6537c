//! The assistant: the tools by which agents reach tasks, the MCP server that offers them, and the chat that uses them.
//!
//! # Map
//!
//! | module | what it holds |
//! |---|---|
//! | `table` | the one table of tools; the MCP server, function definitions and docs/mcp.md come from it |
//! | `schema` | JSON Schemas of arguments and results, from the descriptors of the contract |
//! | `call` | one call of a tool: arguments to a request, the rpc, its answer or error to a result |
//! | `session` | whose tasks they are where no request says so: a token, or a sign-in |
//! | `mcp` | the server, over HTTP and over standard input and output |
//! | `chat` | the turns of conversations, and what answers them: |
//! | `policy` | what waits for a yes: asking for it, and what comes of it |
//! | `receipt`, `words` | what was done, in words |
//! | `builtin` | a grammar, which needs no model |
//! | `model` | a language model |

mod builtin;
pub mod call;
pub mod chat;
pub mod mcp;
pub mod model;
pub mod policy;
pub mod receipt;
mod schema;
pub mod session;
pub mod table;
mod words;

pub use builtin::Builtin;
pub use call::{Caller, Code, Done, Failure, Tools};
pub use session::{Credentials, Session};
pub use table::{TABLE, Tool};
pub use words::When;
