//! The command line: flags, environment and `--help` from one struct. Precedence: default < config file < environment
//! < command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use todo_runtime::telemetry::Format;
use uuid::Uuid;

use crate::database::Database;

/// A self-hosted, event-driven todo system: tasks, time and events over REST, gRPC and gRPC-web.
#[derive(Debug, Parser)]
#[command(name = "todo", version, args_conflicts_with_subcommands = false, subcommand_required = false)]
pub struct Cli {
    /// What to do; `all` unless said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What can be chosen.
    #[command(flatten)]
    pub settings: Settings,
    /// Which language model answers in the chat.
    #[command(flatten)]
    pub llm: Llm,
    /// How daprd is reached.
    #[command(flatten)]
    pub dapr: Dapr,
}

/// What the executable does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Everything in one process.
    All,
    /// The backend alone, beside its daprd.
    Backend,
    /// The scheduler alone, beside its daprd.
    Scheduler,
    /// The assistant alone, beside its daprd.
    Assistant,
    /// The gateway alone, beside its daprd.
    Gateway,
    /// Offers a user's tasks to an agent as MCP tools, over standard input and output.
    Mcp(Mcp),
    /// Reads a file of phrases as the assistant does, and says which mean what they should.
    Eval(Eval),
    /// Brings the database's schema up to date and ends.
    Migrate,
    /// Copies the tasks, accounts and all else of a SQLite database into a new file, while the server runs.
    Backup {
        /// The file to write, readable by its owner alone. It must not be there yet.
        file: PathBuf,
    },
    /// Puts a backup in the place of the database. The server must not run.
    Restore {
        /// What `todo backup` wrote. With Postgres none: after `pg_restore`, this makes the rest ready.
        file: Option<PathBuf>,
        /// Moves a database that is there aside, into the directory before-restore-TIME beside it.
        #[arg(long)]
        force: bool,
    },
    /// Looks at all that a role needs, by its settings, and says what to mend; exits with 1 when something failed.
    Doctor {
        /// Whose settings these are.
        #[arg(value_enum, default_value_t = Examined::All)]
        role: Examined,
        /// Asks the language model for a word, too.
        #[arg(long = "model")]
        ask_model: bool,
    },
    /// Asks the process at --listen whether it is ready; exits with 1 when it is not.
    Healthcheck,
    /// Makes a key that signs what is pushed to browsers, the secret `vapid-private-key`, and prints it.
    Vapid,
    /// What an operator may do to accounts.
    User {
        /// Which.
        #[command(subcommand)]
        command: User,
    },
    /// What the assistant decided.
    Decisions {
        /// What to do with it.
        #[command(subcommand)]
        command: Decisions,
    },
    /// Events that could not be handled.
    DeadLetters {
        /// What to do with them.
        #[command(subcommand)]
        command: DeadLetters,
    },
    /// Events that wait to be published, and those that were.
    Outbox {
        /// What to do with them.
        #[command(subcommand)]
        command: Outbox,
    },
}

impl Command {
    /// The app id of a role of its own.
    #[must_use]
    pub fn role(&self) -> Option<&'static str> {
        match self {
            Self::Backend => Some("backend"),
            Self::Scheduler => Some("scheduler"),
            Self::Assistant => Some("assistant"),
            Self::Gateway => Some("gateway"),
            _ => None,
        }
    }
}

/// What `todo doctor` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "they are the commands above")]
pub enum Examined {
    All,
    Backend,
    Scheduler,
    Assistant,
    Gateway,
}

impl Examined {
    /// Its command, which is its app id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Backend => "backend",
            Self::Scheduler => "scheduler",
            Self::Assistant => "assistant",
            Self::Gateway => "gateway",
        }
    }
}

/// What an operator may do to accounts.
#[derive(Clone, Debug, Subcommand)]
pub enum User {
    /// Lists them.
    List,
    /// Gives an account a new random password, prints it, and ends its sessions.
    ResetPassword {
        /// The account's e-mail address.
        email: String,
    },
    /// Closes an account: its sessions end and its tokens are refused. Its data stays.
    Disable {
        /// The account's e-mail address.
        email: String,
        /// Opens it again instead.
        #[arg(long)]
        undo: bool,
    },
    /// Removes an account with all that is its own, at once and for good.
    Delete {
        /// The account's e-mail address.
        email: String,
    },
}

/// What an operator may do with the assistant's decisions.
#[derive(Clone, Debug, Subcommand)]
pub enum Decisions {
    /// Prints those that are kept, account by account, the newest first, each as /api/observability/decisions/{id}/trace
    /// shows it.
    Export {
        /// One array, or one line each.
        #[arg(long, value_enum, default_value_t = Export::Json)]
        format: Export,
        /// Those of one account: its e-mail address.
        #[arg(long, value_name = "EMAIL")]
        email: Option<String>,
    },
}

/// How decisions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Export {
    /// As one JSON array.
    Json,
    /// As JSON lines.
    Jsonl,
}

/// What an operator may do with events that could not be handled.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLetters {
    /// Lists them, the oldest first: id, time, topic, event type, reason, event id.
    List,
    /// Shows one of them whole, as JSON.
    Show {
        /// The dead letter's id.
        #[arg(value_parser = letter)]
        id: Uuid,
    },
    /// Publishes one of them again, or all.
    ///
    /// To the topic it failed on and under the same event id. The running backend does so within a second; what fails
    /// again is listed again.
    #[command(group(ArgGroup::new("which").required(true)))]
    Replay {
        /// The dead letter's id.
        #[arg(value_parser = letter, group = "which")]
        id: Option<Uuid>,
        /// All that are there now.
        #[arg(long, group = "which")]
        all: bool,
    },
}

/// What an operator may do with the outbox.
#[derive(Clone, Debug, Subcommand)]
pub enum Outbox {
    /// How many events wait and since when, and how many published ones are kept.
    Status,
    /// Publishes again what was published since a moment.
    ///
    /// Under the same event ids, for a broker that lost events. The running backend does so.
    Replay {
        /// A time such as 2026-03-02T08:00:00Z, or how long ago, such as 2h.
        #[arg(long, value_parser = since, value_name = "TIME")]
        since: Since,
    },
}

/// A moment in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// By the calendar.
    Time(DateTime<Utc>),
    /// By how long ago it is.
    Ago(TimeDelta),
}

/// What can be chosen.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// A file of NAME=VALUE lines, named as the environment variables here.
    #[arg(long, global = true, env = "CONFIG_FILE", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, global = true, env = "LISTEN_ADDR", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where Prometheus may ask for `/metrics`, such as `127.0.0.1:9090`: a port for operators alone; nowhere unless said.
    #[arg(long, global = true, env = "METRICS_ADDR", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// The collector that spans go to, by OTLP over gRPC, such as `http://127.0.0.1:4317`; nowhere unless said.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = collector, value_name = "URL")]
    pub otlp_endpoint: Option<Uri>,
    /// The share of traces that goes there, from 0 to 1.
    #[arg(long, global = true, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "1", value_parser = ratio, value_name = "NUMBER")]
    pub trace_ratio: f64,
    /// Where the data is kept.
    #[arg(long, global = true, env = "DATA_DIR", default_value = "./data", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,
    /// `postgres://...` or `sqlite://FILE`; a file in the data directory unless said.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Database>,
    /// error, warn, info, debug, trace, or a filter such as `info,todo_backend=debug`.
    #[arg(long, global = true, env = "LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    /// text or json.
    #[arg(long, global = true, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: Format,
    /// Life of an access token, such as 1h.
    #[arg(long, global = true, env = "ACCESS_TOKEN_TTL", default_value = "1h", value_parser = ttl, value_name = "DURATION")]
    pub access_token_ttl: TimeDelta,
    /// Life of a refresh token, such as 30d.
    #[arg(long, global = true, env = "REFRESH_TOKEN_TTL", default_value = "30d", value_parser = ttl, value_name = "DURATION")]
    pub refresh_token_ttl: TimeDelta,
    /// Whether anyone may sign up.
    #[arg(long, global = true, env = "SIGN_UP", default_value = "open", value_name = "open|closed")]
    pub sign_up: SignUp,
    /// Failed sign-ins a minute for an account from one address.
    #[arg(long, global = true, env = "SIGN_INS_PER_ACCOUNT", default_value_t = 10, value_parser = clap::value_parser!(i64).range(1..), value_name = "NUMBER")]
    pub sign_ins_per_account: i64,
    /// Failed sign-ins a minute from one address.
    #[arg(long, global = true, env = "SIGN_INS_PER_ADDRESS", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..), value_name = "NUMBER")]
    pub sign_ins_per_address: i64,
    /// Sign-ups a minute from one address.
    #[arg(long, global = true, env = "SIGN_UPS_PER_ADDRESS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(1..), value_name = "NUMBER")]
    pub sign_ups_per_address: i64,
    /// Origins that browsers may call from, separated by commas; * for any.
    #[arg(long, global = true, env = "CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Vec<HeaderValue>,
    /// Addresses or networks whose X-Forwarded-For is believed, separated by commas.
    #[arg(long, global = true, env = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network, value_name = "NETWORKS")]
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach this server, when it cannot tell from the request.
    #[arg(long, global = true, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Uri>,
}

/// Which language model answers in the chat; the secret `llm-api-key` (`LLM_API_KEY`) is what its provider is shown.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Language model (without one, the built-in grammar answers)")]
pub struct Llm {
    /// The model, as the provider calls it.
    #[arg(long, global = true, env = "LLM_MODEL", value_name = "NAME")]
    pub llm_model: Option<String>,
    /// The provider of chat completions, such as `http://localhost:11434/v1`; with a key `api.openai.com` unless said.
    #[arg(long, global = true, env = "LLM_BASE_URL", value_parser = provider, value_name = "URL")]
    pub llm_base_url: Option<Uri>,
    /// How long one call of the model may take, such as 30s.
    #[arg(long, global = true, env = "LLM_TIMEOUT", default_value = "30s", value_parser = patience, value_name = "DURATION")]
    pub llm_timeout: Duration,
    /// How freely it chooses words, from 0 to 2.
    #[arg(long, global = true, env = "LLM_TEMPERATURE", default_value = "0", value_parser = temperature, value_name = "NUMBER")]
    pub llm_temperature: f64,
    /// The longest answer, in tokens.
    #[arg(long, global = true, env = "LLM_MAX_TOKENS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..), value_name = "NUMBER")]
    pub llm_max_tokens: u32,
    /// How often a message may have it call tools before it must answer, 1 to 20.
    #[arg(long, global = true, env = "MAX_TOOL_ITERATIONS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20), value_name = "NUMBER")]
    pub max_tool_iterations: u32,
}

/// How a role reaches its daprd, and is reached by it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Dapr (roles of their own)")]
pub struct Dapr {
    /// What carries events, state and secrets: daprd, or the one in this process (`todo all`). By default what the
    /// command needs.
    #[arg(long, global = true, env = "SIDECAR", value_name = "dapr|local")]
    pub sidecar: Option<Sidecar>,
    /// Where daprd listens for gRPC: a port of this machine, or host:port.
    #[arg(long, global = true, env = "DAPR_GRPC_PORT", default_value = "50001", value_name = "PORT")]
    pub dapr_grpc_port: String,
    /// Where this role listens for its daprd, on this machine alone.
    #[arg(long, global = true, env = "APP_PORT", value_name = "PORT")]
    pub app_port: Option<u16>,
    /// What daprd wants to be shown.
    #[arg(long, global = true, env = "DAPR_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub dapr_api_token: Option<String>,
    /// What daprd shows.
    #[arg(long, global = true, env = "APP_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub app_api_token: Option<String>,
    /// The pub/sub component.
    #[arg(long, global = true, env = "PUBSUB_NAME", default_value = "pubsub", value_name = "NAME")]
    pub pubsub_name: String,
    /// The state store component.
    #[arg(long, global = true, env = "STATESTORE_NAME", default_value = "statestore", value_name = "NAME")]
    pub statestore_name: String,
    /// The secret store component.
    #[arg(long, global = true, env = "SECRETSTORE_NAME", default_value = "kubernetes-secrets", value_name = "NAME")]
    pub secretstore_name: String,
    /// The entry of the secret store that holds our secrets; empty where each is an entry of its own.
    #[arg(long, global = true, env = "SECRET_GROUP", default_value = "app-secrets", value_name = "NAME")]
    pub secret_group: String,
    /// Where the gateway finds the backend, such as `http://backend-svc:8000`; through daprd unless said.
    #[arg(long, global = true, env = "BACKEND_URL", value_parser = http_url, value_name = "URL")]
    pub backend_url: Option<Uri>,
    /// Where the gateway finds the assistant; through daprd unless said.
    #[arg(long, global = true, env = "ASSISTANT_URL", value_parser = http_url, value_name = "URL")]
    pub assistant_url: Option<Uri>,
    /// How long this role goes on serving when it is told to stop, while /ready says so: as long as whoever sends it
    /// requests needs to notice.
    #[arg(long, global = true, env = "SHUTDOWN_DELAY", default_value = "5s", value_parser = delay, value_name = "DURATION")]
    pub shutdown_delay: Duration,
}

/// Whose tasks an agent gets, and where they are.
#[derive(Clone, Debug, Args)]
pub struct Mcp {
    /// Where the gateway is; it is spoken to by gRPC.
    #[arg(long, env = "TODO_URL", default_value = "http://localhost:8080", value_parser = http_url, value_name = "URL")]
    pub url: Uri,
    /// A token, best a personal one.
    #[arg(long, env = "TODO_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// A file that holds the token.
    #[arg(long, env = "TODO_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Without a token: the account to sign in to.
    #[arg(long, env = "TODO_EMAIL", value_name = "EMAIL")]
    pub email: Option<String>,
    /// Its password.
    #[arg(long, env = "TODO_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub password: Option<String>,
}

/// Which phrases are read, and what is printed of that.
#[derive(Clone, Debug, Args)]
pub struct Eval {
    /// Lines of `phrase | expected`; docs/language.md says what can be expected.
    #[arg(value_name = "PHRASES")]
    pub file: PathBuf,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
    /// Keeps the shares of intents and tools in this file.
    #[arg(long, value_name = "FILE")]
    pub save_baseline: Option<PathBuf>,
    /// Compares those shares with the ones in this file; one that has moved by more than 0.10 is named.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What carries events, state and secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sidecar {
    /// daprd, beside this process.
    Dapr,
    /// The one in this process.
    Local,
}

/// Whether anyone may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Anyone.
    Open,
    /// No one.
    Closed,
}

fn ttl(text: &str) -> Result<TimeDelta, String> {
    let takes = || "takes a duration from 1s to 10years such as 1h, 30d or 15m".to_owned();
    let duration = humantime::parse_duration(text).map_err(|_| takes())?;
    if duration < Duration::from_secs(1) || duration > Duration::from_hours(10 * 366 * 24) {
        return Err(takes());
    }
    TimeDelta::from_std(duration).map_err(|_| takes())
}

fn delay(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| *duration <= Duration::from_mins(5));
    duration.ok_or_else(|| "takes a duration from 0s to 5m such as 5s".to_owned())
}

fn letter(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "takes an id that `todo dead-letters list` shows".to_owned())
}

fn since(text: &str) -> Result<Since, String> {
    let takes = || "takes a time such as 2026-03-02T08:00:00Z or a duration such as 2h, 30m or 3d".to_owned();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::Time(time.to_utc()));
    }
    let duration = humantime::parse_duration(text).map_err(|_| takes())?;
    Ok(Since::Ago(TimeDelta::from_std(duration).map_err(|_| takes())?))
}

fn http_url(text: &str) -> Result<Uri, String> {
    http(text).ok_or_else(|| "takes an http:// URL such as http://backend-svc:8000".to_owned())
}

fn collector(text: &str) -> Result<Uri, String> {
    http(text).ok_or_else(|| "takes an http:// URL such as http://127.0.0.1:4317".to_owned())
}

fn http(text: &str) -> Option<Uri> {
    text.parse::<Uri>().ok().filter(|url| url.scheme_str() == Some("http") && url.host().is_some())
}

fn provider(text: &str) -> Result<Uri, String> {
    let url = text.parse::<Uri>().ok().filter(|url| url.host().is_some() && url.query().is_none());
    url.filter(|url| matches!(url.scheme_str(), Some("http" | "https")))
        .ok_or_else(|| "takes an http:// or https:// URL such as http://localhost:11434/v1".to_owned())
}

fn patience(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok();
    duration
        .filter(|duration| (Duration::from_millis(1)..=Duration::from_secs(100)).contains(duration))
        .ok_or_else(|| "takes a duration from 1ms to 100s such as 30s".to_owned())
}

fn ratio(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "takes a number from 0 to 1 such as 0.1".to_owned())
}

fn temperature(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=2.0).contains(number));
    number.ok_or_else(|| "takes a number from 0 to 2 such as 0.2".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
        .map_err(|_| "takes an address such as 10.0.0.7 or a network such as 10.0.0.0/8".to_owned())
}
