//! Lists, counts and questions.

use serde_json::{Map, Value};
use todo_domain::{Timestamp, clock, query::SortKey, task::Status, zone::Tz};
use todo_language::{Ask, Extent, Query, Reference};

use super::{lookup::OPEN_FIRST, session::Session};
use crate::{
    chat::{Named, Outcome},
    receipt::{self, SHOWN},
    words::{When, moment},
};

/// How many tasks are shown with all there is.
const DETAILED: usize = 5;

impl Session<'_> {
    /// Tasks, or how many they are.
    pub(super) async fn list(&mut self, query: &Query) {
        let most = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let (tasks, total) = if is_looked_through(query) {
            let Some(tasks) = self.found(query).await else { return };
            let total = tasks.len();
            (tasks, total)
        } else {
            let mut filter = filter(query, &self.when);
            filter.insert("limit".to_owned(), most.clamp(1, SHOWN).into());
            let Some(mut done) = self.call("list_tasks", filter).await else { return };
            let tasks = done.data["tasks"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let total = done.data["total"].as_u64().and_then(|total| usize::try_from(total).ok());
            (tasks.into_iter().take(most).collect(), total.unwrap_or_default())
        };
        self.came(Outcome::ResponseGiven);
        let what = described(query, total, &self.when);
        if total == 0 {
            return self.tell(&format!("You have no {what}."));
        }
        if query.ask == Ask::Count {
            return self.tell(&format!("You have {total} {what}."));
        }
        let shown: Vec<_> = tasks.into_iter().take(most.min(SHOWN)).collect();
        let listed = receipt::list(&shown, total.min(most), &self.when);
        let lead = if most < total {
            format!("The first {most} of {total} {what}:")
        } else {
            format!("You have {total} {what}:")
        };
        self.tell(&format!("{lead}\n{listed}"));
        self.listed(shown.iter().filter_map(Named::of).collect());
    }

    /// Some tasks with all there is.
    pub(super) async fn show(&mut self, references: &[Reference], intent: &todo_language::Intent) {
        let Some(tasks) = self.named(references, OPEN_FIRST, intent).await else { return };
        for task in tasks.iter().take(DETAILED) {
            if let Some(task) = self.read(&task.id).await {
                let words = receipt::detailed(&task, &self.when);
                self.reply(&words, Outcome::ResponseGiven);
                self.touch(Named::of(&task).as_slice());
            }
        }
        if tasks.len() > DETAILED {
            self.tell(&format!("and {} more", tasks.len() - DETAILED));
        }
    }

    /// All tasks of a bulk request.
    pub(super) async fn matching(&mut self, query: &Query) -> Option<Vec<Value>> {
        let mut tasks = self.found(query).await?;
        if let Some(limit) = query.limit {
            tasks.truncate(limit as usize);
        }
        Some(tasks)
    }

    /// All tasks that a query finds, in its order. What the tool has no filter for is looked at here.
    async fn found(&mut self, query: &Query) -> Option<Vec<Value>> {
        let when = self.when;
        let tasks = match self.all(filter(query, &when)).await {
            Ok(tasks) => tasks,
            Err(failure) => {
                self.failed(&failure);
                return None;
            }
        };
        let fits = |task: &Value| {
            (!query.overdue || when.is_overdue(task))
                && (!query.undated || task["due_date"].is_null())
                && is_within(&task["completed_at"], query.completed.as_ref(), when.zone)
                && is_within(&task["created_at"], query.created.as_ref(), when.zone)
        };
        Some(tasks.into_iter().filter(fits).collect())
    }
}

/// Whether a query asks for what the tool has no filter for.
const fn is_looked_through(query: &Query) -> bool {
    query.overdue || query.undated || query.completed.is_some() || query.created.is_some()
}

/// The arguments of `list_tasks` for a query.
fn filter(query: &Query, when: &When) -> Map<String, Value> {
    let mut filter = Map::new();
    let mut set = |name: &str, value: Value| filter.insert(name.to_owned(), value);
    if !query.statuses.is_empty() {
        set("status", query.statuses.iter().map(|status| status.as_str()).collect());
    }
    if !query.priorities.is_empty() {
        set("priority", query.priorities.iter().map(|priority| priority.as_str()).collect());
    }
    if !query.tags.is_empty() {
        set("tag", query.tags.clone().into());
    }
    if let Some(search) = &query.search {
        set("search", search.clone().into());
    }
    let (from, mut to) = query.due.map_or((None, None), |due| due.bounds(when.zone));
    if query.overdue {
        to = Some(to.map_or(when.now, |to| to.min(when.now)));
    }
    if let Some(from) = from {
        set("due_after", clock::name(from).into());
    }
    if let Some(to) = to {
        set("due_before", clock::name(to).into());
    }
    let (key, descending) = match query.order {
        Some(order) => (order.key, order.descending),
        // What was done last comes first; of what is to be done, what is due first.
        None if query.statuses == [Status::Completed] => (SortKey::UpdatedAt, true),
        None if query.created.is_some() => (SortKey::CreatedAt, true),
        None => (SortKey::DueDate, false),
    };
    set("sort_by", key.as_str().into());
    set("sort_order", if descending { "desc" } else { "asc" }.into());
    filter
}

fn is_within(at: &Value, extent: Option<&Extent>, zone: Tz) -> bool {
    let Some(extent) = extent else { return true };
    let Some(at) = moment(at) else { return false };
    let (from, to) = extent.bounds(zone);
    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
}

/// What a query finds, in words: "overdue tasks", "open task due Wed, Mar 4".
pub(super) fn described(query: &Query, count: usize, when: &When) -> String {
    let mut words = Vec::new();
    match &query.statuses[..] {
        _ if query.overdue => words.push("overdue".to_owned()),
        [] => {}
        [Status::Pending, Status::InProgress] => words.push("open".to_owned()),
        statuses => words.push(statuses.iter().map(|status| named(*status)).collect::<Vec<_>>().join(" or ")),
    }
    if !query.priorities.is_empty() {
        let names: Vec<_> = query.priorities.iter().map(|priority| priority.as_str()).collect();
        words.push(format!("{}-priority", names.join(" or ")));
    }
    words.push(if count == 1 { "task" } else { "tasks" }.to_owned());
    words.extend(query.tags.iter().map(|tag| format!("tagged #{tag}")));
    words.extend(query.search.iter().map(|search| format!("about “{search}”")));
    words.extend(query.due.iter().map(|due| format!("due {}", period(due, when))));
    if query.undated {
        words.push("without a due date".to_owned());
    }
    words.extend(query.completed.iter().map(|done| format!("done {}", period(done, when))));
    words.extend(query.created.iter().map(|created| format!("added {}", period(created, when))));
    words.join(" ")
}

const fn named(status: Status) -> &'static str {
    match status {
        Status::Pending => "not started",
        Status::InProgress => "started",
        Status::Completed => "completed",
    }
}

fn period(extent: &Extent, when: &When) -> String {
    let day = |day| when.day(todo_domain::zone::start_of_day(when.zone, day));
    let at = |at: Timestamp| when.moment(at);
    match *extent {
        Extent::Days { first: Some(first), last: Some(last) } if first == last => format!("on {}", day(first)),
        Extent::Days { first: Some(first), last: Some(last) } => format!("from {} to {}", day(first), day(last)),
        Extent::Days { first: Some(first), last: None } => format!("from {} on", day(first)),
        Extent::Days { first: None, last: Some(last) } => format!("up to {}", day(last)),
        Extent::Instants { from: Some(from), to: Some(to) } if from == to => format!("on {}", at(from)),
        Extent::Instants { from: Some(from), to: Some(to) } => format!("from {} to {}", at(from), at(to)),
        Extent::Instants { from: Some(from), to: None } => format!("from {} on", at(from)),
        Extent::Instants { from: None, to: Some(to) } => format!("before {}", at(to)),
        Extent::Days { first: None, last: None } | Extent::Instants { from: None, to: None } => {
            "at any time".to_owned()
        }
    }
}
