//! Reminders: "remind me 1 hour before", "remind me at 8", "with a reminder the day before at 6pm".

use crate::{
    clock::Clock,
    lexicon::{self, Part, Unit},
    number::Length,
    phrase::Phrase,
    scan::{Cue, Parsed, Scan},
};

/// When a reminder rings, as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ring {
    /// So long before the task is due; with a time, at that time of the day that is so long before.
    Before(Length, Option<(Clock, Option<Part>)>),
    /// At a time that does not depend on the task.
    At(Phrase),
}

/// A clause about reminders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) rings: Vec<Ring>,
    /// Whether it is what the text begins with, so that what follows is what to be reminded of.
    pub(crate) leads: bool,
}

impl Scan<'_> {
    /// A clause about reminders that begins at `i`.
    pub(crate) fn reminder(&self, i: usize) -> Parsed<Clause> {
        if !self.begins(i) {
            return None;
        }
        let leads = i == 0;
        let opening = self.skip_word(i, &["and", "with", "plus", "please", "also", "then"]);
        let opening = self.skip_word(opening, &["please", "set", "add", "send", "give"]);
        let opening = self.skip_word(opening, &["me", "a", "an", "the", "my"]);
        let opening = self.skip_word(opening, &["a", "an"]);
        let (noun, start) = match self.word(opening) {
            "remind" | "notify" | "alert" | "nudge" | "ping" => {
                let me = self.skip_word(opening + 1, &["me", "us"]);
                if me == opening + 1 && self.word(opening) != "remind" && self.word(opening) != "alert" {
                    return None;
                }
                (me == opening + 1, me)
            }
            "reminder" | "reminders" | "alarm" | "notification" => (true, opening + 1),
            _ => return None,
        };
        let start = if self.glued_sign(start) == Some(':') { start + 1 } else { start };
        let about = self.skip_word(start, &["about", "of"]);
        let about = if about > start && matches!(self.word(about), "it" | "this" | "that") { about + 1 } else { start };
        let mut rings = Vec::new();
        let mut end = start;
        let mut next = about;
        while let Some((ring, after)) = self.ring(next, noun).filter(|_| rings.len() < 8) {
            rings.push(ring);
            end = after;
            let joint = self.skip_word(self.skip_comma(after), &["and", "plus"]);
            let joint = if self.sign(joint) == Some('&') { joint + 1 } else { joint };
            if joint == after {
                break;
            }
            next = self.skip_word(joint, &["again", "also"]);
        }
        if rings.is_empty() && (noun || !leads) {
            return None;
        }
        if leads && !noun {
            let to = self.skip_word(end, &["to", "about", "that", "of"]);
            let end = if self.sign(to) == Some(':') || self.sign(to) == Some(',') { to + 1 } else { to };
            return Some((Clause { rings, leads: true }, end));
        }
        // Two lengths that share one "before": "1 day and 1 hour before".
        Some((Clause { rings, leads: false }, end))
    }

    fn ring(&self, i: usize, noun: bool) -> Parsed<Ring> {
        let i = self.skip_word(i, &["for", "set"]);
        self.before_due(i, noun).or_else(|| {
            let (phrase, next) = self.phrase(i)?;
            Some((Ring::At(phrase), next))
        })
    }

    /// "1 hour before", "the day before at 6pm", "when due", "on the day at 8".
    fn before_due(&self, i: usize, noun: bool) -> Parsed<Ring> {
        let none = Length::default();
        if let Some(next) = self.when_due(i) {
            return Some((Ring::Before(none, None), next));
        }
        if let Some((days, part, next)) = self.named_day_before(i) {
            let (time, end) = self.at_time(next);
            let part = part.filter(|_| time.is_none());
            let time = time
                .map(|clock| (clock, None))
                .or_else(|| part.and_then(|part| Some((Clock::exact(part.hour(), 0)?, None))));
            return Some((Ring::Before(Length::days(days), time), end));
        }
        let i = self.skip_word(i, &["at", "by"]);
        let (length, next) = self.length_of_ring(i)?;
        let before = match self.word(next) {
            "before" | "beforehand" | "earlier" | "prior" | "ahead" | "early" => Some(next + 1),
            "in" if self.word(next + 1) == "advance" => Some(next + 2),
            _ => None,
        };
        let Some(before) = before else {
            // "reminder 30 min": the time before is meant; two lengths may share one "before".
            let shared = self.word(next) == "and"
                && self.length_of_ring(next + 1).is_some_and(|(_, end)| {
                    matches!(self.word(end), "before" | "beforehand" | "earlier" | "prior" | "ahead")
                });
            let bare = noun && self.closes(next) && self.ends(next) && !matches!(self.word(next), "from" | "after");
            return (shared || bare).then_some((Ring::Before(length, None), next));
        };
        let end = self.skip_due(self.skip_word(before, &["to", "of"]));
        let (time, end) = if length.is_whole_days() { self.at_time(end) } else { (None, end) };
        self.ends(end).then_some((Ring::Before(length, time.map(|clock| (clock, None))), end))
    }

    /// A length of hours and minutes is one; "1 day and 1 hour" are two.
    fn length_of_ring(&self, i: usize) -> Parsed<Length> {
        let (length, next) = self.length(i)?;
        let mixed = (length.days != 0 || length.months != 0) && length.seconds != 0;
        if !mixed {
            return Some((length, next));
        }
        let and = (i..next).rfind(|at| self.word(*at) == "and")?;
        let (first, end) = self.length_until(i, and)?;
        (end == and).then_some((first, end))
    }

    /// "when it's due", "at the time", "on time".
    fn when_due(&self, i: usize) -> Option<usize> {
        const FORMS: [&[&str]; 12] = [
            &["when", "it", "is", "due"],
            &["when", "it's", "due"],
            &["when", "its", "due"],
            &["when", "due"],
            &["at", "the", "due", "time"],
            &["at", "due", "time"],
            &["at", "that", "time"],
            &["at", "the", "time"],
            &["at", "time", "of", "event"],
            &["on", "time"],
            &["on", "the", "due", "date"],
            &["then"],
        ];
        FORMS.iter().find(|form| self.words(i, form)).map(|form| i + form.len()).filter(|next| self.closes(*next))
    }

    /// "the day before", "the night before", "on the day", "the morning of": days before, and the part of the day.
    fn named_day_before(&self, i: usize) -> Option<(i64, Option<Part>, usize)> {
        let start = self.skip_word(i, &["on", "in", "at"]);
        let start = self.skip_word(start, &["the", "that", "same", "a"]);
        let start = self.skip_word(start, &["same", "previous", "very"]);
        let word = self.word(start);
        let before = matches!(self.word(start + 1), "before" | "prior" | "earlier");
        let previous = start > i && self.word(start - 1) == "previous";
        if before || previous {
            let next = if before { self.skip_due(start + 2) } else { start + 1 };
            if let Some(part) = lexicon::part(word).filter(|part| *part != Part::Noon) {
                return Some((1, Some(part), next));
            }
            let days = match lexicon::unit(word)? {
                Unit::Day => 1,
                Unit::Week => 7,
                _ => return None,
            };
            let (part, next) = self.in_part(next);
            return Some((days, part, next));
        }
        let same = start > i && matches!(self.word(start - 1), "the" | "that" | "same");
        if same && word == "day" {
            let next = self.skip_due(self.skip_word(start + 1, &["of", "itself"]));
            let (part, end) = self.in_part(next);
            return (self.closes(end) || end > next).then_some((0, part, end));
        }
        if same && self.word(start + 1) == "of" {
            let part = lexicon::part(word)?;
            return self.closes(start + 2).then_some((0, Some(part), start + 2));
        }
        None
    }

    fn in_part(&self, i: usize) -> (Option<Part>, usize) {
        if self.words(i, &["in", "the"])
            && let Some(part) = lexicon::part(self.word(i + 2))
        {
            return (Some(part), i + 3);
        }
        (None, i)
    }

    /// Over "it's due", "the due date", "the deadline".
    fn skip_due(&self, i: usize) -> usize {
        const FORMS: [&[&str]; 9] = [
            &["it", "is", "due"],
            &["it's", "due"],
            &["its", "due"],
            &["the", "due", "date"],
            &["the", "deadline"],
            &["due", "date"],
            &["due", "time"],
            &["due"],
            &["that"],
        ];
        FORMS.iter().find(|form| self.words(i, form)).map_or(i, |form| i + form.len())
    }

    fn at_time(&self, i: usize) -> (Option<Clock>, usize) {
        let next = self.skip_word(self.skip_comma(i), &["at"]);
        let next = if self.sign(next) == Some('@') { next + 1 } else { next };
        match self.clock(next, if next > i { Cue::BOTH } else { Cue::NONE }) {
            Some((clock, end)) => (Some(clock), end),
            None => (None, i),
        }
    }
}
