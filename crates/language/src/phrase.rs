//! Dates with what leads to them ("by", "until", "due on"), and ranges of days.

use chrono::{Datelike as _, Months, NaiveDate};

use crate::{
    Extent,
    date::{Days, Kind},
    lexicon,
    moment::Moment,
    number::add_days,
    scan::{Cue, Parsed, Scan},
};

/// What leads to a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    None,
    /// On, at, in, for.
    Plain,
    /// Between, or from with an end.
    Range,
    Due,
    By,
    Before,
    After,
    Until,
    Through,
    Since,
    /// From or starting, without an end.
    From,
}

/// A date as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phrase {
    pub(crate) lead: Lead,
    pub(crate) moment: Moment,
    /// The end of a range of days.
    pub(crate) to: Option<Moment>,
}

impl Scan<'_> {
    /// A date with what leads to it.
    pub(crate) fn phrase(&self, i: usize) -> Parsed<Phrase> {
        if !self.begins(i) || self.names_number(i) {
            return None;
        }
        if let Some((at, next)) = self.now_at(i) {
            return Some((
                Phrase { lead: Lead::None, moment: Moment { at: Some((at, at)), ..Moment::default() }, to: None },
                next,
            ));
        }
        // "in 3 days", "within a week", "after an hour" lead themselves.
        let counted = |i| {
            self.moment(i, Cue::NONE).filter(|_| matches!(self.word(i), "in" | "within" | "after" | "over" | "during"))
        };
        if let Some((moment, next)) = counted(i) {
            return Some((Phrase { lead: Lead::Plain, moment, to: None }, next));
        }
        let (lead, start, cue) = self.lead(i);
        let cue = Cue { name: cue.name || self.alone, ..cue };
        if let Some((moment, next)) = counted(start) {
            return Some((Phrase { lead, moment, to: None }, next));
        }
        self.day_range(start, lead, cue).or_else(|| {
            let (moment, next) = self.moment(start, cue).or_else(|| self.month_led(i, start, lead))?;
            // "between" needs both ends.
            let whole = lead != Lead::Range || moment.until.is_some();
            (whole && self.is_left(next)).then_some((Phrase { lead, moment, to: None }, next))
        })
    }

    /// Whether a date that ends before `i` may stand there: not as a name for what follows.
    fn is_left(&self, i: usize) -> bool {
        !(matches!(self.word(i), "or" | "and") && matches!(self.word(i + 1), "two" | "three" | "so" | "more"))
    }

    /// A number that names what stands before it is no time: "chapter 3", "flat 5a".
    fn names_number(&self, i: usize) -> bool {
        let said = self.half(i + 1).is_some_and(|(_, next)| self.word(next - 1).len() == 2);
        self.digits(i).is_some()
            && !said
            && !self.glued(i)
            && i.checked_sub(1).is_some_and(|before| {
                matches!(
                    self.word(before),
                    "chapter"
                        | "ch"
                        | "flat"
                        | "apartment"
                        | "apt"
                        | "unit"
                        | "room"
                        | "rm"
                        | "section"
                        | "gate"
                        | "seat"
                        | "page"
                        | "version"
                        | "platform"
                        | "step"
                        | "level"
                        | "floor"
                        | "bus"
                        | "route"
                        | "highway"
                        | "figure"
                        | "table"
                        | "row"
                        | "suite"
                        | "number"
                        | "no"
                        | "nr"
                        | "size"
                        | "channel"
                        | "exit"
                        | "terminal"
                        | "building"
                        | "grade"
                        | "john"
                        | "volume"
                        | "vol"
                        | "episode"
                        | "season"
                        | "lesson"
                        | "unicode"
                        | "iso"
                        | "isbn"
                        | "sku"
                        | "line"
                        | "code"
                        | "pin"
                        | "ext"
                        | "extension"
                        | "ticket"
                        | "issue"
                        | "pr"
                        | "bug"
                        | "invoice"
                        | "order"
                        | "case"
                        | "item"
                        | "problem"
                        | "exercise"
                        | "question"
                        | "score"
                        | "ratio"
                        | "genesis"
                        | "luke"
                        | "mark"
                        | "matthew"
                        | "psalm"
                        | "romans"
                )
            })
    }

    /// "by", "due on", "until": what a date is led by, and what that allows it to be.
    fn lead(&self, i: usize) -> (Lead, usize, Cue) {
        let word = self.word(i);
        let next = self.skip_colon(i + 1);
        let preposition = |next| self.skip_word(next, &["on", "at", "by", "from", "before", "in", "for"]);
        match word {
            // "turn it on tomorrow".
            "on" | "in" | "at" if lexicon::near_day(self.word(i + 1)).is_some() => (Lead::None, i, Cue::NONE),
            "due" | "deadline" => {
                let next = self.skip_colon(self.skip_word(next, &["date", "is", "day"]));
                // "due before friday" is before friday.
                if matches!(self.word(next), "before" | "after" | "until" | "till" | "since" | "by") {
                    return self.lead(next);
                }
                (Lead::Due, self.skip_at(preposition(next)), Cue::BOTH)
            }
            "by" => (Lead::By, i + 1, Cue::BOTH),
            "before" => (Lead::Before, i + 1, Cue::BOTH),
            "after" => (Lead::After, i + 1, Cue::BOTH),
            "until" | "till" | "til" => (Lead::Until, i + 1, Cue::BOTH),
            "thru" | "through" => (Lead::Through, i + 1, Cue::BOTH),
            "since" => (Lead::Since, i + 1, Cue::BOTH),
            "starting" | "beginning" | "starts" | "begins" | "effective" => {
                let cue = if self.word(i + 1) == "in" { Cue::NAME } else { Cue::BOTH };
                (Lead::From, preposition(i + 1), cue)
            }
            "from" => (Lead::From, i + 1, Cue::HOUR),
            "between" => (Lead::Range, i + 1, Cue::BOTH),
            "at" | "around" | "about" | "approximately" => {
                let cue = if i == 0 && word == "at" { Cue::SURE } else { Cue::HOUR };
                (Lead::Plain, self.skip_word(i + 1, &["around", "about", "approximately"]), cue)
            }
            "on" | "during" | "over" => (Lead::Plain, i + 1, Cue::NAME),
            "for" | "in" | "sometime" | "when" => (Lead::Plain, i + 1, Cue::NONE),
            "scheduled" | "schedule" if matches!(self.word(i + 1), "for" | "on" | "at") => {
                (Lead::Plain, i + 2, Cue::BOTH)
            }
            "no" if self.words(i, &["no", "later", "than"]) => (Lead::By, i + 3, Cue::BOTH),
            "not" if matches!(self.word(i + 1), "after" | "before") => (Lead::By, i + 2, Cue::BOTH),
            "early" | "late" if self.near(i + 1).is_some() => (Lead::Plain, i + 1, Cue::NONE),
            _ if self.sign(i) == Some('@') => (Lead::Plain, i + 1, Cue::HOUR),
            _ => (Lead::None, i, Cue::NONE),
        }
    }

    fn skip_colon(&self, i: usize) -> usize {
        if self.glued_sign(i) == Some(':') && !self.glued(i + 1) { i + 1 } else { i }
    }

    fn skip_at(&self, i: usize) -> usize {
        if self.sign(i) == Some('@') { i + 1 } else { i }
    }

    /// "in june", "by june", "in 2027": a month or a year that only what leads to it makes one.
    fn month_led(&self, i: usize, start: usize, lead: Lead) -> Parsed<Moment> {
        let said = matches!(
            lead,
            Lead::Due | Lead::By | Lead::Before | Lead::After | Lead::Until | Lead::Through | Lead::Since
        ) || matches!(self.word(i), "in" | "during" | "starting")
            || self.alone;
        let (days, next) = self.named_month(start).filter(|_| said).or_else(|| {
            let year = self.year(start).filter(|_| self.word(i) == "in" && self.closes(start + 1))?;
            let year = i32::try_from(year).ok().filter(|year| *year > self.today.year())?;
            Some((Days::new(NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?), start + 1))
        })?;
        Some((Moment { days: Some(days), ..Moment::default() }, next))
    }

    /// "monday to friday", "between dec 1 and dec 5", "dec 20-27", "20-27 dec".
    fn day_range(&self, i: usize, lead: Lead, cue: Cue) -> Parsed<Phrase> {
        let needs_end = lead == Lead::Range;
        let cue = if matches!(lead, Lead::From | Lead::Range) { Cue::BOTH } else { cue };
        let range = |from: Moment, to: Moment, next: usize| {
            let lead = if matches!(lead, Lead::From) { Lead::Range } else { lead };
            Some((Phrase { lead, moment: from, to: Some(to) }, next))
        };
        if let Some((first, last, next)) = self.numbered_range(i) {
            let one = |day| Moment { days: Some(Days::one(day, Kind::Other)), ..Moment::default() };
            return range(one(first), one(last), next);
        }
        let (from, next) = self.moment_open(i, cue).or_else(|| self.named_month_open(i, lead))?;
        if from.until.is_some() {
            return self.ends(next).then_some((
                Phrase { lead: if lead == Lead::From { Lead::Range } else { lead }, moment: from, to: None },
                next,
            ));
        }
        let joint = match (self.sign(next), self.word(next)) {
            (Some('-' | '–' | '—'), _) | (_, "to" | "through" | "thru" | "until" | "till" | "til") => {
                Some(next + 1)
            }
            (_, "and") if needs_end => Some(next + 1),
            (_, "up") if self.word(next + 1) == "to" => Some(next + 2),
            _ => None,
        };
        let to =
            joint.and_then(|joint| self.moment(joint, Cue::BOTH).or_else(|| self.month_led(i, joint, Lead::Until)));
        let (to, end) = to.filter(|(to, _)| to.at.is_none())?;
        let (from, to) = match (from.days, to.days) {
            (None, Some(_)) if from.has_time() && to.has_time() => (Moment { days: to.days, ..from }, to),
            (Some(_), None) if from.has_time() && to.has_time() => (from, Moment { days: from.days, ..to }),
            // "mon-fri at 3pm": each at that time.
            // "august 10 - september 12, 2013".
            (Some(first), Some(last)) if first.kind == Kind::Yearless && last.kind == Kind::Full => {
                let year = |day: NaiveDate| day.with_year(last.first.year());
                let days = Days { first: year(first.first)?, last: year(first.last)?, ..first };
                (Moment { days: Some(days), ..from }, to)
            }
            (Some(_), Some(_)) if !from.has_time() => (Moment { days: from.days, ..to }, to),
            (Some(_), Some(_)) => (from, to),
            _ => return None,
        };
        range(from, to, end)
    }

    fn named_month_open(&self, i: usize, lead: Lead) -> Parsed<Moment> {
        let (days, next) = self.named_month(i).filter(|_| matches!(lead, Lead::From | Lead::Range) || self.alone)?;
        Some((Moment { days: Some(days), ..Moment::default() }, next))
    }

    /// "dec 20-27", "20-27 dec 2026", "20th to 27th of december".
    fn numbered_range(&self, i: usize) -> Option<(NaiveDate, NaiveDate, usize)> {
        let joint = |i: usize| {
            let dash = matches!(self.sign(i), Some('-' | '–'));
            (dash || matches!(self.word(i), "to" | "through" | "until" | "and")).then_some(i + 1)
        };
        let day = |i: usize| self.ordinal(i).or_else(|| Some((self.number(i)?, i + 1)));
        if lexicon::month(self.word(i)).is_some() {
            let (from, next) = self.date(i, Cue::NONE).filter(|(days, _)| days.is_one())?;
            let (last, mut end) = day(self.skip_word(joint(next)?, &["the"]))?;
            let mut first = from.first;
            if let Some(year) = self.year(self.skip_comma(end)).and_then(|year| i32::try_from(year).ok()) {
                (first, end) = (first.with_year(year)?, self.skip_comma(end) + 1);
            }
            let last =
                first.with_day(last).filter(|last| *last > first && self.ends(end) && self.half(end).is_none())?;
            return Some((first, last, end));
        }
        let start = self.skip_word(i, &["the"]);
        let (first, next) = day(start).filter(|(first, _)| (1..=31).contains(first))?;
        let second = joint(next)?;
        let (to, end) = self.date(second, Cue::NONE).filter(|(days, _)| days.is_one())?;
        let has_month = (second..end).any(|i| lexicon::month(self.word(i)).is_some());
        let digits_first = day(self.skip_word(second, &["the"])).is_some();
        let first = to.first.with_day(first).filter(|first| has_month && digits_first && *first < to.first)?;
        Some((first, to.first, end))
    }

    /// Days that are to come, moved back to when they last were: since when something is.
    fn latest(&self, days: Days) -> Option<Days> {
        let moved = |back: &dyn Fn(NaiveDate) -> Option<NaiveDate>| {
            Some(Days { first: back(days.first)?, last: back(days.last)?, ..days })
        };
        match days.kind {
            _ if days.first <= self.today => Some(days),
            Kind::Weekday => moved(&|day| add_days(day, -7)),
            Kind::Yearless | Kind::Month => moved(&|day| day.checked_sub_months(Months::new(12))),
            _ => Some(days),
        }
    }

    /// The days or the instants that a phrase means.
    pub(crate) fn extent(&self, phrase: &Phrase) -> Option<Extent> {
        let mut moment = phrase.moment;
        if let (Lead::Since, Some(days)) = (phrase.lead, moment.days) {
            moment.days = Some(self.latest(days)?);
        }
        let from = self.range_of(&moment)?;
        let whole = match phrase.to {
            None => from,
            Some(to) => from.to(self.range_of(&after(to, &phrase.moment)?)?, self.context.zone)?,
        };
        Some(match phrase.lead {
            Lead::Before => whole.until_start(self.context.zone),
            Lead::By | Lead::Until | Lead::Through => whole.until_end(),
            Lead::After => whole.after(),
            Lead::Since => whole.since(),
            _ => whole,
        })
    }
}

/// The end of a range, moved on to where its weekday, date or month comes after the beginning.
fn after(to: Moment, from: &Moment) -> Option<Moment> {
    let (Some(first), Some(days)) = (from.days.map(|days| days.first), to.days) else { return Some(to) };
    let moved = match days.kind {
        _ if days.last >= first => days,
        Kind::Weekday => Days { first: add_days(days.first, 7)?, last: add_days(days.last, 7)?, ..days },
        Kind::Yearless | Kind::Month => {
            let later = |day: NaiveDate| day.checked_add_months(Months::new(12));
            Days { first: later(days.first)?, last: later(days.last)?, ..days }
        }
        _ => days,
    };
    Some(Moment { days: Some(moved), ..to })
}
