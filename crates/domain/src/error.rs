//! What can go wrong, said once: a [`Reason`] that software compares, a message that people read, and for bad input
//! every [`Violation`] of the request at once (AIP-193). The runtime crate maps this to gRPC, the gateway to REST.

use std::{fmt, time::Duration};

pub use crate::names::UnknownName;
use crate::names::named;

/// What one field of a request got wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The JSON path of the field, dotted and bracketed: `reminders[2].trigger_at`.
    pub field: String,
    /// What the field takes, and what it got: `must be 1 to 200 characters, got 201`.
    pub message: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}

/// Why a request failed: the `reason` of `google.rpc.ErrorInfo` and the `code` of a REST error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The request breaks a rule; the violations say which.
    ValidationError,
    /// An id is not a UUID.
    InvalidIdFormat,
    /// No such task, or another owner's.
    TaskNotFound,
    /// No such notification, or another owner's.
    NotificationNotFound,
    /// No such change, another owner's, or older than what is kept.
    ChangeNotFound,
    /// No such conversation, or another owner's.
    ConversationNotFound,
    /// No such decision, or another owner's.
    DecisionNotFound,
    /// No such personal access token, or another owner's.
    TokenNotFound,
    /// A create names the id of a task that its owner deleted.
    TaskDeleted,
    /// A create names an id that is taken.
    IdConflict,
    /// The task changed since the revision that the request is based on.
    RevisionConflict,
    /// The idempotency key was used with another request.
    IdempotencyConflict,
    /// Another turn of the conversation is under way.
    ConversationBusy,
    /// The e-mail address has an account.
    EmailExists,
    /// No token was sent.
    MissingToken,
    /// The token is none of ours, was altered or revoked.
    InvalidToken,
    /// The token was good once.
    TokenExpired,
    /// The token's account is gone.
    UserNotFound,
    /// Unknown e-mail address or wrong password; which of them is not said.
    InvalidCredentials,
    /// The token lacks the scope, or the caller may not do this.
    PermissionDenied,
    /// Too many requests; `retry_after` says when to come back.
    RateLimited,
    /// The revision to continue from is no longer known: start over.
    ResyncRequired,
    /// Named in the contract, not built yet.
    Unimplemented,
    /// Something we need is away; try again.
    ServiceUnavailable,
    /// It took longer than the caller allows.
    DeadlineExceeded,
    /// Our fault. The cause is logged, never shown.
    Internal,
}

named!(Reason {
    ValidationError = "VALIDATION_ERROR",
    InvalidIdFormat = "INVALID_ID_FORMAT",
    TaskNotFound = "TASK_NOT_FOUND",
    NotificationNotFound = "NOTIFICATION_NOT_FOUND",
    ChangeNotFound = "CHANGE_NOT_FOUND",
    ConversationNotFound = "CONVERSATION_NOT_FOUND",
    DecisionNotFound = "DECISION_NOT_FOUND",
    TokenNotFound = "TOKEN_NOT_FOUND",
    TaskDeleted = "TASK_DELETED",
    IdConflict = "ID_CONFLICT",
    RevisionConflict = "REVISION_CONFLICT",
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT",
    ConversationBusy = "CONVERSATION_BUSY",
    EmailExists = "EMAIL_EXISTS",
    MissingToken = "MISSING_TOKEN",
    InvalidToken = "INVALID_TOKEN",
    TokenExpired = "TOKEN_EXPIRED",
    UserNotFound = "USER_NOT_FOUND",
    InvalidCredentials = "INVALID_CREDENTIALS",
    PermissionDenied = "PERMISSION_DENIED",
    RateLimited = "RATE_LIMITED",
    ResyncRequired = "RESYNC_REQUIRED",
    Unimplemented = "UNIMPLEMENTED",
    ServiceUnavailable = "SERVICE_UNAVAILABLE",
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    Internal = "INTERNAL",
});

/// A boxed cause.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A request that failed. `Display` is fit for the person who asked; `source` is for the log only.
#[derive(Debug)]
pub struct Error {
    /// Why, for software.
    pub reason: Reason,
    /// Why, for people. Holds no secrets, SQL, paths or ids of others.
    pub message: String,
    /// What the request got wrong, for [`Reason::ValidationError`].
    pub violations: Vec<Violation>,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// What caused it, for the log.
    pub source: Option<Source>,
}

impl Error {
    /// An error that needs no more than its reason and message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), violations: Vec::new(), retry_after: None, source: None }
    }

    /// A request that breaks rules: all of them.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self { violations, ..Self::new(Reason::ValidationError, message) }
    }

    /// Our fault.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Reason::Internal, "something went wrong on our side") }
    }

    /// Something we need is away; trying again makes sense.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Reason::ServiceUnavailable, "the service is not available right now, please try again")
        }
    }

    /// Too many requests; come back in `retry_after`.
    #[must_use]
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        Self {
            retry_after: Some(retry_after),
            ..Self::new(Reason::RateLimited, format!("too many requests, try again in {seconds} s"))
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::invalid(vec![violation])
    }
}

/// Collects what a request gets wrong, so that all of it is reported at once.
#[derive(Debug, Default)]
pub struct Violations {
    prefix: String,
    found: Vec<Violation>,
}

impl Violations {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a violation of `field`; an empty `field` is the surrounding one itself.
    pub fn push(&mut self, field: &str, message: impl Into<String>) {
        let path = match (self.prefix.as_str(), field) {
            ("", field) => field.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, field) => format!("{prefix}.{field}"),
        };
        self.found.push(Violation { field: path, message: message.into() });
    }

    /// Adds a violation of `field` unless `holds`; gives `holds` back.
    pub fn check<M: Into<String>>(&mut self, holds: bool, field: &str, message: impl FnOnce() -> M) -> bool {
        if !holds {
            self.push(field, message());
        }
        holds
    }

    /// Takes the value, or notes the violation.
    pub fn take<T>(&mut self, result: Result<T, Violation>) -> Option<T> {
        result.map_err(|violation| self.push(&violation.field, violation.message)).ok()
    }

    /// Runs `with` with every field below `path` (`reminders[2]`).
    pub fn nested<T>(&mut self, path: &str, with: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.prefix.clone();
        self.prefix = if outer.is_empty() { path.to_owned() } else { format!("{outer}.{path}") };
        let result = with(self);
        self.prefix = outer;
        result
    }

    /// What was found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.found
    }

    /// How many violations were found so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// [`Reason::ValidationError`] with all violations.
    pub fn into_result<T>(self, value: T) -> Result<T, Error> {
        if self.found.is_empty() { Ok(value) } else { Err(Error::invalid(self.found)) }
    }
}

impl From<Vec<Violation>> for Violations {
    fn from(found: Vec<Violation>) -> Self {
        Self { prefix: String::new(), found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_are_reported_with_their_paths() {
        let mut violations = Violations::new();
        violations.check(false, "title", || "must be 1 to 200 characters, got 0");
        violations.nested("reminders[2]", |violations| {
            violations.push("trigger_at", "must be in the future");
            violations.push("", "must be one thing");
            violations.nested("deep", |violations| violations.push("er", "must not be"));
        });
        let error = violations.into_result(()).unwrap_err();
        assert_eq!(error.reason, Reason::ValidationError);
        let fields: Vec<_> = error.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["title", "reminders[2].trigger_at", "reminders[2]", "reminders[2].deep.er"]);
        assert!(error.to_string().starts_with("title must be 1 to 200 characters, got 0; "));
    }

    #[test]
    fn a_cause_is_kept_for_the_log_and_not_shown() {
        let error = Error::internal("SELECT secret");
        assert!(!error.to_string().contains("SELECT"));
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "SELECT secret");
    }

    #[test]
    fn every_reason_has_a_name_that_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        assert_eq!("x".parse::<crate::task::Priority>().unwrap_err().to_string(), "must be one of high, medium, low");
    }
}
