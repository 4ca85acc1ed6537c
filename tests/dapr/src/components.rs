//! What daprds are told by files: components, resiliency, name resolution.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

/// The name of the secret store: that of production, where it is Kubernetes' own; here it is a file.
pub const STORE_OF_SECRETS: &str = "kubernetes-secrets";

/// The name under which the secret store holds a group of secrets.
pub const GROUP_OF_SECRETS: &str = "app-secrets";

/// A cron binding.
#[derive(Debug, Clone)]
pub struct Cron {
    /// Its name.
    pub name: String,
    /// Its schedule, such as `@every 2s`.
    pub schedule: String,
}

/// The resources that daprds share: `pubsub` and `statestore` on one Redis, the secret store [`STORE_OF_SECRETS`], cron
/// bindings, and how apps find each other.
#[derive(Debug, Clone)]
pub struct Components {
    /// Where Redis listens.
    pub redis: u16,
    /// The secrets that are entries of the store.
    pub secrets: BTreeMap<String, String>,
    /// The secrets of the group [`GROUP_OF_SECRETS`], as Kubernetes keeps them.
    pub grouped: BTreeMap<String, String>,
    /// The cron bindings.
    pub bindings: Vec<Cron>,
    /// How often a failed delivery is tried again, 100 ms apart.
    pub max_retries: u32,
    /// After how many seconds a delivery without an answer is made again.
    pub processing_seconds: u32,
}

impl Components {
    /// On this Redis: no secrets, no bindings, 3 retries, 60 seconds.
    #[must_use]
    pub fn new(redis: u16) -> Self {
        Self {
            redis,
            secrets: BTreeMap::new(),
            grouped: BTreeMap::new(),
            bindings: Vec::new(),
            max_retries: 3,
            processing_seconds: 60,
        }
    }

    /// Writes the files, which live as long as the answer and its clones.
    ///
    /// # Panics
    /// When they cannot be written.
    #[must_use]
    pub fn write(&self) -> Resources {
        let directory = tempfile::Builder::new().prefix("todo-daprd-").tempdir().expect("a scratch directory");
        let resources = Resources(Arc::new(directory));
        std::fs::create_dir(resources.components()).expect("a directory for components");
        let write = |path: PathBuf, text: String| std::fs::write(path, text).expect("a file in the scratch directory");
        let secrets = resources.path("secrets.json");
        let group = format!("\"{GROUP_OF_SECRETS}\": {}", json(&self.grouped, None));
        write(secrets.clone(), json(&self.secrets, Some(group)));
        write(resources.configuration(), configuration(&resources.path("names.db")));
        let redis = ("redisHost", format!("127.0.0.1:{}", self.redis));
        // Failures should show at once.
        let redis = [redis, ("redisMaxRetries", "1".into()), ("dialTimeout", "2s".into())];
        let pubsub = [
            // Bare milliseconds: it is not read like other durations.
            ("redeliverInterval", "1000".into()),
            ("processingTimeout", format!("{}s", self.processing_seconds)),
        ];
        let file = |name: &str| resources.components().join(format!("{name}.yaml"));
        write(file("pubsub"), component("pubsub", "pubsub.redis", &[&redis[..], &pubsub[..]].concat()));
        write(file("statestore"), component("statestore", "state.redis", &redis));
        // Without `multiValued`, groups are taken apart.
        let secrets = [("secretsFile", secrets.display().to_string()), ("multiValued", "true".into())];
        write(file("secrets"), component(STORE_OF_SECRETS, "secretstores.local.file", &secrets));
        for Cron { name, schedule } in &self.bindings {
            let settings = [("schedule", schedule.clone()), ("direction", "input".into())];
            write(file(name), component(name, "bindings.cron", &settings));
        }
        write(file("resiliency"), resiliency(self.max_retries));
        resources
    }
}

/// Written [`Components`]. Apps of the same resources find each other.
#[derive(Debug, Clone)]
pub struct Resources(Arc<TempDir>);

impl Resources {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn components(&self) -> PathBuf {
        self.path("components")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.path("configuration.yaml")
    }
}

fn component(name: &str, type_: &str, settings: &[(&str, String)]) -> String {
    let mut text = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec:\n  type: {type_}\n  version: v1\n  metadata:\n"
    );
    for (name, value) in settings {
        let _ = writeln!(text, "  - {{name: {name}, value: \"{value}\"}}");
    }
    text
}

/// Without a retry of ours, a failed delivery would be a dead letter at once.
fn resiliency(max_retries: u32) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {{name: tests}}\nspec:\n  policies:\n    retries:\n      \
         pubsubInbound: {{policy: constant, duration: 100ms, maxRetries: {max_retries}}}\n  targets:\n    components:\n      \
         pubsub:\n        inbound: {{retry: pubsubInbound}}\n"
    )
}

/// Apps are found by a file instead of mDNS, which not every machine has.
fn configuration(names: &Path) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: tests}}\nspec:\n  nameResolution:\n    \
         component: sqlite\n    version: v1\n    configuration: {{connectionString: \"{}\"}}\n",
        names.display()
    )
}

/// An object of these strings, and one more member as it is.
fn json(strings: &BTreeMap<String, String>, more: Option<String>) -> String {
    let quote = |text: &str| {
        assert!(!text.contains(char::is_control), "a secret of tests is one line");
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let members = strings.iter().map(|(name, value)| format!("{}: {}", quote(name), quote(value)));
    format!("{{{}}}", members.chain(more).collect::<Vec<_>>().join(", "))
}
