//! The one error type of the port.

/// Why a sidecar did not do what it was asked.
///
/// Messages name keys, topics and limits but never hold payloads, secrets, file paths or SQL, so they may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The [`Match`](crate::Match) of a [`put`](crate::Sidecar::put) did not hold: someone else wrote first.
    #[error("conflict: the stored value is not the one that was expected")]
    Conflict,
    /// There is no such secret. A missing state key is not an error: it is `None`.
    #[error("not found")]
    NotFound,
    /// The sidecar, its broker or its store cannot be reached now. Whether the call took effect is unknown; trying
    /// again is safe because every consumer is idempotent.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No answer in time. Whether the call took effect is unknown.
    #[error("no answer in time")]
    Timeout,
    /// The call itself is wrong (an empty key, an event that is not valid `CloudEvents`): trying again cannot help.
    #[error("refused: {0}")]
    Refused(String),
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout)
    }
}
