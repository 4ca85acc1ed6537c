//! The tasks that are meant, among those that there are.

use serde_json::{Map, Value};
use todo_language::{Candidate, Found, Intent, Reference, Scene, has_all_words, narrowing, resolve};

use super::session::Session;
use crate::{
    call::Failure,
    chat::{Named, Outcome},
    words::{and, numbered, one, quoted},
};

/// Among which tasks titles are sought: those of these statuses, and only if there is none, those of the others.
pub(super) type Sought = [&'static [&'static str]; 2];

pub(super) const OPEN_FIRST: Sought = [OPEN, &["completed"]];
pub(super) const DONE_FIRST: Sought = [&["completed"], OPEN];
const OPEN: &[&str] = &["pending", "in_progress"];

/// How many tasks a question shows.
const SHOWN: usize = 10;
/// How many tasks a page has: the most that the tool gives.
const PAGE: i64 = 1000;

/// The tasks that one reference means, with a line for each.
type Lines = Found<usize>;

impl Session<'_> {
    /// The tasks that some references mean. If one of them is ambiguous that is asked, and there are none; what is not
    /// there is said.
    pub(super) async fn named(
        &mut self,
        references: &[Reference],
        sought: Sought,
        intent: &Intent,
    ) -> Option<Vec<Named>> {
        let (mut found, mut missing) = (Vec::<Named>::new(), Vec::new());
        for reference in references {
            let (these, pool) = match self.find(reference, sought).await {
                Ok(found) => found,
                Err(failure) => {
                    self.failed(&failure);
                    return None;
                }
            };
            let tasks = match these {
                Found::Nothing => {
                    missing.push(reference);
                    continue;
                }
                Found::These(keys) => keys,
                Found::OneOf(keys) => {
                    let Some(task) = self.chosen.pop_front() else {
                        self.which(reference, &keys, &pool);
                        return None;
                    };
                    push(&mut found, task);
                    continue;
                }
            };
            for key in tasks {
                push(&mut found, pool[key].0.clone());
            }
        }
        if !missing.is_empty() {
            self.missing(&missing, found.is_empty().then_some(intent));
        }
        (!found.is_empty()).then_some(found)
    }

    /// What a reference means, and the tasks that it was sought among.
    async fn find(&mut self, reference: &Reference, sought: Sought) -> Result<(Lines, Vec<(Named, String)>), Failure> {
        if !matches!(reference, Reference::Title(_)) {
            // A number may be a title, too; other places and pointers never are.
            let titled = match reference {
                Reference::Number(number) => self.all(one("search", number.to_string())).await?,
                _ => Vec::new(),
            };
            return Ok(self.among(reference, &titled));
        }
        for statuses in sought {
            let mut filter = one("status", statuses.to_vec());
            // A search finds every task that has all the words (`narrowing`), and those are preferred to all others, so
            // that if it finds one, nothing is missed. Only what is no more than like the words needs all tasks.
            if let Some(search) = narrowing(reference) {
                filter.insert("search".to_owned(), search.into());
                let tasks = self.all(filter.clone()).await?;
                let (found, pool) = self.among(reference, &tasks);
                if has_all(reference, &found, &pool) {
                    return Ok((found, pool));
                }
                filter.remove("search");
            }
            let tasks = self.all(filter).await?;
            let (found, pool) = self.among(reference, &tasks);
            if found != Found::Nothing {
                return Ok((found, pool));
            }
        }
        Ok((Found::Nothing, Vec::new()))
    }

    /// What a reference means among some tasks. A title is one of them; what was listed or spoken of may have changed.
    fn among(&self, reference: &Reference, tasks: &[Value]) -> (Lines, Vec<(Named, String)>) {
        let mut pool: Vec<_> = tasks.iter().filter_map(|task| Some((Named::of(task)?, self.when.line(task)))).collect();
        let all = 0..pool.len();
        let mut add = |tasks: &[Named]| {
            let keys: Vec<_> = tasks
                .iter()
                .map(|task| {
                    pool.iter().position(|(other, _)| other.id == task.id).unwrap_or_else(|| {
                        pool.push((task.clone(), task.title.clone()));
                        pool.len() - 1
                    })
                })
                .collect();
            keys
        };
        let by_title = matches!(reference, Reference::Title(_));
        let listed = if by_title { Vec::new() } else { add(&self.turn.scene.listed) };
        let touched = if by_title { Vec::new() } else { add(self.spoken_of()) };
        let candidates = |keys: &mut dyn Iterator<Item = usize>| -> Vec<_> {
            keys.map(|key| Candidate { key, title: pool[key].0.title.clone() }).collect()
        };
        let (listed, touched) = (candidates(&mut listed.into_iter()), candidates(&mut touched.into_iter()));
        let tasks = candidates(&mut all.into_iter());
        let found = resolve(reference, &Scene { listed: &listed, touched: &touched, tasks: &tasks });
        (found, pool)
    }

    /// All tasks that a filter finds.
    pub(super) async fn all(&mut self, mut filter: Map<String, Value>) -> Result<Vec<Value>, Failure> {
        filter.insert("limit".to_owned(), PAGE.into());
        let mut tasks = Vec::new();
        loop {
            let mut page = self.attempt("list_tasks", filter.clone()).await?.data;
            if let Some(more) = page["tasks"].as_array_mut() {
                tasks.append(more);
            }
            match page["next_page_token"].take() {
                Value::Null => return Ok(tasks),
                token => filter.insert("page_token".to_owned(), token),
            };
        }
    }

    fn which(&mut self, reference: &Reference, keys: &[usize], pool: &[(Named, String)]) {
        let shown = &keys[..keys.len().min(SHOWN)];
        let lines: Vec<_> = shown.iter().map(|key| pool[*key].1.clone()).collect();
        let named = match reference {
            Reference::Title(words) => format!("Several tasks fit {}", quoted(words)),
            _ => "I am not sure which task you mean".to_owned(),
        };
        let question = format!("{named}. Which one?\n{}", numbered(&lines, SHOWN, keys.len()));
        let options = shown.iter().map(|key| pool[*key].0.clone()).collect();
        self.ask_which(&question, options);
    }

    /// Says what is not there. If that is all that was asked for, the words may be a task of their own.
    fn missing(&mut self, references: &[&Reference], intent: Option<&Intent>) {
        let titles: Vec<_> = references
            .iter()
            .filter_map(|reference| match reference {
                Reference::Title(words) => Some(quoted(words)),
                Reference::Number(number) => Some(format!("#{number}")),
                Reference::Nth(nth) => Some(format!("number {nth}")),
                _ => None,
            })
            .collect();
        if titles.is_empty() {
            self.reply("I do not know which task you mean. Please name it.", Outcome::MissingContext);
            return;
        }
        let words = format!("I found no task {}.", and(titles));
        match intent.and_then(|intent| may_be_new(intent, references)) {
            Some(task) => {
                let title = quoted(&task.reading.draft.title);
                self.came(Outcome::UserInput);
                self.offer(task, &format!("{words} Shall I add {title} as a new task?"));
            }
            None => self.reply(&words, Outcome::UserInput),
        }
    }
}

/// The new task that the words may be instead: "cancel the dentist", but not "called mom", which names nothing but what was
/// done, and not what is a request and nothing else.
fn may_be_new<'a>(intent: &'a Intent, references: &[&Reference]) -> Option<&'a todo_language::Task> {
    let task = intent.as_task.as_deref().filter(|_| intent.evidence == todo_language::Evidence::Either)?;
    let title = task.reading.draft.title.to_lowercase();
    let same = |reference: &&Reference| matches!(reference, Reference::Title(words) if words.to_lowercase() == title);
    (!references.iter().any(same)).then_some(task)
}

fn has_all(reference: &Reference, found: &Lines, pool: &[(Named, String)]) -> bool {
    let (Reference::Title(words), Found::These(keys) | Found::OneOf(keys)) = (reference, found) else { return false };
    keys.iter().all(|key| has_all_words(&pool[*key].0.title, words))
}

fn push(tasks: &mut Vec<Named>, task: Named) {
    if tasks.iter().all(|other| other.id != task.id) {
        tasks.push(task);
    }
}
