//! Whether a role can serve: named checks, kept up to date by whoever knows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, Version, header};
use metrics::gauge;
use serde_json::json;

/// The check that fails when the process is about to stop.
const SHUTDOWN: &str = "shutdown";

/// How one thing that a role needs is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// As it should be.
    Ok,
    /// Away, but the role serves without it.
    Degraded(String),
    /// Away, and the role cannot serve without it.
    Failing(String),
}

/// The checks of a process, by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Check>>>);

impl Health {
    /// Notes how `name` is doing; a change is logged once.
    pub fn set(&self, name: &'static str, check: Check) {
        let mut checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.get(name) == Some(&check) {
            return;
        }
        check.measure(name);
        match &check {
            Check::Ok if checks.contains_key(name) => tracing::info!(check = name, "recovered"),
            Check::Ok => {}
            Check::Degraded(why) => tracing::warn!(check = name, why, "degraded"),
            Check::Failing(why) => tracing::error!(check = name, why, "cannot serve"),
        }
        checks.insert(name, check);
    }

    /// From now on it cannot serve, because it is about to stop.
    pub fn stop(&self) {
        let mut checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let check = Check::Failing("draining".to_owned());
        check.measure(SHUTDOWN);
        checks.insert(SHUTDOWN, check);
    }

    fn is_stopping(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(SHUTDOWN)
    }

    /// Has those who come by HTTP/1.1 connect anew, wherever they then get to, as soon as it is about to stop. (Those who
    /// come by HTTP/2 are told when nothing new is accepted, which breaks none of their requests.)
    pub fn closing(&self, service: Router) -> Router {
        async fn close(State(health): State<Health>, request: Request, next: Next) -> Response {
            let lasts = request.version() < Version::HTTP_2;
            let mut response = next.run(request).await;
            if lasts && health.is_stopping() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
        service.layer(middleware::from_fn_with_state(self.clone(), close))
    }

    /// All of them, as they are now.
    #[must_use]
    pub fn checks(&self) -> BTreeMap<&'static str, Check> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nothing is [`Check::Failing`].
    #[must_use]
    pub fn is_serving(&self) -> bool {
        !self.checks().values().any(|check| matches!(check, Check::Failing(_)))
    }

    /// The answer to `/health`: the process lives.
    #[must_use]
    pub fn alive() -> Response {
        respond(StatusCode::OK, json!({ "status": "ok" }))
    }

    /// The answer to `/ready`: 503 only when the role cannot serve; every check with `ok` or what is wrong.
    #[must_use]
    pub fn ready(&self) -> Response {
        let checks = self.checks();
        let degraded = checks.values().any(|check| matches!(check, Check::Degraded(_)));
        let (code, status) = match (self.is_serving(), degraded) {
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            (true, true) => (StatusCode::OK, "degraded"),
            (true, false) => (StatusCode::OK, "ok"),
        };
        let checks: BTreeMap<_, _> = checks.into_iter().map(|(name, check)| (name, check.into_text())).collect();
        respond(code, json!({ "status": status, "checks": checks }))
    }

    /// `/health`, `/api/health` and `/ready`, for a role that serves nothing else over HTTP.
    pub fn router(&self) -> Router {
        let health = self.clone();
        let alive = || async { Self::alive() };
        Router::new()
            .route("/health", get(alive))
            .route("/api/health", get(alive))
            .route("/ready", get(async move || health.ready()))
    }
}

impl Check {
    fn measure(&self, name: &'static str) {
        gauge!("todo_check", "name" => name).set(match self {
            Self::Ok => 1.0,
            Self::Degraded(_) => 0.5,
            Self::Failing(_) => 0.0,
        });
    }

    fn into_text(self) -> String {
        match self {
            Self::Ok => "ok".to_owned(),
            Self::Degraded(why) | Self::Failing(why) => why,
        }
    }
}

fn respond(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn who_is_about_to_stop_says_so_and_keeps_no_connection() {
        let health = Health::default();
        let service = health.closing(health.router());
        let ask = async |version| {
            let mut request = Request::new(axum::body::Body::empty());
            *request.uri_mut() = "/ready".parse().unwrap();
            *request.version_mut() = version;
            let response = service.clone().oneshot(request).await.unwrap();
            (response.status(), response.headers().get(header::CONNECTION).cloned())
        };
        assert_eq!(ask(Version::HTTP_11).await, (StatusCode::OK, None));
        health.stop();
        let close = HeaderValue::from_static("close");
        assert_eq!(ask(Version::HTTP_11).await, (StatusCode::SERVICE_UNAVAILABLE, Some(close)));
        assert_eq!(ask(Version::HTTP_2).await, (StatusCode::SERVICE_UNAVAILABLE, None));
    }

    #[test]
    fn what_is_said_is_measured_the_stop_included() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let health = Health::default();
            health.set("sidecar", Check::Degraded("away".to_owned()));
            health.stop();
        });
        for line in [r#"todo_check{name="sidecar"} 0.5"#, r#"todo_check{name="shutdown"} 0"#] {
            assert!(handle.render().lines().any(|found| found == line), "{line}: {}", handle.render());
        }
    }
}
