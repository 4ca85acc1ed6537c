//! What changes something.

use serde_json::{Map, Value};
use todo_language::{Intent, Query, Target, Task};

use super::{
    lookup::{DONE_FIRST, OPEN_FIRST, Sought},
    query::described,
    session::Session,
    values,
};
use crate::{
    chat::{Named, Outcome},
    policy::{self, Act, Asked, FEW, MOST},
    receipt,
    words::{counted, one, quoted},
};

impl Session<'_> {
    /// A new task; what looked like a date and was left in its title is said.
    pub(super) async fn create(&mut self, task: &Task) {
        if self.make("add_task", values::draft(&task.reading.draft)).await.is_none() {
            return;
        }
        for refusal in &task.reading.refused {
            let words = format!("I left {} in the title: {}.", quoted(&refusal.text), refusal.reason);
            self.tell(&words);
        }
    }

    pub(super) async fn complete(&mut self, target: &Target, intent: &Intent) {
        self.each(target, OPEN_FIRST, intent, "complete_task", Act::Complete).await;
    }

    pub(super) async fn reopen(&mut self, target: &Target, intent: &Intent) {
        self.each(target, DONE_FIRST, intent, "reopen_task", Act::Reopen).await;
    }

    /// Does it to a few named tasks at once, and asks before it does it to more.
    async fn each(&mut self, target: &Target, sought: Sought, intent: &Intent, tool: &str, act: Act) {
        let tasks = match target {
            Target::Matching(query) => {
                let Some(tasks) = self.bulk(query).await else { return };
                return self.ask_to(act, tasks);
            }
            Target::Tasks(references) => self.named(references, sought, intent).await,
        };
        let Some(tasks) = tasks else { return };
        if tasks.len() > FEW {
            return self.ask_to(act, tasks);
        }
        for task in tasks {
            self.make(tool, one("id", task.id)).await;
        }
    }

    /// Deletion is always asked for.
    pub(super) async fn delete(&mut self, target: &Target, intent: &Intent) {
        let tasks = match target {
            Target::Matching(query) => self.bulk(query).await,
            Target::Tasks(references) => self.named(references, OPEN_FIRST, intent).await,
        };
        if let Some(tasks) = tasks {
            self.ask_to(Act::Delete, tasks);
        }
    }

    /// Notes what is asked at the end of the message.
    pub(super) fn ask_to(&mut self, act: Act, tasks: Vec<Named>) {
        self.touch(&tasks);
        self.asked.push(Asked { act, tasks });
    }

    /// The tasks of a bulk request; if they are none or too many, that is said.
    async fn bulk(&mut self, query: &Query) -> Option<Vec<Named>> {
        let tasks = self.matching(query).await?;
        self.some(&tasks, query)
    }

    pub(super) fn some(&mut self, tasks: &[Value], query: &Query) -> Option<Vec<Named>> {
        let count = i64::try_from(tasks.len()).unwrap_or(i64::MAX);
        if count == 0 {
            let words = format!("There are no {}.", described(query, 0, &self.when));
            self.reply(&words, Outcome::UserInput);
            return None;
        }
        if tasks.len() > MOST {
            let words = format!("That is {}, and I change at most {MOST} at once.", counted(count, "task"));
            self.reply(&format!("{words} Please say more exactly which."), Outcome::UserInput);
            return None;
        }
        Some(tasks.iter().filter_map(Named::of).collect())
    }

    /// Takes the last change back.
    pub(super) async fn undo(&mut self) {
        let Some((change, came)) = policy::undo(self.turn).await else {
            return self.reply("There is nothing to undo in this conversation.", Outcome::MissingContext);
        };
        let (mut lines, mut failures) = (Vec::new(), Vec::new());
        for came in came {
            match came {
                Ok(done) => {
                    lines.push(receipt::undone(Some(&change.tool), &change.titles, &done.data, &self.when));
                    let task = Named::of(&done.data["task"]);
                    self.touch(task.as_slice());
                }
                Err(failure) => {
                    self.came(receipt::outcome(&failure));
                    failures.push(receipt::failed(&failure));
                }
            }
        }
        if !lines.is_empty() {
            self.came(Outcome::TaskCompleted);
        }
        failures.dedup();
        lines.extend(failures);
        self.tell(&several(&lines));
    }
}

/// Lines, of which many are cut.
pub(super) fn several(lines: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<_> = lines.iter().take(SHOWN).cloned().collect();
    if lines.len() > SHOWN {
        shown.push(format!("and {} more", lines.len() - SHOWN));
    }
    shown.join("\n")
}

/// The arguments of a change of a task.
pub(super) fn with_id(id: &str, values: &Map<String, Value>) -> Map<String, Value> {
    let mut arguments = values.clone();
    arguments.insert("id".to_owned(), id.into());
    arguments
}
