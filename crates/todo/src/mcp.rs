//! Tools for agents: `todo mcp`, and `/mcp` beside the gateway.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request};
use todo_assistant::{Credentials, Session, mcp};
use todo_gateway::{Backend, Mcp};
use todo_sidecar::ApiChannel;
use tonic::transport::Endpoint;
use tower::ServiceExt;

use crate::cli;

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Offers the tools over standard input and output, until the client ends it.
///
/// # Errors
/// A sentence for whoever configures the client: who they are is not said or not believed, or the server is away.
pub async fn stdio(options: cli::Mcp) -> Result<(), String> {
    let url = options.url.clone();
    let session = credentials(options)?;
    let channel = ApiChannel::from_channel(Endpoint::from(url.clone()).connect_timeout(PATIENCE).connect_lazy());
    let session = Session::new(channel.clone(), session);
    mcp::stdio(channel, session).await.map_err(|error| format!("{error} (--url, TODO_URL: {url})"))
}

fn credentials(options: cli::Mcp) -> Result<Credentials, String> {
    if let Some(token) = options.token {
        return Ok(Credentials::Token(token));
    }
    if let Some(path) = options.token_file {
        let shown = path.display();
        let token = std::fs::read_to_string(&path);
        let token = token.map_err(|error| format!("--token-file (TODO_TOKEN_FILE) {shown} cannot be read: {error}"))?;
        return Ok(Credentials::Token(token.trim().to_owned()));
    }
    match (options.email, options.password) {
        (Some(email), Some(password)) => Ok(Credentials::Password { email, password }),
        _ => Err(
            "whose tasks? Set TODO_TOKEN or TODO_TOKEN_FILE to a personal access token (POST /api/auth/tokens makes \
                  one), or TODO_EMAIL and TODO_PASSWORD"
                .to_owned(),
        ),
    }
}

/// What the gateway serves at `/mcp`, over its own channel to the backend.
pub(crate) fn service(gateway: &todo_gateway::Options) -> Arc<dyn Fn(Backend) -> Mcp + Send + Sync> {
    let body_limit = gateway.body_limit;
    Arc::new(move |backend| {
        let http = mcp::http(ApiChannel::new(backend), body_limit);
        Mcp::new(ServiceExt::<Request>::map_response(http, |response| response.map(Body::new)))
    })
}
