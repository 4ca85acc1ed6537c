//! The executable `todo`: see [`todo::cli`].

use std::{
    collections::BTreeMap, ffi::OsString, io::Write, net::SocketAddr, path::Path, process::ExitCode, sync::Arc,
    time::Duration,
};

use clap::{CommandFactory, FromArgMatches};
use futures::future::OptionFuture;
use todo::{
    all, backup,
    cli::{Cli, Command, Dapr, Examined, Llm, Settings, Sidecar, SignUp},
    database::Database,
    doctor, engine, eval, mcp, operator, ready, role,
};
use todo_domain::{Clock, Ids};
use todo_runtime::{
    metrics::Metrics,
    system::{SystemClock, SystemIds},
    telemetry::{self, Traces},
};
use todo_sidecar::{Secret, dapr::CallbackOptions};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal,
};
use tokio_util::sync::CancellationToken;

/// The setting of the public port.
const LISTEN: &str = "--listen, LISTEN_ADDR";

fn main() -> ExitCode {
    let cli = match parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the system gives no threads: {error}")),
    };
    let inside = runtime.enter();
    let traces = match traced(&cli) {
        Ok(traces) => traces,
        Err(error) => return fail(&error),
    };
    drop(inside);
    let done = runtime.block_on(run(cli));
    traces.end();
    runtime.shutdown_timeout(Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Begins logs and traces.
fn traced(cli: &Cli) -> Result<Traces, String> {
    let Settings { otlp_endpoint, trace_ratio, log_level, log_format, .. } = &cli.settings;
    let service = cli.command.as_ref().and_then(Command::role).unwrap_or("todo");
    let traces = Traces::begin(service, otlp_endpoint.as_ref(), *trace_ratio)
        .map_err(|error| format!("--otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT): {error}"))?;
    telemetry::init(log_level, *log_format, Some(&traces))
        .map_err(|error| format!("--log-level (LOG_LEVEL) {error}"))?;
    Ok(traces)
}

fn fail(error: &str) -> ExitCode {
    eprintln!("todo: {error}");
    ExitCode::FAILURE
}

/// Reads the command line, with the config file's values as defaults: environment and flags go before them.
fn parse(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let file = command.clone().ignore_errors(true).try_get_matches_from(&args)?;
    if let Some(path) = file.try_get_one::<std::path::PathBuf>("config").ok().flatten() {
        let values = read_config(path).map_err(|error| command.error(clap::error::ErrorKind::Io, error))?;
        command = with_defaults(command, &values)?;
    }
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// Reads NAME=VALUE lines; empty ones and those that begin with `#` say nothing.
fn read_config(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--config {shown} cannot be read: {error}"))?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| match line.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(format!("--config {shown}, line {}: takes NAME=VALUE", index + 1)),
        })
        .collect()
}

fn with_defaults(mut command: clap::Command, values: &BTreeMap<String, String>) -> Result<clap::Command, clap::Error> {
    let known: BTreeMap<String, clap::Id> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_env()?.to_str()?.to_owned(), arg.get_id().clone())))
        .collect();
    for (name, value) in values {
        let Some(id) = known.get(name) else {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            let error = format!("--config: {name} is no setting; these are: {}", names.join(", "));
            return Err(command.error(clap::error::ErrorKind::UnknownArgument, error));
        };
        command = command.mut_arg(id.clone(), |arg| arg.default_value(value.clone()));
    }
    Ok(command)
}

async fn run(cli: Cli) -> Result<(), String> {
    let settings = cli.settings;
    match cli.command.unwrap_or(Command::All) {
        Command::All if cli.dapr.sidecar == Some(Sidecar::Dapr) => {
            Err("`todo all` has its own sidecar; with SIDECAR=dapr run `todo backend`, `scheduler`, `assistant` and `gateway`"
                .to_owned())
        }
        Command::All => serve_all(settings, &cli.llm).await,
        role @ (Command::Backend | Command::Scheduler | Command::Assistant | Command::Gateway) => {
            serve_role(&role, settings, &cli.llm, cli.dapr).await
        }
        Command::Mcp(options) => mcp::stdio(options).await,
        Command::Eval(options) => eval::run(&options),
        Command::Migrate => {
            let database = database(&settings);
            database.open().await?.close().await;
            println!("the schema of {database} is up to date");
            Ok(())
        }
        Command::Backup { file } => backup::backup(&database(&settings), &file).await,
        Command::Restore { file, force } => {
            backup::restore(&settings.data_dir, &database(&settings), file.as_deref(), force).await
        }
        Command::Doctor { role, ask_model } => doctor(role, ask_model, &settings, &cli.llm, cli.dapr).await,
        Command::Healthcheck => {
            let listen = settings.listen;
            tokio::task::spawn_blocking(move || ready::show(listen)).await.map_err(|error| error.to_string())?
        }
        Command::Vapid => {
            println!("{}", todo_push::Vapid::generate()?);
            Ok(())
        }
        Command::User { command } => operator::user(&database(&settings), command).await,
        Command::Decisions { command } => operator::decisions(&database(&settings), command).await,
        Command::DeadLetters { command } => operator::dead_letters(&database(&settings), command).await,
        Command::Outbox { command } => operator::outbox(&database(&settings), command).await,
    }
}

fn database(settings: &Settings) -> Database {
    settings.database_url.clone().unwrap_or_else(|| Database::Sqlite(settings.data_dir.join("todo.db")))
}

#[expect(clippy::disallowed_methods, reason = "secrets may come by the environment, which only the executable reads")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn serve_all(settings: Settings, llm: &Llm) -> Result<(), String> {
    let shutdown = CancellationToken::new();
    let ids = Arc::new(SystemIds);
    let system =
        all::build(all_options(&settings, llm, ids.clone())?, Arc::new(SystemClock), ids, shutdown.clone()).await?;
    let metrics = metrics(settings.metrics, &shutdown).await?;
    let listener = bind(settings.listen, LISTEN).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    // Before the greeting: who reads it may stop us at once.
    let stop = stop_signal();
    greet(address, &settings);
    tokio::join!(system.run(listener), stopped(stop, &shutdown), metrics);
    Ok(())
}

async fn serve_role(role: &Command, settings: Settings, llm: &Llm, dapr: Dapr) -> Result<(), String> {
    if dapr.sidecar == Some(Sidecar::Local) {
        return Err("a role of its own needs daprd: leave SIDECAR=local away, or run `todo all`".to_owned());
    }
    let shutdown = CancellationToken::new();
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
    let options = role_options(&settings, &dapr);
    let callback = dapr.app_port.map(|port| reserve(SocketAddr::from(([127, 0, 0, 1], port)))).transpose()?;
    let metrics = metrics(settings.metrics, &shutdown).await?;
    let listeners = role::Listeners { public: bind(settings.listen, LISTEN).await?, callback };
    let address = listeners.public.local_addr().map_err(|error| error.to_string())?;
    let stop = stop_signal();
    let name = role.role().unwrap_or_default();
    println!("todo {name} is running at http://{address}/ (health: /ready)");
    let _ = std::io::stdout().flush();
    let ports: (Arc<dyn Clock>, Arc<dyn Ids>) = (clock, ids.clone());
    let work = async {
        let done = match role {
            Command::Backend => {
                role::backend(options, backend_options(&settings), ports, listeners, shutdown.clone()).await
            }
            Command::Scheduler => {
                role::scheduler(options, todo_scheduler::Options::default(), ports, listeners, shutdown.clone()).await
            }
            Command::Assistant => {
                role::assistant(options, engine::options(llm)?, ports, listeners, shutdown.clone()).await
            }
            _ => {
                let own = gateway_options(&settings, ids);
                let peers = role::Peers { backend: dapr.backend_url, assistant: dapr.assistant_url };
                role::gateway(options, own, peers, listeners, shutdown.clone()).await
            }
        };
        shutdown.cancel();
        done
    };
    tokio::join!(work, stopped(stop, &shutdown), metrics).0
}

fn all_options(settings: &Settings, llm: &Llm, ids: Arc<dyn Ids>) -> Result<all::Options, String> {
    let mut options = all::Options::new(settings.data_dir.clone(), Arc::clone(&ids));
    options.database.clone_from(&settings.database_url);
    options.environment = Arc::new(environment);
    options.model = engine::options(llm)?;
    options.backend = backend_options(settings);
    options.gateway = gateway_options(settings, ids);
    Ok(options)
}

fn role_options(settings: &Settings, dapr: &Dapr) -> role::Options {
    let secret = |token: &Option<String>| token.clone().map(Secret::new);
    let mut sidecar = todo_sidecar::dapr::Options::new(dapr.dapr_grpc_port.clone());
    sidecar.pubsub.clone_from(&dapr.pubsub_name);
    sidecar.state_store.clone_from(&dapr.statestore_name);
    sidecar.secret_store.clone_from(&dapr.secretstore_name);
    sidecar.secret_group = Some(dapr.secret_group.clone()).filter(|group| !group.is_empty());
    sidecar.api_token = secret(&dapr.dapr_api_token);
    let mut callback = CallbackOptions::new(dapr.pubsub_name.clone());
    callback.app_token = secret(&dapr.app_api_token);
    let url = settings.database_url.as_ref().map(Database::url);
    let environment = move |name: &str| url.clone().filter(|_| name == "DATABASE_URL").or_else(|| environment(name));
    role::Options { sidecar, callback, environment: Arc::new(environment), shutdown_delay: dapr.shutdown_delay }
}

async fn doctor(role: Examined, ask_model: bool, settings: &Settings, llm: &Llm, dapr: Dapr) -> Result<(), String> {
    let (clock, model) = (Arc::new(SystemClock) as Arc<dyn Clock>, engine::options(llm)?);
    let around = doctor::Around { listen: settings.listen, model, ask_model };
    let report = if role == Examined::All {
        doctor::all(all_options(settings, llm, Arc::new(SystemIds))?, around, &clock).await
    } else {
        let options = role_options(settings, &dapr);
        let peers = role::Peers { backend: dapr.backend_url, assistant: dapr.assistant_url };
        doctor::role(role, options, peers, dapr.app_port, around, clock.as_ref()).await
    };
    report.print()
}

/// Begins to count, if somebody may ask; to be run until the shutdown.
async fn metrics(
    address: Option<SocketAddr>,
    shutdown: &CancellationToken,
) -> Result<OptionFuture<impl Future<Output = ()> + use<>>, String> {
    let Some(address) = address else { return Ok(None.into()) };
    let listener = bind(address, "--metrics, METRICS_ADDR").await?;
    Ok(Some(Metrics::install()?.serve(listener, shutdown.clone())).into())
}

fn backend_options(settings: &Settings) -> todo_backend::Options {
    todo_backend::Options {
        access_ttl: settings.access_token_ttl,
        refresh_ttl: settings.refresh_token_ttl,
        sign_up: settings.sign_up == SignUp::Open,
        sign_ins_per_account: settings.sign_ins_per_account,
        sign_ins_per_address: settings.sign_ins_per_address,
        sign_ups_per_address: settings.sign_ups_per_address,
        contact: settings.public_url.as_ref().map(ToString::to_string).filter(|url| url.starts_with("https://")),
        measured: settings.metrics.is_some(),
        ..todo_backend::Options::default()
    }
}

fn gateway_options(settings: &Settings, ids: Arc<dyn Ids>) -> todo_gateway::Options {
    todo_gateway::Options {
        cors_origins: settings.cors_origins.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        public_url: settings.public_url.clone(),
        cookie_max_age: settings.refresh_token_ttl.to_std().unwrap_or_default(),
        ..todo_gateway::Options::new(ids)
    }
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address} ({setting}): {error}"))
}

/// Takes a port without listening on it yet.
fn reserve(address: SocketAddr) -> Result<TcpSocket, String> {
    let socket = TcpSocket::new_v4().and_then(|socket| {
        // As `bind` does: connections of the process before may linger.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    socket.map_err(|error| format!("cannot listen on {address} (--app-port, APP_PORT): {error}"))
}

/// Begins the shutdown when the operator says so; ends when it has begun, whoever did it.
async fn stopped(stop: impl Future<Output = ()>, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = stop => {
            tracing::info!("stopping: open requests may end, nothing new is accepted");
            shutdown.cancel();
        }
    }
}

fn greet(address: SocketAddr, settings: &Settings) {
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if address.is_ipv6() && host.contains(':') { format!("[{host}]") } else { host };
    println!("todo is running at http://{host}:{}/ (the API: /api/docs; gRPC on the same port)", address.port());
    println!("data is in {}, the database is {}", settings.data_dir.display(), database(settings));
    println!("Ctrl-C stops it");
    // A pipe must see it before the first request.
    let _ = std::io::stdout().flush();
}

/// Listens for Ctrl-C and SIGTERM from now on; the answer waits for the first of them.
fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut interrupted), Ok(mut terminated)) = signals {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
        let _ = signal::ctrl_c().await;
    }
}
