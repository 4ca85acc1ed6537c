//! The command line: flags, environment and `--help` from one struct. Precedence: default < config file < environment
//! < command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chrono::TimeDelta;
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use todo_runtime::telemetry::Format;

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
}

/// What the executable does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Everything in one process.
    All,
    /// The backend alone; needs Dapr.
    Backend,
    /// The scheduler alone; needs Dapr.
    Scheduler,
    /// The gateway alone; needs Dapr.
    Gateway,
    /// Brings the database's schema up to date and ends.
    Migrate,
    /// Asks the process at --listen whether it is ready; exits with 1 when it is not.
    Healthcheck,
    /// What an operator may do to accounts.
    User {
        /// Which.
        #[command(subcommand)]
        command: User,
    },
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

fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
        .map_err(|_| "takes an address such as 10.0.0.7 or a network such as 10.0.0.0/8".to_owned())
}
