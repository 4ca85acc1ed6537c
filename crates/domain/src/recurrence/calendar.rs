//! From local days and times of day to instants, whatever the clocks of the zone do.
//!
//! A rule is a set of local days times a set of times of day. Each pair is resolved by the rule in [`crate::zone`],
//! and what falls on the same instant is one slot. All searching goes day by day, so that its cost is bounded by the
//! days looked at, and a day costs two look-ups in the zone's table unless the clocks change on it.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveTime, Weekday};

use super::cron::Cron;
use crate::{
    clock::Timestamp,
    limits,
    zone::{self, Tz},
};

pub(crate) struct Calendar {
    zone: Tz,
    days: LocalDays,
    /// Ascending.
    times: Vec<NaiveTime>,
    /// Whether a time that comes twice is two slots.
    both_passes: bool,
}

enum LocalDays {
    All,
    On(Weekday),
    Cron(Box<Cron>),
}

impl Calendar {
    pub(crate) fn daily(zone: Tz, time: NaiveTime) -> Self {
        Self { zone, days: LocalDays::All, times: vec![time], both_passes: false }
    }

    pub(crate) fn weekly(zone: Tz, weekday: Weekday, time: NaiveTime) -> Self {
        Self { zone, days: LocalDays::On(weekday), times: vec![time], both_passes: false }
    }

    pub(crate) fn cron(zone: Tz, cron: Cron) -> Self {
        Self { zone, times: cron.times(), both_passes: cron.every_hour, days: LocalDays::Cron(Box::new(cron)) }
    }

    /// The first slot strictly after an instant, searched [`limits::SEARCH_YEARS`] ahead.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // A gap can move a slot into the next day, so the search begins a day early.
        let start = zone::local(self.zone, after).date().pred_opt()?;
        let limit = start.checked_add_months(Months::new(limits::SEARCH_YEARS.unsigned_abs() * 12))?;
        let limit = limit.min(NaiveDate::from_ymd_opt(limits::YEAR_MAX, 12, 30)?);
        let mut day = self.days.first_from(start, limit)?;
        loop {
            if let Some(slot) = self.first_on(day, after) {
                // A slot moved over midnight may come after the first of the day that follows.
                let rival = day.succ_opt().filter(|day| self.days.has(*day)).and_then(|day| self.first_on(day, after));
                return Some(rival.map_or(slot, |rival| rival.min(slot)));
            }
            day = self.days.first_from(day.succ_opt()?, limit)?;
        }
    }

    /// The last slot in (`after`, `until`].
    pub(crate) fn last_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let start = zone::local(self.zone, until).date().succ_opt()?;
        let limit = zone::local(self.zone, after).date().pred_opt()?;
        let mut day = self.days.last_until(start, limit)?;
        loop {
            if let Some(slot) = self.last_on(day, until) {
                let rival = day.pred_opt().filter(|day| self.days.has(*day)).and_then(|day| self.last_on(day, until));
                return Some(rival.map_or(slot, |rival| rival.max(slot))).filter(|slot| *slot > after);
            }
            day = self.days.last_until(day.pred_opt()?, limit)?;
        }
    }

    /// The first slot of a local day after an instant.
    fn first_on(&self, day: NaiveDate, after: Timestamp) -> Option<Timestamp> {
        if let Some(offset) = zone::steady_offset(self.zone, day) {
            let local = after.naive_utc() + offset;
            let index = self.times.partition_point(|time| day.and_time(*time) <= local);
            self.times.get(index).map(|time| (day.and_time(*time) - offset).and_utc())
        } else {
            self.slots_on(day).into_iter().find(|slot| *slot > after)
        }
    }

    /// The last slot of a local day that is not after an instant.
    fn last_on(&self, day: NaiveDate, until: Timestamp) -> Option<Timestamp> {
        if let Some(offset) = zone::steady_offset(self.zone, day) {
            let local = until.naive_utc() + offset;
            let index = self.times.partition_point(|time| day.and_time(*time) <= local).checked_sub(1)?;
            self.times.get(index).map(|time| (day.and_time(*time) - offset).and_utc())
        } else {
            self.slots_on(day).into_iter().rfind(|slot| *slot <= until)
        }
    }

    /// All slots of a local day, for the few days on which the clocks change.
    fn slots_on(&self, day: NaiveDate) -> Vec<Timestamp> {
        let mut slots = Vec::with_capacity(self.times.len());
        for time in &self.times {
            let (first, second) = zone::passes(self.zone, day.and_time(*time));
            slots.push(first);
            slots.extend(second.filter(|_| self.both_passes));
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }
}

impl LocalDays {
    fn has(&self, day: NaiveDate) -> bool {
        match self {
            Self::All => true,
            Self::On(weekday) => day.weekday() == *weekday,
            Self::Cron(cron) => cron.has_day(day),
        }
    }

    fn first_from(&self, mut day: NaiveDate, limit: NaiveDate) -> Option<NaiveDate> {
        while day <= limit {
            if self.has(day) {
                return Some(day);
            }
            day = match self {
                Self::Cron(cron) if !cron.has_month(day) => day.with_day(1)?.checked_add_months(Months::new(1))?,
                _ => day.succ_opt()?,
            };
        }
        None
    }

    fn last_until(&self, mut day: NaiveDate, limit: NaiveDate) -> Option<NaiveDate> {
        while day >= limit {
            if self.has(day) {
                return Some(day);
            }
            day = match self {
                Self::Cron(cron) if !cron.has_month(day) => day.with_day(1)?.checked_sub_days(Days::new(1))?,
                _ => day.pred_opt()?,
            };
        }
        None
    }
}
