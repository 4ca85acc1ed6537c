//! The days of a recurrence: "on mon and wed", "1st and 15th", "last friday of the month", "may 4".

use chrono::Weekday;

use crate::{
    lexicon,
    nth::DaySet,
    repeat::{Repeat, WEEKEND},
    rule::{BUSINESS_DAYS, Freq, Rule},
    scan::{Parsed, Scan},
};

impl Scan<'_> {
    /// The days that follow a rule by weeks, months or years.
    pub(crate) fn with_days(&self, rule: Rule, i: usize) -> (Repeat, usize) {
        let on = self.skip_word(self.skip_comma(i), &["on", "in", "at"]);
        let led = on > self.skip_comma(i);
        let found = match rule.freq {
            Freq::Weekly if rule.weekdays.is_empty() => {
                self.weekday_list(on).map(|(days, next)| (rule.clone().on(days), next))
            }
            Freq::Monthly => self.month_days(on, &rule).filter(|_| led || self.word(on) == "the").or_else(|| {
                let (days, next) = self.weekday_list(on).filter(|_| led)?;
                Some((rule.clone().on(days), next))
            }),
            Freq::Yearly => self.year_day(on, &rule),
            _ => None,
        };
        let (rule, next) = found.unwrap_or((rule, i));
        (rule.into(), next)
    }

    /// "the 15th", "the 1st and the 15th", "the last friday", "day 5", "the last day".
    fn month_days(&self, i: usize, rule: &Rule) -> Option<(Rule, usize)> {
        let start = self.skip_word(i, &["the"]);
        if matches!(self.word(start), "day" | "days") {
            let (days, next) = self.numbers(start + 1)?;
            return Some((Rule { month_days: days, ..rule.clone() }, next));
        }
        let edge = match self.word(start) {
            "beginning" | "begin" | "start" => 1,
            "end" => -1,
            _ => 0,
        };
        let of_month = self.words(start + 1, &["of", "the", "month"]);
        if edge != 0 && (self.closes(start + 1) || of_month) {
            let next = if of_month { start + 4 } else { start + 1 };
            return Some((Rule { month_days: vec![edge], ..rule.clone() }, next));
        }
        if let Some((placed, next)) = self.placed_day(start, rule) {
            return Some((placed, next));
        }
        let mut days = Vec::new();
        let mut end = start;
        let mut next = start;
        while let Some((day, after)) =
            self.place_in(next).filter(|(day, _)| (-5..0).contains(day) || (1..=31).contains(day))
        {
            days.push(day);
            end = self.skip_word(after, &["day"]);
            match self.list_joint(end).filter(|_| days.len() < 31) {
                Some(joint) => next = joint,
                None => break,
            }
        }
        days.sort_unstable();
        days.dedup();
        (!days.is_empty()).then(|| (Rule { month_days: days, ..rule.clone() }, end))
    }

    /// "first monday", "last weekday", "2nd and 4th tuesday", "last day".
    pub(crate) fn placed_day(&self, i: usize, rule: &Rule) -> Option<(Rule, usize)> {
        let (mut rule, mut next) = self.one_placed_day(i, rule)?;
        // "first and third friday and second tuesday".
        while rule.position.is_none() && !rule.weekdays.is_empty() && rule.weekdays.len() < 10 {
            let more = self.list_joint(next).and_then(|joint| self.one_placed_day(joint, &Rule::every(1, rule.freq)));
            let Some((more, end)) = more.filter(|(more, _)| more.position.is_none() && !more.weekdays.is_empty())
            else {
                break;
            };
            rule.weekdays.extend(more.weekdays);
            next = end;
        }
        Some((rule, next))
    }

    fn one_placed_day(&self, i: usize, rule: &Rule) -> Option<(Rule, usize)> {
        let mut places = Vec::new();
        let mut next = i;
        loop {
            let (place, after) = self.place_in(next).filter(|(place, _)| (-5..=5).contains(place) && *place != 0)?;
            places.push(place);
            if let Some((set, end)) = self.day_set(after) {
                return Some((placed(rule.clone(), &places, set)?, end));
            }
            next = self.list_joint(after).filter(|_| places.len() < 10)?;
        }
    }

    /// "20 and 30", "20th, 25th and 30th": days of a month.
    fn numbers(&self, i: usize) -> Parsed<Vec<i32>> {
        let day = |i: usize| {
            let (day, next) = self.ordinal(i).or_else(|| Some((self.number(i)?, i + 1)))?;
            // "every june 5pm".
            let fits = (1..=31).contains(&day) && self.half(next).is_none() && self.ends(next);
            Some((i32::try_from(day).ok().filter(|_| fits)?, next))
        };
        let (first, mut next) = day(i)?;
        let mut days = vec![first];
        while let Some((more, end)) = self.list_joint(next).and_then(day).filter(|_| days.len() < 31) {
            if !self.closes(end) {
                break;
            }
            days.push(more);
            next = end;
        }
        Some((days, next))
    }

    /// Over ", and the" between the members of a list.
    fn list_joint(&self, i: usize) -> Option<usize> {
        let joint = self.skip_word(self.skip_comma(i), &["and"]);
        let joint = if self.sign(joint) == Some('&') { joint + 1 } else { joint };
        (joint > i).then(|| self.skip_word(joint, &["the"]))
    }

    /// "may 4", "the first monday of june".
    fn year_day(&self, i: usize, rule: &Rule) -> Option<(Rule, usize)> {
        let start = self.skip_word(i, &["the"]);
        if let Some((placed, next)) = self.placed_day(start, rule) {
            let of = self.skip_word(next, &["of", "in"]);
            let (month, _) = lexicon::month(self.word(of))?;
            return Some((Rule { months: vec![month], ..placed }, of + 1));
        }
        let (months, days, next) = self.month_and_day(i)?;
        Some((Rule { months: vec![months], month_days: days, ..rule.clone() }, next))
    }

    /// "may 4", "4th of july", "aug 20 and 30", "august on day 20".
    fn month_and_day(&self, i: usize) -> Option<(u32, Vec<i32>, usize)> {
        if let Some((month, _)) = lexicon::month(self.word(i)) {
            let start = self.skip_word(self.skip_word(self.skip_stop(i + 1), &["on"]), &["the"]);
            let start = self.skip_word(start, &["day", "days"]);
            let (days, next) = self.numbers(start)?;
            return Some((month, days, next));
        }
        let (days, next) = self.numbers(self.skip_word(i, &["the"]))?;
        let of = self.skip_word(next, &["of"]);
        let (month, _) = lexicon::month(self.word(of))?;
        Some((month, days, self.skip_stop(of + 1)))
    }

    /// After "every": "may 4", "4th of july", "june".
    pub(crate) fn yearly_date(&self, i: usize) -> Parsed<Repeat> {
        let yearly = Rule::every(1, Freq::Yearly);
        if let Some((month, days, next)) = self.month_and_day(i) {
            let rule = Rule { months: vec![month], month_days: days, ..yearly };
            return Some((rule.into(), self.skip_year(next)));
        }
        let (month, _) = lexicon::month(self.word(i))?;
        let next = i + 1;
        let on = self.skip_word(next, &["on"]);
        if let Some((rule, end)) =
            self.month_days(on, &Rule { months: vec![month], ..yearly.clone() }).filter(|_| on > next)
        {
            return Some((rule.into(), end));
        }
        let rule = Rule { months: vec![month], month_days: vec![1], ..yearly };
        self.closes(next).then_some((rule.into(), next))
    }

    fn skip_year(&self, i: usize) -> usize {
        if self.words(i, &["of", "every", "year"]) || self.words(i, &["of", "each", "year"]) { i + 3 } else { i }
    }

    /// After "every": "1st and 15th", "15th of the month", "last friday", "first monday of the month".
    pub(crate) fn numbered(&self, i: usize) -> Parsed<Repeat> {
        let start = self.skip_word(i, &["the"]);
        let monthly = Rule::every(1, Freq::Monthly);
        if self.words(start, &["month", "end"]) || self.words(start, &["end", "of", "month"]) {
            let end = if self.word(start) == "month" { start + 2 } else { start + 3 };
            return Some((Rule { month_days: vec![-1], ..monthly }.into(), end));
        }
        if let Some((placed, next)) = self.placed_day(start, &monthly) {
            let end = self.of_month(next);
            if let Some((month, end)) = self.of_named_month(next) {
                return Some((Rule { freq: Freq::Yearly, months: vec![month], ..placed }.into(), end));
            }
            // "every second tuesday" may be every other one, or the second of the month.
            let unclear = end == next && matches!(placed.weekdays[..], [(2, _)]);
            let unclear = unclear || end == next && placed.month_days.iter().any(|day| *day > 0);
            return (!unclear).then_some((placed.into(), end));
        }
        let (rule, next) = self.month_days(start, &monthly)?;
        let end = self.of_month(next);
        // "every second" is no day.
        let said = self.ordinal_digits(start).is_some() || rule.month_days.len() > 1;
        let apart = said && (self.closes(next) || self.sign(next).is_some());
        (end > next || apart).then_some((rule.into(), end))
    }

    fn of_month(&self, i: usize) -> usize {
        let of = self.skip_word(i, &["of", "in"]);
        let the = self.skip_word(of, &["the", "each", "every", "a"]);
        if the > i && self.word(the) == "month" { the + 1 } else { i }
    }

    fn of_named_month(&self, i: usize) -> Parsed<u32> {
        let of = self.skip_word(i, &["of", "in"]);
        let (month, _) = lexicon::month(self.word(of)).filter(|_| of > i)?;
        Some((month, of + 1))
    }

    /// "monday", "mon, wed and fri", "mon-fri", "weekend".
    pub(crate) fn weekly_days(&self, i: usize, interval: u32) -> Parsed<Repeat> {
        let weekly = Rule::every(interval, Freq::Weekly);
        match self.word(i) {
            "weekend" | "weekends" => return Some((weekly.on(WEEKEND).into(), i + 1)),
            "mwf" => return Some((weekly.on([Weekday::Mon, Weekday::Wed, Weekday::Fri]).into(), i + 1)),
            _ => {}
        }
        let (days, next) = self.weekday_list(i)?;
        Some((weekly.on(days).into(), next))
    }

    pub(crate) fn weekday_list(&self, i: usize) -> Parsed<Vec<Weekday>> {
        let day = |i: usize| {
            let word = self.word(i);
            let weekday = lexicon::weekday(word).map(|(day, _)| day).or_else(|| lexicon::weekdays(word))?;
            Some((weekday, self.skip_stop(i + 1)))
        };
        let several = match self.word(i) {
            "weekend" | "weekends" => Some(WEEKEND.to_vec()),
            "weekday" | "weekdays" => Some(BUSINESS_DAYS.to_vec()),
            _ => None,
        };
        if let Some(several) = several {
            return Some((several, i + 1));
        }
        let (first, mut next) = day(i)?;
        let mut days = vec![first];
        loop {
            let last = days[days.len() - 1];
            let range =
                matches!(self.sign(next), Some('-' | '–')) || matches!(self.word(next), "to" | "through" | "thru");
            if let Some((end, after)) = day(next + 1).filter(|_| range) {
                let mut weekday = last;
                while weekday != end {
                    weekday = weekday.succ();
                    days.push(weekday);
                }
                next = after;
            } else {
                let joint = self.skip_comma(next);
                let joint = if matches!(self.sign(joint), Some('/' | '&' | '+')) { joint + 1 } else { joint };
                let joint = self.skip_word(joint, &["and", "or"]);
                let joint = self.skip_word(joint, &["on", "every"]);
                // "every mon wed fri".
                match day(joint).filter(|_| joint > next || !self.glued(next)) {
                    Some((weekday, after)) => {
                        days.push(weekday);
                        next = after;
                    }
                    None => return Some((days, next)),
                }
            }
            if days.len() > 14 {
                return None;
            }
        }
    }

    /// "the first monday of every month", "on the 15th of each month", "last day of every month".
    pub(crate) fn of_every(&self, i: usize) -> Parsed<Repeat> {
        let start = self.skip_word(self.skip_word(i, &["on", "at"]), &["the"]);
        if matches!(self.word(start), "end" | "beginning" | "begin" | "start") && self.word(start + 1) == "of" {
            let day = if self.word(start) == "end" { -1 } else { 1 };
            if !matches!(self.word(start + 2), "every" | "each") {
                return None;
            }
            let (interval, end) = self.skip_every(start + 3, "month")?;
            return Some((Rule { month_days: vec![day], ..Rule::every(interval, Freq::Monthly) }.into(), end));
        }
        let monthly = Rule::every(1, Freq::Monthly);
        let (rule, next) = self.placed_day(start, &monthly).or_else(|| self.month_days(start, &monthly))?;
        let of = self.skip_word(next, &["of", "in"]);
        if !matches!(self.word(of), "every" | "each") {
            return None;
        }
        if let Some((month, _)) = lexicon::month(self.word(of + 1)) {
            return Some((Rule { freq: Freq::Yearly, months: vec![month], ..rule }.into(), of + 2));
        }
        let (interval, end) = self.skip_every(of + 1, "month")?;
        Some((Rule { interval, ..rule }.into(), end))
    }

    /// "month", "other month", "3 months" after "every".
    fn skip_every(&self, i: usize, unit: &str) -> Parsed<u32> {
        let (interval, next) = match self.word(i) {
            "other" => (2, i + 1),
            _ => self.ordinal(i).or_else(|| self.cardinal(i)).unwrap_or((1, i)),
        };
        let fits = self.word(next).trim_end_matches('s') == unit && (1..=1_000).contains(&interval);
        fits.then_some((interval, next + 1))
    }
}

/// The rule of the days of a set at these places of the month.
fn placed(rule: Rule, places: &[i32], set: DaySet) -> Option<Rule> {
    match (set, places) {
        (DaySet::On(weekday), _) => {
            Some(Rule { weekdays: places.iter().map(|place| (*place, weekday)).collect(), ..rule })
        }
        (DaySet::Any, _) => Some(Rule { month_days: places.to_vec(), ..rule }),
        (DaySet::Business, [place @ (1 | -1)]) => Some(Rule { position: Some(*place), ..rule.on(BUSINESS_DAYS) }),
        (DaySet::Business, _) => None,
    }
}
