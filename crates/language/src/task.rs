//! A task out of a line of text: what was found in it, what that means together, and what is left as the title.

use std::ops::Range;

use todo_domain::{
    Timestamp, limits,
    task::{Draft, ReminderDraft},
};

use crate::{
    Context, Extent,
    date::Kind,
    explain,
    find::{Found, Item, find},
    phrase::{Lead, Phrase},
    reading::{Offsets, Reading, Refusal, Span, SpanKind, byte_range},
    reminder::Ring,
    rule::Rule,
    scan::Scan,
    series::{self, Series},
    title::{join, trim_title},
};

/// Reads a text as a task. Whatever is not understood stays in the title.
#[must_use]
pub fn parse_task(text: &str, context: &Context) -> Reading {
    let scan = Scan::new(text, context, false);
    let first = read(&scan);
    // A text that is nothing but a date may say it more freely than one with a task in it.
    if first.has_title
        && let Some(alone) = parse_phrase(text, context)
    {
        return alone;
    }
    first
}

/// Reads a text that is nothing but a date, a time, a recurrence, a reminder or a mark, as when one of them is
/// edited: "friday", "every 1st at 9am". Nothing if there is more in the text.
#[must_use]
pub fn parse_phrase(text: &str, context: &Context) -> Option<Reading> {
    let scan = Scan::new(text, context, true);
    let dated = |reading: &Reading| {
        reading.draft.due.is_some() || reading.draft.recurrence.is_some() || !reading.spans.is_empty()
    };
    Some(read(&scan)).filter(|reading| !reading.has_title && dated(reading))
}

/// The dates in a text, each with its place: for filters ("what's due this week").
#[must_use]
pub fn dates(text: &str, context: &Context) -> Vec<(Span, Extent)> {
    let find = |alone: bool| {
        let scan = Scan::new(text, context, alone);
        let mut offsets = Offsets::new(text);
        let mut dates = Vec::new();
        let mut i = 0;
        while i < scan.tokens.len() {
            let phrase = scan.phrase(i).and_then(|(phrase, next)| Some((scan.extent(&phrase)?, next)));
            match phrase {
                Some((extent, next)) => {
                    dates.push((offsets.span(&scan, &(i..next), SpanKind::Due), extent));
                    i = next.max(i + 1);
                }
                None => i += 1,
            }
        }
        (dates, scan.tokens.len())
    };
    let (strict, _) = find(false);
    if !strict.is_empty() {
        return strict;
    }
    // A text that is nothing but a date.
    let (free, _) = find(true);
    let whole = free.len() == 1 && free[0].0.text.trim() == text.trim();
    if whole { free } else { strict }
}

fn read(scan: &Scan<'_>) -> Reading {
    let mut task =
        Assembly { scan, found: find(scan), draft: Draft::default(), series: None, refused: Vec::new(), due_at: None };
    task.marks();
    task.dates();
    task.reminders();
    task.finish()
}

struct Assembly<'s, 'a> {
    scan: &'s Scan<'a>,
    found: Vec<Found>,
    draft: Draft,
    series: Option<Series>,
    refused: Vec<Refusal>,
    /// What a leading "remind me tomorrow at 9" makes the due date.
    due_at: Option<Phrase>,
}

impl Assembly<'_, '_> {
    fn marks(&mut self) {
        for found in &mut self.found {
            match &found.item {
                Item::Tag(tag) => {
                    self.draft.tags.push(tag.clone());
                    found.used = Some(SpanKind::Tag);
                }
                Item::Priority(priority) => {
                    self.draft.priority = *priority;
                    found.used = Some(SpanKind::Priority);
                }
                Item::Description(description) => {
                    self.draft.description.clone_from(description);
                    found.used = Some(SpanKind::Description);
                }
                _ => {}
            }
        }
    }

    /// The due date and the recurrence.
    fn dates(&mut self) {
        self.leading_reminder();
        let repeats = self.found.iter().any(|found| matches!(found.item, Item::Repeat(_)));
        for index in 0..self.found.len() {
            match self.found[index].item {
                Item::Unread => self.refuse(index, "a rule that is not clear"),
                Item::Clocks(_) if !repeats => self.refuse(index, "more than one time"),
                _ => {}
            }
        }
        let repeat = self.found.iter().position(|found| matches!(found.item, Item::Repeat(_)));
        match repeat {
            Some(index) => self.recurring(index),
            None => self.once(),
        }
    }

    /// "Remind me tomorrow at 9 to call": that is when it is due, if nothing else says so.
    fn leading_reminder(&mut self) {
        let Some(Found { item: Item::Reminder(clause), .. }) = self.found.first() else { return };
        let others = self.found.iter().any(|found| matches!(found.item, Item::Phrase(_)));
        if let (true, false, [Ring::At(phrase)]) = (clause.leads, others, &clause.rings[..]) {
            self.due_at = Some(*phrase);
        }
    }

    fn phrases(&self) -> Vec<(usize, Phrase)> {
        let phrase = |(index, found): (usize, &Found)| match found.item {
            Item::Phrase(phrase) => Some((index, phrase)),
            _ => None,
        };
        self.found.iter().enumerate().filter_map(phrase).collect()
    }

    /// A task that is due once: of several dates the one that says it is the due date, else the last that is to come.
    fn once(&mut self) {
        let phrases = self.phrases();
        let unread = self.found.iter().any(|found| match &found.item {
            Item::Unread | Item::Clocks(_) => true,
            Item::Phrase(phrase) => phrase.moment.conflict,
            _ => false,
        });
        if let Some((first, second)) = self.listed_days(&phrases) {
            self.refuse(first, "more than one day");
            self.refuse(second, "more than one day");
            return;
        }
        let chosen = phrases
            .iter()
            .filter(|(_, phrase)| !unread || !phrase.moment.is_time_only())
            .filter_map(|(index, phrase)| Some((*index, *phrase, self.rank(*index, phrase)?)))
            .max_by_key(|(index, _, rank)| (*rank, *index));
        let Some((index, mut phrase, _)) = chosen else {
            for (index, phrase) in &phrases {
                self.refuse(
                    *index,
                    if phrase.moment.conflict { "the date is on another weekday" } else { "not clearly a due date" },
                );
            }
            if let Some(phrase) = self.due_at {
                self.set_due(&phrase);
            }
            return;
        };
        // Day and time may stand apart: "tomorrow call Bob at 5".
        let other = phrases.iter().rev().filter(|(other, _)| *other != index).find_map(|(other, more)| {
            let fits = more.to.is_none() && phrase.to.is_none() && self.rank(*other, more).is_some();
            Some((*other, phrase.moment.merged(more.moment).filter(|_| fits)?))
        });
        if let Some((other, moment)) = other {
            phrase.moment = moment;
            self.found[other].used =
                Some(if phrases.iter().any(|(it, more)| *it == other && more.moment.is_time_only()) {
                    SpanKind::Time
                } else {
                    SpanKind::Due
                });
        }
        if self.set_due(&phrase) {
            let time_only = other.is_some() && self.found[index].used.is_none() && {
                matches!(self.found[index].item, Item::Phrase(Phrase { moment, .. }) if moment.is_time_only())
            };
            self.found[index].used = Some(if time_only { SpanKind::Time } else { SpanKind::Due });
        } else if let Some((other, _)) = other {
            self.found[other].used = None;
        }
        for (other, _) in phrases {
            if self.found[other].used.is_none() && other != index {
                let Item::Phrase(phrase) = self.found[other].item else { continue };
                let conflict = phrase.moment.conflict;
                self.refuse(
                    other,
                    if conflict { "the date is on another weekday" } else { "another date says when it is due" },
                );
            }
        }
    }

    /// "Tomorrow and thursday": two days of which neither is more the due date than the other.
    fn listed_days(&self, phrases: &[(usize, Phrase)]) -> Option<(usize, usize)> {
        phrases.windows(2).find_map(|pair| {
            let [(first, one), (second, two)] = pair else { return None };
            let between = self.found[*first].tokens.end..self.found[*second].tokens.start;
            let listed = between.len() == 1 && matches!(self.scan.word(between.start), "and" | "or");
            let days = |phrase: &Phrase| phrase.moment.days.is_some();
            (listed && days(one) && days(two)).then_some((*first, *second))
        })
    }

    /// How likely a date is the due date; nothing if it cannot be.
    fn rank(&self, index: usize, phrase: &Phrase) -> Option<u8> {
        let extent = self.scan.extent(&Phrase { lead: Lead::None, ..*phrase })?;
        let tokens = &self.found[index].tokens;
        let before = tokens.start.checked_sub(1).map_or("", |before| self.scan.word(before));
        let past = match extent {
            Extent::Days { last, .. } => {
                let counted = phrase.moment.days.is_some_and(|days| days.kind == Kind::Past);
                counted || last.is_some_and(|last| last < self.scan.today)
            }
            Extent::Instants { to, .. } => to.is_some_and(|to| to < self.scan.context.now),
        };
        if matches!(phrase.lead, Lead::Since) || matches!(before, "of" | "about" | "than") && phrase.lead == Lead::None
        {
            return None;
        }
        if phrase.lead == Lead::From && self.scan.word(tokens.start) == "from" && !phrase.moment.has_time() {
            return None;
        }
        // "last week's numbers" and "Yesterday by the Beatles" are things.
        if past && phrase.lead == Lead::None && !self.scan.is_end(tokens.end) {
            return None;
        }
        Some(match phrase.lead {
            Lead::Due => 4,
            Lead::By | Lead::Before | Lead::Until | Lead::Through => 3,
            _ if past => 1,
            _ => 2,
        })
    }

    /// Sets the due date: the day or instant itself, the beginning of a range to come, the end of one that has begun.
    fn set_due(&mut self, phrase: &Phrase) -> bool {
        let Some((due, all_day)) = due_of(self.scan, phrase) else { return false };
        (self.draft.due, self.draft.due_all_day) = (Some(due), all_day);
        true
    }

    fn refuse(&mut self, index: usize, reason: &'static str) {
        let text = self.text(&self.found[index].tokens);
        self.refused.push(Refusal { text, reason });
    }

    fn text(&self, tokens: &Range<usize>) -> String {
        byte_range(self.scan, tokens).and_then(|bytes| self.scan.text.get(bytes)).unwrap_or_default().to_owned()
    }

    /// A task that comes again: dates say when it begins and ends, times at what time of day.
    fn recurring(&mut self, index: usize) {
        let Item::Repeat(repeat) = self.found[index].item.clone() else { return };
        let mut series = Series::new(repeat);
        let mut used = vec![index];
        for (other, found) in self.found.iter().enumerate() {
            let taken = match &found.item {
                Item::Phrase(phrase) => series.take(phrase, self.scan),
                Item::Clocks(clocks) if series.repeat.clocks.is_empty() => {
                    series.take_clocks(clocks);
                    true
                }
                Item::Count(count) if series.count.is_none() => {
                    series.count = Some(*count);
                    true
                }
                Item::Lasting(length) if series.lasting.is_none() => {
                    series.lasting = Some(*length);
                    true
                }
                _ => false,
            };
            if taken {
                used.push(other);
            }
        }
        if series.start.is_none()
            && let Some(phrase) = self.due_at
        {
            series.take(&phrase, self.scan);
        }
        let Some((due, all_day, recurrence)) = series.settle(self.scan) else {
            self.refuse(index, "a rule that never comes true");
            self.once();
            return;
        };
        (self.draft.due, self.draft.due_all_day, self.draft.recurrence) = (Some(due), all_day, Some(recurrence));
        for other in used {
            self.found[other].used = Some(SpanKind::Recurrence);
        }
        self.series = Some(series);
        for other in 0..self.found.len() {
            let found = &self.found[other];
            if found.used.is_none() && matches!(found.item, Item::Repeat(_) | Item::Phrase(_)) {
                self.refuse(other, "one rule is enough for a task");
            }
        }
    }

    fn reminders(&mut self) {
        for index in 0..self.found.len() {
            let Item::Reminder(clause) = self.found[index].item.clone() else { continue };
            let mut drafts = Vec::new();
            if clause.leads && (clause.rings.is_empty() || self.due_at.is_some()) {
                // "Remind me to call at 5".
                if self.draft.due.is_some() {
                    drafts.push(ReminderDraft { before_due_seconds: Some(0), ..ReminderDraft::default() });
                }
                self.found[index].used = Some(SpanKind::Reminder);
            } else {
                drafts.extend(clause.rings.iter().filter_map(|ring| self.reminder(ring)));
                if drafts.len() == clause.rings.len() {
                    self.found[index].used = Some(SpanKind::Reminder);
                } else {
                    drafts.clear();
                    self.refuse(index, "a reminder before the due date needs one");
                }
            }
            if self.draft.reminders.len() + drafts.len() > limits::REMINDERS_MAX {
                self.refuse(index, "a task has at most 5 reminders");
            }
            for draft in drafts {
                if self.draft.reminders.len() < limits::REMINDERS_MAX && !self.draft.reminders.contains(&draft) {
                    self.draft.reminders.push(draft);
                }
            }
        }
    }

    fn reminder(&self, ring: &Ring) -> Option<ReminderDraft> {
        let base = self.draft.due.map(|due| series::reminder_base(due, self.draft.due_all_day, self.scan.context));
        let relative = |seconds: i64| {
            (0..=limits::BEFORE_DUE_MAX_SECONDS)
                .contains(&seconds)
                .then_some(ReminderDraft { before_due_seconds: Some(seconds), ..ReminderDraft::default() })
        };
        match ring {
            Ring::Before(length, time) => {
                let base = base?;
                match (length.fixed_seconds(), time) {
                    (Some(seconds), None) => relative(seconds),
                    (_, time) => relative(series::seconds_before(base, *length, *time, self.scan)?),
                }
            }
            Ring::At(phrase) => {
                let at = series::ring_at(phrase, self.draft.due, self.scan)?;
                match (&self.series, base) {
                    // Of a task that comes again each has its own reminder.
                    (Some(_), Some(base)) if phrase.moment.is_time_only() => {
                        relative(base.signed_duration_since(at).num_seconds().rem_euclid(86_400))
                    }
                    _ => Some(ReminderDraft { trigger_at: Some(at), ..ReminderDraft::default() }),
                }
            }
        }
    }

    fn finish(mut self) -> Reading {
        let (title, left) = self.title();
        self.draft.title = title;
        let mut offsets = Offsets::new(self.scan.text);
        let spans = self
            .found
            .iter()
            .filter_map(|found| Some(offsets.span(self.scan, &found.tokens, found.used?)))
            .collect::<Vec<_>>();
        let rule: Option<&Rule> = self.series.as_ref().map(|series| &series.repeat.rule);
        let explanation = explain::explain(&self.draft, rule, self.scan.context);
        Reading { draft: self.draft, spans, explanation, refused: self.refused, has_title: left }
    }

    /// What is left of the text, and whether that is anything.
    fn title(&self) -> (String, bool) {
        let text = self.scan.text;
        let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.found.iter().all(|found| found.used.is_none()) {
            return (whole, true);
        }
        let mut kept = String::new();
        let mut at = 0;
        for found in self.found.iter().filter(|found| found.used.is_some()) {
            let Some(bytes) = byte_range(self.scan, &found.tokens) else { continue };
            join(&mut kept, &text[at..bytes.start]);
            at = bytes.end;
        }
        join(&mut kept, &text[at..]);
        let leads =
            |found: &Found| matches!(&found.item, Item::Reminder(clause) if clause.leads) && found.used.is_some();
        let to = kept.split_once(' ').filter(|(to, _)| matches!(*to, "to" | "about" | "that"));
        let kept = match to {
            Some((_, rest)) if self.found.first().is_some_and(leads) => rest,
            _ => &kept,
        };
        let title = trim_title(kept);
        if title.chars().any(char::is_alphanumeric) { (title.to_owned(), true) } else { (whole, false) }
    }
}

/// The due date that a phrase makes, and whether it is the day as such.
pub(crate) fn due_of(scan: &Scan<'_>, phrase: &Phrase) -> Option<(Timestamp, bool)> {
    let lead = if phrase.lead == Lead::After { Lead::After } else { Lead::None };
    let extent = scan.extent(&Phrase { lead, ..*phrase })?;
    match extent {
        Extent::Days { first, last } => {
            let first = first?;
            let past = phrase.moment.days.is_some_and(|days| days.kind == Kind::Past);
            let begun = last.filter(|last| phrase.to.is_none() && !past && first <= scan.today && *last >= scan.today);
            let day = begun.unwrap_or(first);
            Some((todo_domain::zone::start_of_day(scan.context.zone, day), true))
        }
        Extent::Instants { from, to } => {
            let from = from?;
            let begun = to.filter(|to| from <= scan.context.now && *to > scan.context.now);
            Some((todo_domain::clock::micros(begun.unwrap_or(from)), false))
        }
    }
}
