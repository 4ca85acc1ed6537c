//! Logs: one line a fact, with fields, on standard error.

use std::str::FromStr;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("takes text or json".to_owned()),
        }
    }
}

/// Starts logging for the whole process; a second call changes nothing.
///
/// # Errors
/// A sentence when `level` is neither a level nor a filter as `tracing-subscriber` reads it.
pub fn init(level: &str, format: Format) -> Result<(), String> {
    let filter = EnvFilter::try_new(format!("rmcp=error,{level}")).map_err(|_| {
        format!("takes error, warn, info, debug, trace, or a filter like info,todo_backend=debug; got {level:?}")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match format {
        Format::Text => registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init(),
        Format::Json => registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init(),
    };
    Ok(())
}
