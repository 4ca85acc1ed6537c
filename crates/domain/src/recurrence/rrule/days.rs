//! Which local days a rule has.
//!
//! Every part that names days, whether RFC 5545 calls it expanding or limiting, is a condition on a day, once what the
//! rule leaves open is taken from the first slot. So a day is asked about without looking at any other, from wherever the
//! search begins. Only `BYSETPOS` needs its whole period, of which the last one looked at is kept.

use std::{cell::RefCell, rc::Rc};

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime, TimeDelta};

use super::{Frequency, Rrule};

/// The days of a rule that begins on some day.
pub(in crate::recurrence) struct Days {
    /// With nothing left open.
    rule: Rrule,
    /// The number of the period of the first slot.
    first: i64,
    /// The times of every day, from which `BYSETPOS` picks.
    times: Rc<[NaiveTime]>,
    picked: RefCell<Option<(i64, Rc<Picked>)>>,
}

/// What `BYSETPOS` leaves of a period, ascending.
type Picked = Vec<(NaiveDate, NaiveTime)>;

impl Days {
    pub(in crate::recurrence) fn new(rule: &Rrule, first: NaiveDate, times: Rc<[NaiveTime]>) -> Self {
        let mut rule = rule.clone();
        let month_day = i32::try_from(first.day()).unwrap_or_default();
        let names_days = !(rule.by_year_day.is_empty() && rule.by_month_day.is_empty() && rule.by_day.is_empty());
        match rule.frequency {
            _ if names_days => {}
            Frequency::Yearly if !rule.by_week.is_empty() => {
                rule.by_day = vec![(0, first.weekday().num_days_from_monday())];
            }
            Frequency::Yearly => {
                if rule.by_month.is_empty() {
                    rule.by_month = vec![i32::try_from(first.month()).unwrap_or_default()];
                }
                rule.by_month_day = vec![month_day];
            }
            Frequency::Monthly => rule.by_month_day = vec![month_day],
            Frequency::Weekly => rule.by_day = vec![(0, first.weekday().num_days_from_monday())],
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {}
        }
        let mut days = Self { rule, first: 0, times, picked: RefCell::default() };
        days.first = days.period(first);
        days
    }

    /// Whether a day has a slot.
    pub(in crate::recurrence) fn has(&self, day: NaiveDate) -> bool {
        let period = self.period(day);
        self.steps_over(period) == 0
            && if self.rule.by_position.is_empty() {
                self.matches(day)
            } else {
                self.picked(period).binary_search_by_key(&day, |(day, _)| *day).is_ok()
            }
    }

    /// The times of a day that has slots, where that is not all of them.
    pub(in crate::recurrence) fn times_on(&self, day: NaiveDate) -> Option<Rc<[NaiveTime]>> {
        (!self.rule.by_position.is_empty()).then(|| {
            let picked = self.picked(self.period(day));
            picked.iter().filter(|(other, _)| *other == day).map(|(_, time)| *time).collect()
        })
    }

    /// Where to look on after a day that has no slot.
    pub(in crate::recurrence) fn after(&self, day: NaiveDate) -> Option<NaiveDate> {
        let period = self.period(day);
        match self.steps_over(period) {
            0 if !self.has_month(day) => day.with_day(1)?.checked_add_months(Months::new(1)),
            0 => day.succ_opt(),
            over => self.begin(period + self.interval() - over),
        }
    }

    /// Where to look on before a day that has no slot.
    pub(in crate::recurrence) fn before(&self, day: NaiveDate) -> Option<NaiveDate> {
        let period = self.period(day);
        match self.steps_over(period) {
            0 if !self.has_month(day) => day.with_day(1)?.pred_opt(),
            0 => day.pred_opt(),
            over => self.begin(period - over + 1)?.pred_opt(),
        }
    }

    /// The number of the period that a day lies in, on a count of its own for each frequency.
    fn period(&self, day: NaiveDate) -> i64 {
        match self.rule.frequency {
            Frequency::Yearly => i64::from(day.year()),
            Frequency::Monthly => i64::from(day.year()) * 12 + i64::from(day.month0()),
            Frequency::Weekly => (i64::from(day.num_days_from_ce()) - self.week_shift()).div_euclid(7),
            // Steps below a day are not counted in days.
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => i64::from(day.num_days_from_ce()),
        }
    }

    /// The first day of a period.
    fn begin(&self, period: i64) -> Option<NaiveDate> {
        let from_ce = |days: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?);
        match self.rule.frequency {
            Frequency::Yearly => NaiveDate::from_ymd_opt(i32::try_from(period).ok()?, 1, 1),
            Frequency::Monthly => {
                let month = u32::try_from(period.rem_euclid(12)).ok()? + 1;
                NaiveDate::from_ymd_opt(i32::try_from(period.div_euclid(12)).ok()?, month, 1)
            }
            Frequency::Weekly => from_ce(period * 7 + self.week_shift()),
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => from_ce(period),
        }
    }

    /// Day 1 of the Common Era is a Monday.
    fn week_shift(&self) -> i64 {
        1 + i64::from(self.rule.week_start.num_days_from_monday())
    }

    fn interval(&self) -> i64 {
        if self.rule.frequency < Frequency::Hourly { self.rule.interval } else { 1 }
    }

    /// How far a period lies after the last one that counts.
    fn steps_over(&self, period: i64) -> i64 {
        (period - self.first).rem_euclid(self.interval())
    }

    fn has_month(&self, day: NaiveDate) -> bool {
        let months = &self.rule.by_month;
        months.is_empty() || months.iter().any(|month| month.unsigned_abs() == day.month())
    }

    /// Whether a day meets every part that names days.
    fn matches(&self, day: NaiveDate) -> bool {
        let rule = &self.rule;
        self.has_month(day)
            && takes(&rule.by_month_day, day.day(), days_in_month(day))
            && takes(&rule.by_year_day, day.ordinal(), days_in_year(day.year()))
            && (rule.by_day.is_empty() || self.has_weekday(day))
            && (rule.by_week.is_empty() || self.has_week(day))
    }

    fn has_weekday(&self, day: NaiveDate) -> bool {
        let in_month = self.rule.frequency == Frequency::Monthly || !self.rule.by_month.is_empty();
        let (place, of) =
            if in_month { (day.day(), days_in_month(day)) } else { (day.ordinal(), days_in_year(day.year())) };
        let weekday = day.weekday().num_days_from_monday();
        let from_start = i32::try_from((place - 1) / 7 + 1).unwrap_or_default();
        let from_end = -i32::try_from((of - place) / 7 + 1).unwrap_or_default();
        self.rule.by_day.iter().any(|(nth, name)| *name == weekday && [0, from_start, from_end].contains(nth))
    }

    /// Week 1 is the first that has four days in the year.
    fn has_week(&self, day: NaiveDate) -> bool {
        let place = i64::from(day.weekday().days_since(self.rule.week_start));
        let Some(middle) = day.checked_add_signed(TimeDelta::days(3 - place)) else { return false };
        let number = middle.ordinal0() / 7 + 1;
        let weeks = number + (days_in_year(middle.year()) - middle.ordinal()) / 7;
        takes(&self.rule.by_week, number, weeks)
    }

    /// What `BYSETPOS` leaves of a period.
    fn picked(&self, period: i64) -> Rc<Picked> {
        if let Some((_, picked)) = self.picked.borrow().as_ref().filter(|(known, _)| *known == period) {
            return Rc::clone(picked);
        }
        let begin = self.begin(period).into_iter().flat_map(|day| day.iter_days());
        let days: Vec<_> =
            begin.take_while(|day| self.period(*day) == period).filter(|day| self.matches(*day)).collect();
        let (each, count) = (self.times.len(), days.len() * self.times.len());
        let place = |position: &i32| {
            let from_start = usize::try_from(position.unsigned_abs()).ok()?;
            let index = if *position > 0 { from_start - 1 } else { count.checked_sub(from_start)? };
            Some((*days.get(index / each)?, self.times[index % each]))
        };
        let mut picked: Picked = self.rule.by_position.iter().filter_map(place).collect();
        picked.sort_unstable();
        picked.dedup();
        let picked = Rc::new(picked);
        *self.picked.borrow_mut() = Some((period, Rc::clone(&picked)));
        picked
    }
}

/// Whether a list, which counts from 1 or back from -1, takes a number of so many.
fn takes(list: &[i32], number: u32, of: u32) -> bool {
    let number = i64::from(number);
    let from_end = number - i64::from(of) - 1;
    list.is_empty() || list.iter().any(|item| [number, from_end].contains(&i64::from(*item)))
}

fn days_in_year(year: i32) -> u32 {
    if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 }
}

fn days_in_month(day: NaiveDate) -> u32 {
    u32::from(day.num_days_in_month())
}
