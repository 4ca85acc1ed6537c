//! The assistant that needs no model: reading a message, and a whole turn.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use todo_language::{corpus, read_message};
use todo_tests::{rest::Rest, system::Setup};

use crate::{
    Plan, Result, machine,
    stats::{Times, ms, ratio, times},
    table::{Row, Section},
};

/// What reading a message may take.
const GOAL: Duration = Duration::from_millis(1);

/// Measures it on SQLite.
pub(crate) async fn run(plan: Plan, section: &mut Section) -> Result<()> {
    section.describe(
        "Messages are those of crates/language/corpus/intents.txt, each read many times. Turns go over REST from one client, to \
         a system on SQLite: what is said is committed, then the task, then the answer, each forced to disk. The reference \
         creates the same task over REST, by one commit.",
    );
    let text = std::fs::read_to_string(machine::root().join("crates/language/corpus/intents.txt"))?;
    let phrases = corpus::read(&text)?;
    let mut taken = Vec::new();
    for _ in 0..plan.pick(50, 1) {
        for case in &phrases {
            let begun = Instant::now();
            black_box(read_message(black_box(&case.phrase), &case.context));
            taken.push(begun.elapsed());
        }
    }
    let taken = Times::new(taken);
    let row = Row::plain(format!("reading a message ({} of them)", phrases.len()), taken.shown());
    section.push(row.goal(format!("p99 under {}", ms(GOAL)), taken.p99() < GOAL));

    // Nobody says so much in a minute.
    let setup = Setup { adjust: |options| options.backend.chats = i64::MAX, ..Setup::new() };
    let system = setup.start().await;
    let user = system.user("ann").await;
    let count = plan.pick(200, 5);
    let create = posted(&user, "/api/tasks", &json!({ "title": "milk" }), 201, count).await?;
    let mut of = async |what: &str, says: &str| -> Result<()> {
        let turn = posted(&user, "/api/chat", &json!({ "content": says }), 200, count).await?;
        let by = ratio(turn.p50().as_secs_f64(), create.p50().as_secs_f64());
        section.push(Row::plain(what, turn.shown()).beside(create.shown(), times(by)));
        Ok(())
    };
    of("a turn without tools (\"hi\")", "hi").await?;
    of("a turn that adds a task (\"add milk\")", "add milk").await?;
    system.stop().await;
    Ok(())
}

async fn posted(user: &Rest, path: &str, body: &Value, status: u16, count: usize) -> Result<Times> {
    let mut taken = Vec::new();
    for _ in 0..count {
        let begun = Instant::now();
        let answer = user.post(path, body).await;
        taken.push(begun.elapsed());
        if answer.status.as_u16() != status {
            return Err(format!("{path} answered {}: {}", answer.status, answer.body).into());
        }
    }
    Ok(Times::new(taken))
}
