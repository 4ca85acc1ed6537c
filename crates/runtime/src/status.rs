//! The one mapping from our errors to gRPC statuses, with `google.rpc` details (AIP-193).

use std::collections::HashMap;

use todo_domain::{Error, error::Reason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// `google.rpc.ErrorInfo.domain` of every error of ours.
pub const DOMAIN: &str = "todo.v1";

/// Says an error as a status: canonical code, `ErrorInfo` with the reason, `BadRequest` with every violation,
/// `RetryInfo` where waiting helps. What went wrong inside is logged here, once, and never sent.
#[must_use]
pub fn from_error(error: Error) -> Status {
    let code = code(error.reason);
    let mut details = ErrorDetails::with_error_info(error.reason.as_str(), DOMAIN, HashMap::new());
    if !error.violations.is_empty() {
        let violations: Vec<_> = error
            .violations
            .iter()
            .map(|violation| FieldViolation::new(&violation.field, &violation.message))
            .collect();
        details.set_bad_request(violations);
    }
    if let Some(after) = error.retry_after {
        details.set_retry_info(Some(after));
    }
    let message = match &error.source {
        Some(source) if code == Code::Internal => {
            tracing::error!(error = %Chain(source.as_ref()), "request failed");
            "something went wrong on our side".to_owned()
        }
        Some(source) => {
            tracing::warn!(error = %Chain(source.as_ref()), reason = error.reason.as_str(), "request failed");
            error.message
        }
        None => error.message,
    };
    Status::with_error_details(code, message, details)
}

/// The reason a status carries, if it is one of ours.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().filter(|info| info.domain == DOMAIN).map(|info| info.reason)
}

fn code(reason: Reason) -> Code {
    match reason {
        Reason::ValidationError | Reason::InvalidIdFormat => Code::InvalidArgument,
        Reason::TaskNotFound
        | Reason::NotificationNotFound
        | Reason::ChangeNotFound
        | Reason::ConversationNotFound
        | Reason::DecisionNotFound
        | Reason::TokenNotFound => Code::NotFound,
        Reason::TaskDeleted | Reason::IdConflict | Reason::EmailExists => Code::AlreadyExists,
        Reason::RevisionConflict | Reason::IdempotencyConflict | Reason::ConversationBusy => Code::Aborted,
        Reason::MissingToken
        | Reason::InvalidToken
        | Reason::TokenExpired
        | Reason::UserNotFound
        | Reason::InvalidCredentials => Code::Unauthenticated,
        Reason::PermissionDenied => Code::PermissionDenied,
        Reason::RateLimited => Code::ResourceExhausted,
        Reason::ResyncRequired => Code::OutOfRange,
        Reason::Unimplemented => Code::Unimplemented,
        Reason::ServiceUnavailable => Code::Unavailable,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::Internal => Code::Internal,
    }
}

/// An error with its causes on one line.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
