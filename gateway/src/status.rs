//! Every error of the REST surface as an HTTP answer, in one place: `{"error":{"code","message","details"}}`.

use std::borrow::Cow;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use todo_proto::json::Violation;
use todo_runtime::status::DOMAIN;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A request that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    details: Vec<Detail>,
    retry_after: Option<u64>,
    header: Option<Box<(header::HeaderName, HeaderValue)>>,
}

#[derive(Clone, Debug, Serialize)]
struct Detail {
    field: String,
    message: String,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'a str,
    message: &'a str,
    details: &'a [Detail],
}

impl Failure {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            header: None,
        }
    }

    /// A request that breaks rules: all of them.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        let details: Vec<_> =
            violations.into_iter().map(|Violation { field, message }| Detail { field, message }).collect();
        let mut failure = Self { details, ..Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "") };
        failure.say_details();
        failure
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path")
    }

    pub(crate) fn not_allowed(allow: &str) -> Self {
        Self {
            header: HeaderValue::from_str(allow).ok().map(|allow| Box::new((header::ALLOW, allow))),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", format!("this path takes {allow}"))
        }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self {
            // Its rest is not read: a client must not send the next request after it.
            header: Some(Box::new((header::CONNECTION, HeaderValue::from_static("close")))),
            ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
        }
    }

    pub(crate) fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be JSON (content-type: application/json)",
        )
    }

    pub(crate) fn timeout() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", TIMEOUT)
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", OURS)
    }

    /// The backend's answer. `token_sent` tells a missing token from a bad one.
    pub(crate) fn from_status(status: &Status, token_sent: bool) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().filter(|info| info.domain == DOMAIN).map(|info| info.reason.clone());
        // What was not said by our own code may say too much.
        let said = reason.is_some();
        let (http, code, message) = mapped(status.code(), token_sent);
        let code = reason.map_or(Cow::Borrowed(code), Cow::Owned);
        let message = match message {
            Some(message) if !said || http == StatusCode::INTERNAL_SERVER_ERROR => Cow::Borrowed(message),
            _ => Cow::Owned(status.message().to_owned()),
        };
        if !said && http.is_server_error() {
            tracing::warn!(code = ?status.code(), error = status.message(), "the backend failed");
        }
        let mut failure = Self::new(http, code, message);
        if let Some(bad) = details.bad_request() {
            let violations = bad.field_violations.iter();
            failure.details = violations
                .map(|violation| Detail { field: violation.field.clone(), message: violation.description.clone() })
                .collect();
        }
        failure.retry_after = details
            .retry_info()
            .and_then(|info| info.retry_delay)
            .map(|delay| delay.as_secs() + u64::from(delay.subsec_nanos() > 0))
            .or_else(|| status.metadata().get("retry-after")?.to_str().ok()?.parse().ok())
            .or((http == StatusCode::TOO_MANY_REQUESTS).then_some(1));
        if http == StatusCode::UNAUTHORIZED {
            let bad = token_sent && failure.code != "INVALID_CREDENTIALS";
            let challenge = if bad { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            failure.header = Some(Box::new((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))));
        }
        failure
    }

    /// A challenge that says nothing more than how to answer it, as the contract has it for MCP.
    pub(crate) fn with_plain_challenge(mut self) -> Self {
        if let Some((name, value)) = self.header.as_deref_mut()
            && *name == header::WWW_AUTHENTICATE
        {
            *value = HeaderValue::from_static("Bearer");
        }
        self
    }

    /// Names fields as the client knows them: relative to the body, or by header.
    pub(crate) fn relative_to(mut self, body: Option<&str>) -> Self {
        let renamed = |field: &str| match field {
            "expected_revision" => Some("If-Match".to_owned()),
            field => Some(field.strip_prefix(body?)?.strip_prefix('.')?.to_owned()),
        };
        for detail in &mut self.details {
            if let Some(field) = renamed(&detail.field) {
                detail.field = field;
            } else if Some(detail.field.as_str()) == body {
                "body".clone_into(&mut detail.field);
            }
        }
        if self.code == "VALIDATION_ERROR" {
            self.say_details();
        }
        self
    }

    /// Adds what the backend found wrong beside it; of a field that cannot be read it knows nothing. Who asks comes
    /// before what they ask.
    pub(crate) fn and(mut self, judged: Option<Self>) -> Self {
        match judged {
            Some(judged) if judged.status == StatusCode::UNAUTHORIZED => judged,
            Some(judged) if judged.status == StatusCode::BAD_REQUEST => {
                let own = self.details.len();
                for detail in judged.details {
                    if !self.details[..own].iter().any(|known| known.covers(&detail)) {
                        self.details.push(detail);
                    }
                }
                self.say_details();
                self
            }
            _ => self,
        }
    }

    fn say_details(&mut self) {
        if !self.details.is_empty() {
            self.message = self.details.iter().map(Detail::sentence).collect::<Vec<_>>().join("; ").into();
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn json(&self) -> Vec<u8> {
        let error = Inner { code: &self.code, message: &self.message, details: &self.details };
        serde_json::to_vec(&Wrapped { error }).expect("strings serialise")
    }
}

impl Detail {
    /// Whether it is about the same field, a part of it or a whole that holds it.
    fn covers(&self, other: &Self) -> bool {
        let holds = |whole: &str, part: &str| {
            part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.field == "body" || holds(&self.field, &other.field) || holds(&other.field, &self.field)
    }

    fn sentence(&self) -> String {
        if self.field.is_empty() { self.message.clone() } else { format!("{} {}", self.field, self.message) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = self.header.map(|header| *header) {
            headers.insert(name, value);
        }
        response
    }
}

const OURS: &str = "something went wrong on our side";
const AWAY: &str = "the service is not available right now, please try again";
const TIMEOUT: &str = "it took too long, please try again";

/// HTTP status, code where no reason says more, and the message where the status's own must not be shown.
fn mapped(code: Code, token_sent: bool) -> (StatusCode, &'static str, Option<&'static str>) {
    match code {
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "VALIDATION_ERROR", None),
        Code::OutOfRange => (StatusCode::BAD_REQUEST, "OUT_OF_RANGE", None),
        Code::FailedPrecondition => (StatusCode::BAD_REQUEST, "FAILED_PRECONDITION", None),
        Code::Unauthenticated if token_sent => (StatusCode::UNAUTHORIZED, "INVALID_TOKEN", None),
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "MISSING_TOKEN", None),
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED", None),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", None),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS", None),
        Code::Aborted => (StatusCode::CONFLICT, "ABORTED", None),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", None),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED", Some("this is not served here")),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", Some(AWAY)),
        // Nobody but a deadline below us cancels a call: if our own client went away, no one reads this.
        Code::DeadlineExceeded | Code::Cancelled => (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", Some(TIMEOUT)),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", Some(OURS))
        }
    }
}
