//! Recurrences: "every other tuesday at 9", "every 1st and 15th", "weekdays", "yearly on may 4", "every! 2 weeks".

use chrono::Weekday;

use crate::{
    clock::Clock,
    lexicon::{self, Part, Unit},
    rule::{BUSINESS_DAYS, Freq, Rule},
    scan::{Cue, Parsed, Scan},
};

/// A recurrence as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) rule: Rule,
    /// The part of the day of "every morning".
    pub(crate) part: Option<Part>,
    /// The times of day right after it.
    pub(crate) clocks: Vec<Clock>,
}

impl From<Rule> for Repeat {
    fn from(rule: Rule) -> Self {
        Self { rule, part: None, clocks: Vec::new() }
    }
}

pub(crate) const WEEKEND: [Weekday; 2] = [Weekday::Sat, Weekday::Sun];

impl Scan<'_> {
    /// A recurrence that begins at `i`.
    pub(crate) fn repeat(&self, i: usize) -> Parsed<Repeat> {
        if !self.begins(i) {
            return None;
        }
        let (mut repeat, next) = self
            .every(i)
            .or_else(|| self.adverb(i))
            .or_else(|| self.once_a(i))
            .or_else(|| self.of_every(i))
            .or_else(|| self.plural(i))?;
        let mut next = next;
        // What would change the rule and is not understood.
        let on_weekday = || self.word(next) == "on" && lexicon::weekday(self.word(next + 1)).is_some();
        let unclear = repeat.rule.freq == Freq::Yearly && on_weekday()
            || matches!(self.word(next), "twice" | "thrice" | "instance")
            || matches!(self.word(next), "on" | "in") && self.word(next + 1) == "week"
            || self.words(next, &["on", "the"]) && self.ordinal(next + 2).is_some()
            || self.words(next, &["of", "the", "week"]);
        if unclear {
            return None;
        }
        if repeat.part.is_none()
            && repeat.rule.freq >= Freq::Daily
            && let Some(part) = lexicon::part(self.singular(next)).filter(|part| *part != Part::Noon)
        {
            (repeat.part, next) = (Some(part), next + 1);
        }
        if let Some((excepted, end)) = self.exception(next).filter(|_| repeat.rule.is_daily()) {
            let all = BUSINESS_DAYS.into_iter().chain(WEEKEND).filter(|day| !excepted.contains(day));
            repeat.rule = Rule { completion: repeat.rule.completion, ..Rule::every(1, Freq::Weekly).on(all) };
            next = end;
        }
        if let Some(end) = self.after_completion(next) {
            (repeat.rule.completion, next) = (true, end);
        }
        (repeat.clocks, next) = self.times(next);
        self.ends(next).then_some((repeat, next))
    }

    /// "at 9", "at 9am, 1pm and 5pm".
    pub(crate) fn times(&self, i: usize) -> (Vec<Clock>, usize) {
        let start = self.skip_comma(i);
        let at = self.skip_word(start, &["at", "around", "by"]);
        let led = at > start || self.sign(start) == Some('@');
        let start = if self.sign(start) == Some('@') { start + 1 } else { at };
        let mut clocks = Vec::new();
        let mut end = i;
        let mut next = start;
        let cue = if led { Cue { name: true, ..Cue::SURE } } else { Cue::NONE };
        while let Some((clock, after)) = self.clock(next, cue).filter(|_| clocks.len() < 24) {
            // "at 9 to 5" is a range, and for the scanner of dates.
            if matches!(self.word(after), "to" | "until")
                && self.clock(after + 1, Cue::HOUR).is_some()
                && clocks.is_empty()
            {
                break;
            }
            clocks.push(clock);
            end = after;
            let joint = self.skip_comma(after);
            let joint = self.skip_word(joint, &["and", "or"]);
            let joint = if self.sign(joint) == Some('&') { joint + 1 } else { joint };
            if joint == after {
                break;
            }
            next = self.skip_word(joint, &["at"]);
        }
        (clocks, end)
    }

    /// "every ...", "each ...".
    fn every(&self, i: usize) -> Parsed<Repeat> {
        let mut next = i + 1;
        match self.word(i) {
            "every" | "each" | "evry" | "evey" | "ev" => {}
            "alternate" => {
                let (unit, end) = self.unit_of(next)?;
                return self.turning(2, unit, end);
            }
            "everyday" | "everynight" | "everyweek" | "everymonth" => {
                let rule = match self.word(i) {
                    "everyweek" => Rule::every(1, Freq::Weekly),
                    "everymonth" => Rule::every(1, Freq::Monthly),
                    _ => Rule::every(1, Freq::Daily),
                };
                let part = (self.word(i) == "everynight").then_some(Part::Night);
                return (self.closes(next) || self.clock(next, Cue::NONE).is_some())
                    .then_some((Repeat { part, ..rule.into() }, next));
            }
            _ => return None,
        }
        let completion = self.glued_sign(next) == Some('!');
        if completion {
            next += 1;
        }
        let next = self.skip_word(next, &["single"]);
        let (mut repeat, end) = self
            .interval(next)
            .or_else(|| self.yearly_date(next))
            .or_else(|| self.numbered(next))
            .or_else(|| self.weekly_days(next, 1))
            .or_else(|| {
                let part = lexicon::part(self.word(next))?;
                Some((Repeat { part: Some(part), ..Rule::every(1, Freq::Daily).into() }, next + 1))
            })
            .or_else(|| {
                let (unit, end) = self.unit_of(next)?;
                self.turning(1, unit, end)
            })?;
        repeat.rule.completion = completion;
        Some((repeat, end))
    }

    /// "other day", "2 weeks on mon and wed", "third month".
    fn interval(&self, i: usize) -> Parsed<Repeat> {
        let (interval, next) = match self.word(i) {
            "other" => (2, i + 1),
            "couple" => (2, self.skip_word(i + 1, &["of"])),
            "few" => return None,
            "half" => {
                let next = self.skip_word(i + 1, &["an", "a"]);
                return match self.word(next) {
                    "hour" => Some((Rule::every(30, Freq::Minutely).into(), next + 1)),
                    "year" => Some((Rule::every(6, Freq::Monthly).into(), next + 1)),
                    _ => None,
                };
            }
            _ => match self.ordinal(i) {
                // "every third day" turns every 3 days; "every third friday" is of the month.
                Some((nth, next)) => {
                    return self.unit_of(next).filter(|_| nth > 1).and_then(|(unit, end)| {
                        let of = self.words(end, &["of", "the"]) || self.words(end, &["of", "every"]);
                        if of { None } else { self.turning(nth, unit, end) }
                    });
                }
                None => self.cardinal(i)?,
            },
        };
        if interval == 0 {
            return None;
        }
        // "every other friday", "every 3 fridays".
        let counted = lexicon::weekdays(self.word(next)).is_some() || self.word(next) == "weekends";
        if let Some(found) = self.weekly_days(next, interval).filter(|_| counted || self.word(i) == "other") {
            return Some(found);
        }
        let (unit, end) = self.unit_of(next)?;
        self.turning(interval, unit, end)
    }

    fn unit_of(&self, i: usize) -> Parsed<Unit> {
        if matches!(self.word(i), "business" | "working" | "work") && matches!(self.word(i + 1), "day" | "days") {
            return Some((Unit::BusinessDay, i + 2));
        }
        let word = self.word(i);
        let unit = if self.glued(i) { lexicon::short_unit(word) } else { lexicon::unit(word) }?;
        Some((unit, i + 1))
    }

    /// A rule that turns with a unit, and the days that follow: "week on monday", "month on the 15th".
    fn turning(&self, interval: u32, unit: Unit, i: usize) -> Parsed<Repeat> {
        let freq = |factor: u32, freq: Freq| Some(Rule::every(interval.checked_mul(factor)?, freq));
        let rule = match unit {
            Unit::Second => return None,
            Unit::Minute => freq(1, Freq::Minutely),
            Unit::Hour => freq(1, Freq::Hourly),
            Unit::Day => freq(1, Freq::Daily),
            Unit::BusinessDay if interval == 1 => Some(Rule::every(1, Freq::Weekly).on(BUSINESS_DAYS)),
            Unit::BusinessDay => None,
            Unit::Week => freq(1, Freq::Weekly),
            Unit::Fortnight => freq(2, Freq::Weekly),
            Unit::Month => freq(1, Freq::Monthly),
            Unit::Quarter => freq(3, Freq::Monthly),
            Unit::Year => freq(1, Freq::Yearly),
            Unit::Decade => freq(10, Freq::Yearly),
        }?;
        // Longer than the calendar that is searched, or than anybody means.
        if rule.interval > 10_000 {
            return None;
        }
        Some(self.with_days(rule, i))
    }

    /// "mon, wed and fri" without a word that says whether they come again.
    pub(crate) fn unsaid_list(&self, i: usize) -> Option<usize> {
        lexicon::weekday(self.word(i)).filter(|_| self.begins(i) && self.plural(i).is_none())?;
        let (days, next) = self.weekday_list(i)?;
        let joined =
            (i..next).any(|i| matches!(self.word(i), "and" | "or") || matches!(self.sign(i), Some(',' | '&' | '/')));
        (days.len() > 1 && joined && self.ends(next)).then_some(next)
    }

    /// "daily", "weekly on tuesdays", "monthly on the 15th": as the last words, or with more of a rule behind them,
    /// since "the weekly report" is a report.
    fn adverb(&self, i: usize) -> Parsed<Repeat> {
        let rule = match self.word(i) {
            "daily" | "nightly" => Rule::every(1, Freq::Daily),
            "weekly" => Rule::every(1, Freq::Weekly),
            "biweekly" | "fortnightly" => Rule::every(2, Freq::Weekly),
            "bi" if self.glued_sign(i + 1) == Some('-') && self.word(i + 2) == "weekly" => Rule::every(2, Freq::Weekly),
            "monthly" => Rule::every(1, Freq::Monthly),
            "bimonthly" => Rule::every(2, Freq::Monthly),
            "quarterly" => Rule::every(3, Freq::Monthly),
            "yearly" | "annually" => Rule::every(1, Freq::Yearly),
            "hourly" => Rule::every(1, Freq::Hourly),
            _ => return None,
        };
        let next = if self.word(i) == "bi" { i + 3 } else { i + 1 };
        let before = i.checked_sub(1).map_or("", |before| self.word(before));
        let counted =
            matches!(before, "twice" | "thrice" | "times" | "on" | "the" | "a" | "my" | "our" | "this" | "your");
        let part = (self.word(i) == "nightly").then_some(Part::Night);
        let (mut repeat, end) = self.with_days(rule, next);
        repeat.part = part;
        let more = end > next
            || self.is_end(next)
            || self.alone
            || self.clock(next, Cue::NONE).is_some()
            || self.sign(next).is_some_and(|sign| matches!(sign, ',' | ';' | ':' | '@' | '-' | '–' | ')' | '('))
            || matches!(
                self.word(next),
                "at" | "on"
                    | "until"
                    | "till"
                    | "til"
                    | "starting"
                    | "from"
                    | "beginning"
                    | "for"
                    | "in"
                    | "by"
                    | "except"
                    | "and"
                    | "remind"
                    | "with"
                    | "due"
                    | "p"
                    | "after"
                    | "before"
                    | "around"
                    | "to"
                    | "through"
                    | "urgent"
            )
            || lexicon::part(self.word(next)).is_some()
            || self.cardinal(next).is_some_and(|(_, end)| self.word(end) == "times");
        (more && !counted).then_some((repeat, end))
    }

    /// "once a week", "once every 2 days", "one time per month".
    fn once_a(&self, i: usize) -> Parsed<Repeat> {
        if self.word(i) != "once" {
            return None;
        }
        match self.word(i + 1) {
            "a" | "per" | "an" => {
                let (unit, next) = self.unit_of(i + 2)?;
                self.turning(1, unit, next)
            }
            "every" | "each" => self.every(i + 1),
            _ => self.adverb(i + 1),
        }
    }

    /// "mondays", "on tuesdays and thursdays", "weekdays", "weekend mornings".
    fn plural(&self, i: usize) -> Parsed<Repeat> {
        let start = self.skip_word(i, &["on", "at", "during"]);
        let led = start > i;
        let weekly = Rule::every(1, Freq::Weekly);
        let (rule, next) = match self.word(start) {
            "weekdays" | "workdays" | "wkdays" => (weekly.on(BUSINESS_DAYS), start + 1),
            "weekends" => (weekly.on(WEEKEND), start + 1),
            "m" if self.glued_sign(start + 1) == Some('-') && self.glued_word(start + 2) == "f" => {
                (weekly.on(BUSINESS_DAYS), start + 3)
            }
            "mwf" => (weekly.on([Weekday::Mon, Weekday::Wed, Weekday::Fri]), start + 1),
            "weekday" if lexicon::part(self.singular(start + 1)).is_some() && self.word(start + 1).ends_with('s') => {
                (weekly.on(BUSINESS_DAYS), start + 1)
            }
            _ => {
                let (days, next) = self.weekday_list(start)?;
                let plural = (start..next).any(|i| lexicon::weekdays(self.word(i)).is_some());
                let mornings = self.word(next).ends_with('s') && lexicon::part(self.singular(next)).is_some();
                if !plural && !mornings {
                    return None;
                }
                (weekly.on(days), next)
            }
        };
        let part = lexicon::part(self.singular(next)).is_some();
        let counted = || self.cardinal(next).is_some_and(|(_, end)| matches!(self.word(end), "times" | "x"));
        let fits =
            led || part || self.is_end(next) || self.closes(next) || self.clock(next, Cue::NONE).is_some() || counted();
        fits.then_some((rule.into(), next))
    }

    /// The word at `i` without the s of a plural.
    fn singular(&self, i: usize) -> &str {
        let word = self.word(i);
        word.strip_suffix('s').unwrap_or(word)
    }

    /// "except sundays", "but not on weekends".
    fn exception(&self, i: usize) -> Parsed<Vec<Weekday>> {
        let start = self.skip_comma(i);
        let next = match self.word(start) {
            "except" | "excluding" | "besides" => self.skip_word(start + 1, &["for", "on"]),
            "but" => self.skip_word(start + 1, &["not"]),
            _ => return None,
        };
        let next = self.skip_word(self.skip_word(next, &["on"]), &["the"]);
        match self.word(next) {
            "weekends" | "weekend" => Some((WEEKEND.to_vec(), next + 1)),
            "weekdays" => Some((BUSINESS_DAYS.to_vec(), next + 1)),
            _ => self.weekday_list(next).filter(|(days, _)| days.len() < 7),
        }
    }

    /// "after completion", "after it's done", "from completion".
    fn after_completion(&self, i: usize) -> Option<usize> {
        if !matches!(self.word(i), "after" | "from" | "since") {
            return None;
        }
        let next = self.skip_word(i + 1, &["the", "last", "i", "it's", "it", "its", "each", "previous"]);
        let next = self.skip_word(next, &["is", "last", "i", "was"]);
        matches!(
            self.word(next),
            "completion" | "completing" | "completed" | "finishing" | "finish" | "finished" | "done" | "complete"
        )
        .then_some(next + 1)
    }
}
