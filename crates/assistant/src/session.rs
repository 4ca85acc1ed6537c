//! Whose tasks they are where no request says so.

use std::{fmt, time::Duration};

use todo_proto::v1::{SignInRequest, auth_service_client::AuthServiceClient};
use todo_sidecar::ApiChannel;
use tokio::{sync::Mutex, time::Instant};
use tonic::{
    Status,
    metadata::{Ascii, MetadataValue},
};

/// How long before a token ends another is asked for.
const EARLY: Duration = Duration::from_mins(1);

/// What proves who somebody is.
#[derive(Clone)]
pub enum Credentials {
    /// A token, best a personal one.
    Token(String),
    /// An account.
    Password {
        /// Its e-mail address.
        email: String,
        /// Its password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Password { .. } => "Password",
        })
    }
}

/// Somebody's access to the server, kept up for as long as it is used.
#[derive(Debug)]
pub struct Session {
    channel: ApiChannel,
    credentials: Credentials,
    /// The access token of a sign-in, and when it is to be replaced.
    kept: Mutex<Option<(MetadataValue<Ascii>, Instant)>>,
}

impl Session {
    /// Over any channel.
    #[must_use]
    pub fn new(channel: ApiChannel, credentials: Credentials) -> Self {
        Self { channel, credentials, kept: Mutex::default() }
    }

    /// The value of `authorization`.
    ///
    /// # Errors
    /// The backend's, where it has to be asked.
    pub async fn authorization(&self) -> Result<MetadataValue<Ascii>, Status> {
        let (email, password) = match &self.credentials {
            Credentials::Token(token) => return bearer(token),
            Credentials::Password { email, password } => (email.clone(), password.clone()),
        };
        let mut kept = self.kept.lock().await;
        if let Some((value, until)) = &*kept
            && Instant::now() < *until
        {
            return Ok(value.clone());
        }
        let answer = AuthServiceClient::new(self.channel.clone()).sign_in(SignInRequest { email, password }).await?;
        let session = answer.into_inner();
        let value = bearer(&session.access_token)?;
        let life = Duration::from_secs(session.expires_in.try_into().unwrap_or_default());
        *kept = Some((value.clone(), Instant::now() + life.saturating_sub(EARLY)));
        Ok(value)
    }
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, Status> {
    let mut value = MetadataValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Status::unauthenticated("it holds characters that no token has"))?;
    value.set_sensitive(true);
    Ok(value)
}
