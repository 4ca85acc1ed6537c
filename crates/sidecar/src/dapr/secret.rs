//! Secrets.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::GetSecretRequest;
use tonic::{Code, Status};

use super::DaprSidecar;
use super::client::error;
use crate::{Error, Secret};

impl DaprSidecar {
    pub(super) async fn find_secret(&self, name: &str) -> Result<Secret, Error> {
        let entry = self.secret_group.as_deref().unwrap_or(name);
        let message =
            GetSecretRequest { store_name: self.secret_store.clone(), key: entry.to_owned(), metadata: HashMap::new() };
        let call =
            self.client.call(self.timeouts.secret, message, async |mut dapr, request| dapr.get_secret(request).await);
        let mut found =
            call.await.map_err(|status| if says_missing(&status, entry) { Error::NotFound } else { error(&status) })?;
        match found.data.remove(name) {
            // The store of environment variables answers with an empty value where there is none.
            Some(value) if !value.is_empty() => Ok(Secret::new(value)),
            _ => Err(Error::NotFound),
        }
    }
}

/// Whether the store itself says that it has no such secret. daprd answers `INTERNAL` whatever went wrong and leaves the
/// rest to the message, which is the store's (components-contrib 1.18): `secret NAME not found` from a local file,
/// `secrets "NAME" not found` from Kubernetes. What another store says counts as [`Error::Unavailable`].
fn says_missing(status: &Status, entry: &str) -> bool {
    let said = |end: String| status.message().ends_with(&end);
    status.code() == Code::Internal
        && (said(format!(": secret {entry} not found")) || said(format!(": secrets \"{entry}\" not found")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_store_itself_can_say_that_a_secret_is_missing() {
        let with = |why: &str| {
            let message =
                format!("failed getting secret with key app-secrets from secret store kubernetes-secrets: {why}");
            says_missing(&Status::internal(message), "app-secrets")
        };
        assert!(with("secret app-secrets not found"));
        assert!(with("secrets \"app-secrets\" not found"));
        for why in [
            "secrets \"app-secrets\" is forbidden: User \"todo\" cannot get resource \"secrets\"",
            "Get \"https://10.96.0.1:443/api\": dial tcp 10.96.0.1:443: connect: connection refused",
            "namespaces \"todo-app\" not found",
            "secrets \"other\" not found",
            "context deadline exceeded",
        ] {
            assert!(!with(why), "{why}");
        }
        assert!(!says_missing(&Status::unknown("x: secret app-secrets not found"), "app-secrets"));
    }
}
