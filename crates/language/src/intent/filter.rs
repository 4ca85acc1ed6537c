//! Filters as they are said: "overdue", "high priority", "tagged home", "this week", "top 3".

use std::ops::Range;

use todo_domain::{
    query::SortKey,
    task::{Priority, Status},
};

use super::{
    line::Line,
    query::{OPEN, Order, Query},
    words::{is_task, is_tasks},
};
use crate::{Extent, lexicon, scan::Scan};

/// More tokens than a filter has.
const LONGEST: usize = 48;

/// A filter as it was read.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) query: Query,
    /// Whether tasks are named as such ("tasks", "my list", "everything").
    pub(super) noun: bool,
    /// Whether all of them are.
    pub(super) all: bool,
    /// How many words or phrases said which.
    pub(super) said: usize,
    /// The tokens that were not understood.
    pub(super) left: Vec<usize>,
}

/// Reads a filter from some tokens.
pub(super) fn filter(line: &Line<'_>, from: usize, to: usize) -> Filter {
    if to > from + LONGEST {
        return Filter { left: (from..to).collect(), ..Filter::default() };
    }
    let mut reader = Reader { line, to, dates: dates(line, from, to), filter: Filter::default(), added: false };
    let mut i = from;
    while i < to {
        i = reader.step(i).max(i + 1);
    }
    reader.finish()
}

struct Reader<'l, 'a> {
    line: &'l Line<'a>,
    to: usize,
    dates: Vec<(Range<usize>, Extent)>,
    filter: Filter,
    /// Whether the dates say when tasks were added.
    added: bool,
}

impl Reader<'_, '_> {
    /// Reads what stands at `i`; the token after it.
    fn step(&mut self, i: usize) -> usize {
        if let Some(next) = self.date(i) {
            return next;
        }
        let found = self
            .phrase(i)
            .or_else(|| self.status(i))
            .or_else(|| self.priority(i))
            .or_else(|| self.tag(i))
            .or_else(|| self.order(i))
            .or_else(|| self.limit(i))
            .or_else(|| self.search(i));
        if let Some(next) = found {
            self.filter.said += 1;
            return next;
        }
        let word = self.line.word(i);
        if is_tasks(word) || is_task(word) || matches!(word, "everything" | "anything" | "all" | "plate") {
            self.filter.noun |= word != "all";
            self.filter.all |= matches!(word, "all" | "everything");
        } else if self.line.is_quoted(i) || !word.is_empty() && !is_stop(word) {
            self.filter.left.push(i);
        }
        i + 1
    }

    fn date(&mut self, i: usize) -> Option<usize> {
        let start = self.line.start_of(i);
        let Some((range, extent)) = self.dates.iter().find(|(range, _)| range.start == start).cloned() else {
            return self.present_period(i);
        };
        let next = (i..self.to).find(|i| self.line.start_of(*i) >= range.end).unwrap_or(self.to);
        self.filter.query.due = Some(extent);
        self.filter.said += 1;
        Some(next)
    }

    /// "for the weekend" is this one.
    fn present_period(&mut self, i: usize) -> Option<usize> {
        let next = self.line.after_any(i, "the weekend|the week|the month|weekend")?;
        let (_, extent) = crate::dates(&format!("this {}", self.line.word(next - 1)), self.line.context).pop()?;
        self.filter.query.due = Some(extent);
        self.filter.said += 1;
        Some(next)
    }

    fn phrase(&mut self, i: usize) -> Option<usize> {
        const UNDATED: &str = "without a due date|without due date|without a date|without a deadline|with no due date|with no date|\
            no due date|no date|undated";
        let line = self.line;
        let query = &mut self.filter.query;
        if let Some(next) = line.after_any(i, "get done|to be done|be done|to do|need doing|past") {
            return (line.word(i) != "past" || line.word(i + 1) == "due").then_some(next).map(|next| {
                if line.word(i) == "past" {
                    query.overdue = true;
                    return next + 1;
                }
                next
            });
        }
        if let Some(next) = line.after_any(i, "overdue|late|running late|behind on|behind|missed|past due") {
            query.overdue = true;
            return Some(next);
        }
        if let Some(next) = line.after_any(i, UNDATED) {
            query.undated = true;
            return Some(next);
        }
        if let Some(next) = line.after_any(i, "added|created|add|create|recently added|made") {
            self.added = true;
            return Some(next);
        }
        None
    }

    fn status(&mut self, i: usize) -> Option<usize> {
        const NOT_DONE: &str = "not done yet|not done|not finished|not completed|not complete|not yet done|haven't i done|\
            haven't i finished|haven't i completed|haven't done|haven't finished|haven't completed|didn't finish|\
            didn't do|still open|unfinished|incomplete|uncompleted|undone|open|outstanding|remaining|left to do|left|\
            active";
        const UNDER_WAY: &str = "in progress|working on|started|ongoing|underway|under way|doing right now";
        const DONE: &str = "completed|finished|done|closed|checked off|ticked off|accomplished|accomplish|get finished|complete|\
            finish|achieve|did";
        let (line, query) = (self.line, &mut self.filter.query);
        let (statuses, next): (&[Status], usize) = if let Some(next) = line.after_any(i, NOT_DONE) {
            (&OPEN, next)
        } else if let Some(next) = line.after_any(i, UNDER_WAY) {
            (&[Status::InProgress], next)
        } else if let Some(next) = line.after_any(i, DONE) {
            (&[Status::Completed], next)
        } else if matches!(line.word(i), "pending" | "unstarted") {
            (&[Status::Pending], i + 1)
        } else {
            return None;
        };
        // "what did i finish": "did" asks.
        if line.word(i) == "did" && next == i + 1 && line.word(i + 1) == "i" {
            return Some(if matches!(line.word(i + 2), "do" | "get") {
                query.statuses = vec![Status::Completed];
                i + 3
            } else {
                i + 2
            });
        }
        for status in statuses {
            if !query.statuses.contains(status) {
                query.statuses.push(*status);
            }
        }
        Some(next)
    }

    fn priority(&mut self, i: usize) -> Option<usize> {
        let line = self.line;
        let noun = |i: usize| {
            let i = if line.sign(i) == Some('-') { i + 1 } else { i };
            matches!(line.word(i), "priority" | "prio" | "importance" | "priorities").then_some(i + 1)
        };
        let list = &mut self.filter.query.priorities;
        let mut add = |priority: Priority| {
            if !list.contains(&priority) {
                list.push(priority);
            }
        };
        if line.at(i, "priority") && matches!(line.word(i + 1), "high" | "medium" | "low") {
            add(level(line.word(i + 1))?);
            return Some(i + 2);
        }
        if line.sign(i) == Some('!') && line.glued(i + 1) {
            add(level(line.word(i + 1))?);
            return Some(i + 2);
        }
        if matches!(line.word(i), "urgent" | "important" | "critical") {
            add(Priority::High);
            return Some(i + 1);
        }
        if line.word(i) == "p" && line.glued(i + 1) {
            add(match line.number(i + 1)? {
                1 => Priority::High,
                2 => Priority::Medium,
                3 | 4 => Priority::Low,
                _ => return None,
            });
            return Some(i + 2);
        }
        if line.word(i) == "top" && noun(i + 1).is_some() {
            add(Priority::High);
            return noun(i + 1);
        }
        let priority = level(line.word(i))?;
        let said = noun(i + 1).or_else(|| {
            let next = if matches!(line.word(i + 1), "and" | "or") || line.sign(i + 1) == Some(',') {
                i + 2
            } else {
                return None;
            };
            level(line.word(next)).and(noun(next + 1)).map(|_| i + 1)
        });
        let next = said?;
        add(priority);
        Some(next)
    }

    fn tag(&mut self, i: usize) -> Option<usize> {
        const LEADS: &str = "tagged with|tagged as|tagged|labeled|labelled|with the tag|with tag|with the label|with label|\
            under the tag|tag|in category";
        let line = self.line;
        let tags = &mut self.filter.query.tags;
        if line.sign(i) == Some('#') {
            let end = (i + 1..self.to).find(|i| !line.glued(*i)).unwrap_or(self.to);
            tags.push(line.text_of(i + 1, end).trim_matches(['"', ',', '?']).to_owned());
            return (end > i + 1).then_some(end);
        }
        if let Some(next) = line.after_any(i, LEADS).filter(|next| *next < self.to) {
            let next = if line.sign(next) == Some('#') { next + 1 } else { next };
            tags.push(line.text_of(next, next + 1).trim_matches('"').to_owned());
            let and = next + 1;
            if line.word(and) == "and" && and + 1 < self.to && !is_stop(line.word(and + 1)) {
                tags.push(line.text_of(and + 1, and + 2).to_owned());
                return Some(and + 2);
            }
            return Some(next + 1);
        }
        // "my shopping list".
        let start = line.skip(i, "my|the|our");
        let named = start > i && line.word(start + 1) == "list" && !line.word(start).is_empty();
        let word = line.word(start);
        if named && !is_task(word) && !is_stop(word) && level(word).is_none() && !is_adjective(word) {
            tags.push(word.to_owned());
            self.filter.noun = true;
            return Some(start + 2);
        }
        None
    }

    fn order(&mut self, i: usize) -> Option<usize> {
        const PRIORITY: &str = "most urgent|most important|highest priority|most pressing";
        const KEYS: [(&str, SortKey); 14] = [
            ("due date", SortKey::DueDate),
            ("due", SortKey::DueDate),
            ("deadline", SortKey::DueDate),
            ("date added", SortKey::CreatedAt),
            ("date created", SortKey::CreatedAt),
            ("creation date", SortKey::CreatedAt),
            ("creation", SortKey::CreatedAt),
            ("date", SortKey::DueDate),
            ("priority", SortKey::Priority),
            ("urgency", SortKey::Priority),
            ("importance", SortKey::Priority),
            ("title", SortKey::Title),
            ("name", SortKey::Title),
            ("last update", SortKey::UpdatedAt),
        ];
        let line = self.line;
        let mut set = |key, descending, next| {
            self.filter.query.order = Some(Order { key, descending });
            Some(next)
        };
        if let Some(next) = line.after_any(i, PRIORITY) {
            return set(SortKey::Priority, false, next);
        }
        if let Some(next) = line.after_any(i, "newest first|newest|latest|most recent|recent|recently") {
            return set(SortKey::CreatedAt, true, next);
        }
        if let Some(next) = line.after_any(i, "oldest first|oldest") {
            return set(SortKey::CreatedAt, false, next);
        }
        if let Some(next) = line.after_any(i, "alphabetically|in alphabetical order|alphabetical|a to z") {
            return set(SortKey::Title, false, next);
        }
        if let Some(next) = line.after_any(i, "soonest first|soonest|earliest first|earliest|upcoming|coming up") {
            return set(SortKey::DueDate, false, next);
        }
        let sorted = line.after_any(i, "sorted|sort|ordered|order|grouped|group|arranged");
        let by = sorted.unwrap_or(i);
        if line.word(by) != "by" {
            return None;
        }
        let start = line.skip(by + 1, "their|the|my");
        let (key, next) = KEYS.iter().find_map(|(words, key)| Some((*key, line.after(start, words)?)))?;
        let end = line.skip(next, "descending|desc|in reverse|reversed");
        set(key, end > next, end)
    }

    fn limit(&mut self, i: usize) -> Option<usize> {
        let line = self.line;
        let number = |i: usize| {
            line.number(i)
                .or_else(|| lexicon::small(line.word(i)).filter(|n| *n > 1))
                .filter(|n| (1..=1_000).contains(n))
        };
        let word = line.word(i);
        let (limit, next) = match word {
            "top" | "first" | "next" | "last" => match number(i + 1) {
                Some(number) => (number, i + 2),
                None if word != "last" && is_task(line.word(i + 1)) && !is_tasks(line.word(i + 1)) => (1, i + 1),
                None if word == "next" && (i + 1 == self.to || line.word(i + 1) == "up") => (1, i + 1),
                None => return None,
            },
            "single" => (1, i + 1),
            _ => {
                let most = matches!(line.word(i + 1), "most" | "newest" | "oldest" | "latest" | "next" | "highest");
                (number(i).filter(|_| most || is_tasks(line.word(i + 1)))?, i + 1)
            }
        };
        let query = &mut self.filter.query;
        query.limit = Some(limit);
        if query.order.is_none() {
            query.order = match word {
                "next" => Some(Order { key: SortKey::DueDate, descending: false }),
                "last" => Some(Order { key: SortKey::CreatedAt, descending: true }),
                "top" => Some(Order { key: SortKey::Priority, descending: false }),
                _ => None,
            };
        }
        Some(next)
    }

    fn search(&mut self, i: usize) -> Option<usize> {
        const LEADS: &str = "about the|about my|about|containing|that contain|that mention|mentioning|matching|related to|regarding|\
            concerning|with the word|with the words|that include|including|called|named|having to do with";
        let start = self.line.after_any(i, LEADS)?;
        let dated = |i: &usize| self.dates.iter().any(|(range, _)| range.start == self.line.start_of(*i));
        let end = (start..self.to).find(dated).unwrap_or(self.to);
        let text = self.line.text_of(start, end).trim_matches(['"', '“', '”', '\'', '?', '.']);
        // "about my list".
        if is_tasks(text) {
            self.filter.noun = true;
            return Some(end);
        }
        if text.is_empty() {
            return None;
        }
        self.filter.query.search = Some(text.to_owned());
        Some(end)
    }

    fn finish(mut self) -> Filter {
        let query = &mut self.filter.query;
        if query.statuses == [Status::Completed] {
            query.completed = query.due.take();
        } else if self.added {
            query.created = query.due.take();
        } else if query.statuses.is_empty() && (!self.filter.all || query.overdue) {
            query.statuses = OPEN.to_vec();
        }
        self.filter
    }
}

/// A level of priority.
pub(super) fn level(word: &str) -> Option<Priority> {
    match word {
        "high" | "highest" | "urgent" | "important" | "top" | "critical" => Some(Priority::High),
        "medium" | "normal" | "med" | "default" => Some(Priority::Medium),
        "low" | "lowest" => Some(Priority::Low),
        _ => None,
    }
}

/// The dates in some tokens, with their places in bytes. "today's" is today.
fn dates(line: &Line<'_>, from: usize, to: usize) -> Vec<(Range<usize>, Extent)> {
    let text = line.text_of(from, to);
    let base = line.start_of(from);
    let plain = text.replace("'s", "  ").replace("’s", "    ").replace("'S", "  ");
    let scan = Scan::new(&plain, line.context, false);
    let mut dates = Vec::new();
    let mut i = 0;
    while i < scan.tokens.len() {
        let found = scan.phrase(i).and_then(|(phrase, next)| Some((scan.extent(&phrase)?, next)));
        match found {
            Some((extent, next)) if next > i => {
                dates.push((base + scan.tokens[i].start..base + scan.tokens[next - 1].end, extent));
                i = next;
            }
            _ => i += 1,
        }
    }
    dates
}

fn is_adjective(word: &str) -> bool {
    matches!(
        word,
        "whole"
            | "entire"
            | "full"
            | "current"
            | "complete"
            | "completed"
            | "overdue"
            | "open"
            | "pending"
            | "daily"
            | "last"
            | "next"
            | "first"
            | "second"
            | "same"
            | "new"
            | "old"
    )
}

/// Words of questions that say nothing about which tasks.
pub(super) fn is_stop(word: &str) -> bool {
    const STOP: &str = "a an the my our me us i you we of on in at for to with by from and or as is are am was were be been being \
        do does did have has had got get need needs needed want wants should shall must can could will would going there it \
        its that these those this which what what's who how many much any some every each due so far still yet already \
        currently current now please here up left over also too only just really supposed whole entire full today's \
        assigned scheduled planned set let list's there's else ones one out name names number show tell see give look \
        ahead priorities waiting happening like about right first that's they're how's thing finally again coming main exist exists total";
    !word.is_empty() && STOP.split_ascii_whitespace().any(|stop| stop == word)
}
