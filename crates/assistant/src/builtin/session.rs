//! A message while it is answered.

use std::collections::VecDeque;

use serde_json::{Map, Value};
use todo_domain::zone::Tz;
use todo_language::{Context, Intent, IntentType, Question, Reference, Request, Target, render_intents};

use super::talk;
use crate::{
    call::{Done, Failure},
    chat::{Answer, Call, Decision, Named, Outcome, Pending, Turn},
    policy::{self, Asked},
    receipt,
    table::Tool,
    words::{When, and, one, quoted},
};

/// A message while it is answered.
pub(super) struct Session<'t> {
    pub(super) turn: &'t mut Turn,
    pub(super) context: Context,
    pub(super) when: When,
    /// Which task an ambiguous reference means, in the order of the references: what was asked before.
    pub(super) chosen: VecDeque<Named>,
    /// Which request of the text is the first to be answered, if not all are.
    pub(super) part: Option<usize>,
    /// What is asked at the end of the message.
    pub(super) asked: Vec<Asked>,
    /// What waits for an answer.
    pub(super) pending: Option<Pending>,
    /// What the requests refer to, in characters.
    text: String,
    /// The request that is answered, by its place in the text.
    place: usize,
    /// What was chosen before for it.
    picked: Vec<Named>,
    /// What was spoken of in this message.
    touched: Vec<Named>,
    outcome: Option<Outcome>,
}

impl<'t> Session<'t> {
    pub(super) fn new(turn: &'t mut Turn, text: String, context: Context) -> Self {
        let when = When::of(turn);
        Self {
            turn,
            context,
            when,
            chosen: VecDeque::new(),
            part: None,
            asked: Vec::new(),
            pending: None,
            text,
            place: 0,
            picked: Vec::new(),
            touched: Vec::new(),
            outcome: None,
        }
    }

    /// Answers the requests of a message, in order.
    pub(super) async fn answer(mut self, intents: &[Intent]) -> Answer {
        self.picked = self.chosen.iter().cloned().collect();
        for (place, intent) in intents.iter().enumerate() {
            self.place = self.part.unwrap_or(place);
            if self.pending.is_some() && points_back(&intent.request) {
                // What "it" is depends on the answer.
                let words = quoted(&self.words(intent));
                self.tell(&format!("{words} has to wait until that is clear; please say it again then."));
                continue;
            }
            let before = self.turn.scene.changes.last().cloned();
            self.request(intent).await;
            self.turn.scene.join_changes(before.as_ref());
        }
        self.finish(intents).await
    }

    async fn request(&mut self, intent: &Intent) {
        match &intent.request {
            Request::Create(task) => self.create(task).await,
            Request::List(query) => self.list(query).await,
            Request::Show(references) => self.show(references, intent).await,
            Request::Complete(target) => self.complete(target, intent).await,
            Request::Reopen(target) => self.reopen(target, intent).await,
            Request::Update(target, changes) => self.change(target, changes, intent).await,
            Request::Delete(target) => self.delete(target, intent).await,
            Request::Undo => self.undo().await,
            Request::Yes => self.reply(talk::NOTHING_WAITS, Outcome::MissingContext),
            Request::No => self.reply(talk::NOTHING_TO_STOP, Outcome::ResponseGiven),
            Request::Chat(chat) => self.reply(talk::reply(*chat), Outcome::ResponseGiven),
            // Once is enough.
            Request::OutOfScope if self.turn.said().ends_with(talk::OUT_OF_SCOPE) => {}
            Request::OutOfScope => self.reply(talk::OUT_OF_SCOPE, Outcome::OutOfScope),
            Request::Unclear(question) => self.unclear(question, intent).await,
        }
    }

    /// One question, and what waits for its answer.
    async fn unclear(&mut self, question: &Question, intent: &Intent) {
        let text = self.words(intent);
        match question {
            Question::WhatToDo => match &intent.as_task {
                Some(task) => {
                    let title = quoted(&task.reading.draft.title);
                    self.offer(task, &format!("I am not sure what to do with that. Shall I add {title} as a task?"));
                }
                None => self.reply(talk::UNCLEAR, Outcome::UnclearIntent),
            },
            Question::WhichTitle => self.ask("What is the task?", Pending::More { text }, Outcome::MissingContext),
            Question::WhichTask => self.ask("Which task?", Pending::More { text }, Outcome::MissingContext),
            Question::WhichChange(references) => {
                let Some(tasks) = self.named(references, super::lookup::OPEN_FIRST, intent).await else { return };
                let names = and(tasks.iter().map(|task| quoted(&task.title)).collect());
                self.touch(&tasks);
                let question =
                    format!("What shall I change about {names}? For example its date, priority, tags or title.");
                self.ask(&question, Pending::Change { tasks }, Outcome::MissingContext);
            }
        }
    }

    /// Asks whether something is a new task.
    pub(super) fn offer(&mut self, task: &todo_language::Task, question: &str) {
        let call = Call { tool: "add_task".to_owned(), arguments: super::values::draft(&task.reading.draft) };
        let pending = Pending::Calls { calls: vec![call], tasks: Vec::new() };
        self.ask(question, pending, Outcome::UnclearIntent);
    }

    /// Asks something, unless something else is asked already: there is one question a message.
    pub(super) fn ask(&mut self, question: &str, pending: Pending, outcome: Outcome) {
        self.came(outcome);
        self.tell(question);
        if self.pending.is_none() {
            self.pending = Some(pending);
        } else {
            self.tell("Please tell me that after the other question.");
        }
    }

    /// Asks which of some tasks a request means.
    pub(super) fn ask_which(&mut self, words: &str, options: Vec<Named>) {
        let pending = Pending::Which {
            text: self.text.clone(),
            at: self.context.now,
            part: self.place,
            chosen: self.picked.clone(),
            options,
        };
        self.ask(words, pending, Outcome::MultipleMatches);
    }

    /// Asks what has to be asked, and says what came of all of it.
    pub(super) async fn finish(mut self, intents: &[Intent]) -> Answer {
        let mut asked = std::mem::take(&mut self.asked);
        // What was renamed since is asked about by its new name.
        for task in asked.iter_mut().flat_map(|asked| &mut asked.tasks) {
            if let Some(touched) = self.touched.iter().find(|touched| touched.id == task.id) {
                task.title.clone_from(&touched.title);
            }
        }
        let mut confirming = false;
        if !asked.is_empty() {
            if self.pending.is_some() {
                self.tell(
                    "What you asked me to delete or change at once I leave for now: please ask for it again then.",
                );
            } else {
                confirming = self.confirm(&asked).await;
            }
        }
        if !self.touched.is_empty() {
            self.turn.scene.touched = std::mem::take(&mut self.touched);
        }
        let decision = match (&self.pending, self.turn.calls().is_empty()) {
            (Some(_), _) if confirming => Decision::RequestConfirmation,
            (Some(_), _) => Decision::AskClarification,
            (None, false) => Decision::InvokeTool,
            (None, true) => Decision::RespondOnly,
        };
        let certain = intents.iter().map(|intent| intent.evidence.confidence());
        Answer {
            intent: IntentType::of(intents),
            confidence: certain.fold(1.0, f64::min),
            params: params(intents, self.context.zone),
            decision,
            outcome: self.outcome.unwrap_or(Outcome::ResponseGiven),
            pending: self.pending,
        }
    }

    async fn confirm(&mut self, asked: &[Asked]) -> bool {
        self.part_off();
        match policy::confirm(self.turn, asked).await {
            Ok(pending) => {
                self.pending = Some(pending);
                self.came(Outcome::ResponseGiven);
                true
            }
            Err(failure) => {
                self.failed(&failure);
                false
            }
        }
    }

    /// Calls a tool; says so if it fails.
    pub(super) async fn call(&mut self, name: &str, arguments: Map<String, Value>) -> Option<Done> {
        match self.attempt(name, arguments).await {
            Ok(done) => Some(done),
            Err(failure) => {
                self.failed(&failure);
                None
            }
        }
    }

    pub(super) async fn attempt(&mut self, name: &str, arguments: Map<String, Value>) -> Result<Done, Failure> {
        self.turn.call(Tool::named(name).expect("it is in the table"), arguments).await
    }

    /// Calls a tool and says what it did.
    pub(super) async fn make(&mut self, name: &str, arguments: Map<String, Value>) -> Option<Done> {
        let done = self.call(name, arguments.clone()).await?;
        let tool = Tool::named(name).expect("it is in the table");
        self.tell(&receipt::of(tool, &arguments, &done, &[], &self.when));
        self.came(Outcome::TaskCompleted);
        if let Some(task) = Named::of(&done.data) {
            self.touch(&[task]);
        }
        Some(done)
    }

    pub(super) async fn read(&mut self, id: &str) -> Option<Value> {
        Some(self.call("get_task", one("id", id)).await?.data)
    }

    pub(super) fn failed(&mut self, failure: &Failure) {
        self.tell(&receipt::failed(failure));
        self.came(receipt::outcome(failure));
    }

    pub(super) fn reply(&mut self, words: &str, outcome: Outcome) {
        self.tell(words);
        self.came(outcome);
    }

    /// Says something on a line of its own.
    pub(super) fn tell(&mut self, words: &str) {
        self.part_off();
        self.turn.say(words);
    }

    fn part_off(&mut self) {
        if !self.turn.said().is_empty() && !self.turn.said().ends_with("\n\n") {
            self.turn.say("\n\n");
        }
    }

    pub(super) fn came(&mut self, outcome: Outcome) {
        self.outcome = Some(self.outcome.map_or(outcome, |before| before.worse(outcome)));
    }

    /// Notes what was spoken of.
    pub(super) fn touch(&mut self, tasks: &[Named]) {
        for task in tasks {
            self.touched.retain(|touched| touched.id != task.id);
            self.touched.push(task.clone());
        }
    }

    /// What was spoken of last, in this message or before.
    pub(super) fn spoken_of(&self) -> &[Named] {
        if self.touched.is_empty() { &self.turn.scene.touched } else { &self.touched }
    }

    /// Notes what was listed; what was spoken of before is no longer what "it" is.
    pub(super) fn listed(&mut self, tasks: Vec<Named>) {
        self.touched = if let [one] = &tasks[..] { vec![one.clone()] } else { Vec::new() };
        self.turn.scene.touched.clone_from(&self.touched);
        self.turn.scene.listed = tasks;
    }

    /// The words of a request.
    pub(super) fn words(&self, intent: &Intent) -> String {
        let words: String = self.text.chars().skip(intent.start).take(intent.end - intent.start).collect();
        words.trim().to_owned()
    }
}

/// What was read, as decisions keep it.
pub(super) fn params(intents: &[Intent], zone: Tz) -> Map<String, Value> {
    let requests: Vec<_> = intents.iter().map(|intent| render_intents(std::slice::from_ref(intent), zone)).collect();
    one("requests", requests)
}

/// Whether a request is about what was spoken of before it.
fn points_back(request: &Request) -> bool {
    let (Request::Complete(Target::Tasks(references))
    | Request::Reopen(Target::Tasks(references))
    | Request::Delete(Target::Tasks(references))
    | Request::Update(Target::Tasks(references), _)
    | Request::Show(references)) = request
    else {
        return false;
    };
    references.iter().any(|reference| matches!(reference, Reference::It | Reference::Both | Reference::All))
}
