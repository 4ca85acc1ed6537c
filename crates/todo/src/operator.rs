//! What whoever runs the server does from the command line, printed: accounts, decisions, dead letters, the outbox. It works on the
//! database alone, whether or not the server runs.

use chrono::{DateTime, SecondsFormat, Utc};
use todo_backend::{
    dead_letters as letters, decisions, operator, outbox as events,
    store::{DeadLetter, Store},
};
use todo_domain::Clock as _;
use todo_proto::json;
use todo_runtime::system::{SystemClock, SystemIds};

use crate::{
    cli::{DeadLetters, Decisions, Export, Outbox, Since, User},
    database::Database,
};

/// Rows read at once.
const PAGE: i64 = 200;

/// `todo user`.
///
/// # Errors
/// A sentence: no account has the e-mail address, or the database cannot be used.
pub async fn user(database: &Database, command: User) -> Result<(), String> {
    let store = database.open().await?;
    match command {
        User::List => {
            for user in accounts(store.as_ref()).await? {
                let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
                line(&[&user.id.to_string(), &user.email, state, &time(user.created_at), &user.display_name]);
            }
        }
        User::ResetPassword { email } => {
            println!("{}", operator::reset_password(store.as_ref(), &email).await.map_err(sentence)?);
        }
        User::Disable { email, undo } => {
            operator::set_disabled(store.as_ref(), &SystemClock, &email, !undo).await.map_err(sentence)?;
            println!("{email} is {}", if undo { "active" } else { "disabled" });
        }
        User::Delete { email } => {
            operator::delete(store.as_ref(), &SystemClock, &SystemIds, &email).await.map_err(sentence)?;
            println!("{email} is deleted");
        }
    }
    store.close().await;
    Ok(())
}

/// Every account, in the order of the e-mail addresses.
async fn accounts(store: &dyn Store) -> Result<Vec<operator::User>, String> {
    let mut all: Vec<operator::User> = Vec::new();
    loop {
        let after = all.last().map_or("", |last| &last.email);
        let page = operator::list(store, after, PAGE).await.map_err(sentence)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// `todo decisions`.
///
/// # Errors
/// A sentence: no account has the e-mail address, or the database cannot be used.
pub async fn decisions(database: &Database, command: Decisions) -> Result<(), String> {
    let Decisions::Export { format, email } = command;
    let store = database.open().await?;
    let mut users = accounts(store.as_ref()).await?;
    if let Some(email) = email {
        users.retain(|user| user.email == email.to_lowercase());
        if users.is_empty() {
            return Err(format!("no account has the e-mail address {email}: `todo user list` shows them"));
        }
    }
    let (open, between, close) = match format {
        Export::Json => ("[\n", ",\n", "\n]\n"),
        Export::Jsonl => ("", "\n", "\n"),
    };
    let mut before = open;
    for user in users {
        let print = |decision: &_| {
            print!("{before}{}", json::of(decision));
            before = between;
        };
        decisions::export(store.as_ref(), user.id, print).await.map_err(sentence)?;
    }
    match format {
        // Nothing was printed, not even the beginning.
        Export::Json if before == open => println!("[]"),
        Export::Jsonl if before == open => {}
        _ => print!("{close}"),
    }
    store.close().await;
    Ok(())
}

/// `todo dead-letters`.
///
/// # Errors
/// A sentence: there is no such dead letter, it cannot be published, or the database cannot be used.
pub async fn dead_letters(database: &Database, command: DeadLetters) -> Result<(), String> {
    let store = database.open().await?;
    let mut ids = Vec::new();
    match command {
        DeadLetters::Show { id } => {
            let letter = letters::show(store.as_ref(), id).await.map_err(sentence)?;
            let shown = serde_json::json!({
                "id": letter.id, "time": time(letter.at), "topic": letter.topic, "reason": letter.reason,
                "event": letters::event(&letter),
            });
            println!("{shown:#}");
        }
        DeadLetters::List => each(store.as_ref(), show).await?,
        DeadLetters::Replay { id: Some(id), .. } => ids.push(id),
        // All are known before the first is replayed: one that fails again comes back meanwhile.
        DeadLetters::Replay { id: None, .. } => each(store.as_ref(), |letter| ids.push(letter.id)).await?,
    }
    let mut failed = Vec::new();
    for id in ids {
        match letters::replay(store.as_ref(), &SystemClock, id).await {
            Ok(()) => println!("{id} will be published again"),
            Err(error) => failed.push(error.to_string()),
        }
    }
    store.close().await;
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\ntodo: ")) }
}

/// Hands out every dead letter, the oldest first.
async fn each(store: &dyn Store, mut take: impl FnMut(&DeadLetter)) -> Result<(), String> {
    let mut after = None;
    loop {
        let page = letters::list(store, after, PAGE).await.map_err(sentence)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some((last.at, last.id));
        page.iter().for_each(&mut take);
    }
}

fn show(letter: &DeadLetter) {
    let event = letters::event(letter);
    let said = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
    line(&[&letter.id.to_string(), &time(letter.at), &letter.topic, &said("type"), &letter.reason, &said("id")]);
}

/// `todo outbox`.
///
/// # Errors
/// A sentence: the database cannot be used.
pub async fn outbox(database: &Database, command: Outbox) -> Result<(), String> {
    let store = database.open().await?;
    let now = SystemClock.now();
    match command {
        Outbox::Status => {
            let status = events::status(store.as_ref()).await.map_err(sentence)?;
            let age = |since: DateTime<Utc>| {
                let seconds = u64::try_from((now - since).num_seconds()).unwrap_or_default();
                humantime::format_duration(std::time::Duration::from_secs(seconds)).to_string()
            };
            line(&["unpublished", &status.unpublished.to_string()]);
            line(&["oldest unpublished", &status.oldest_unpublished.map_or("-".to_owned(), age)]);
            line(&["published", &status.published.to_string()]);
            line(&["oldest published", &status.oldest_published.map_or("-".to_owned(), time)]);
        }
        Outbox::Replay { since } => {
            let since = match since {
                Since::Time(time) => time,
                Since::Ago(age) => now.checked_sub_signed(age).unwrap_or(DateTime::UNIX_EPOCH),
            };
            let events = events::replay(store.as_ref(), &SystemClock, since).await.map_err(sentence)?;
            println!("{events} events published since {} will be published again", time(since));
        }
    }
    store.close().await;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn sentence(error: todo_domain::Error) -> String {
    error.to_string()
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Prints a line of columns. What others wrote must not move the cursor of a terminal.
fn line(columns: &[&str]) {
    let columns: Vec<_> = columns.iter().map(|column| column.replace(char::is_control, " ")).collect();
    println!("{}", columns.join("\t"));
}
