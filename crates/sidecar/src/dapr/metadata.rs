//! What daprd says of itself.

use dapr::dapr::proto::runtime::v1::{GetMetadataRequest, GetMetadataResponse};

use super::{DaprSidecar, client::error};
use crate::Error;

/// A daprd as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The app id (`--app-id`).
    pub id: String,
    /// Its version.
    pub version: String,
    /// The components that it has loaded for this app.
    pub components: Vec<Component>,
    /// Where it looks for the app (`--app-port`); nowhere, if it was not told.
    pub app_port: Option<u16>,
    /// Whether it asks for the app's health (`--enable-app-health-check`).
    pub app_health: bool,
}

/// A component of a daprd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// What it is, such as `pubsub.redis`.
    pub kind: String,
}

impl DaprSidecar {
    /// Asks daprd how it is set up.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Timeout`] when it does not answer.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        let asked = self.client.call(self.timeouts.state, GetMetadataRequest {}, async |mut dapr, request| {
            dapr.get_metadata(request).await
        });
        asked.await.map(Metadata::from).map_err(|status| error(&status))
    }
}

impl From<GetMetadataResponse> for Metadata {
    fn from(said: GetMetadataResponse) -> Self {
        let app = said.app_connection_properties;
        let component =
            |it: dapr::dapr::proto::runtime::v1::RegisteredComponents| Component { name: it.name, kind: it.r#type };
        Self {
            id: said.id,
            version: said.runtime_version,
            components: said.registered_components.into_iter().map(component).collect(),
            app_port: app.as_ref().and_then(|app| u16::try_from(app.port).ok()).filter(|port| *port > 0),
            app_health: app.is_some_and(|app| app.health.is_some()),
        }
    }
}
