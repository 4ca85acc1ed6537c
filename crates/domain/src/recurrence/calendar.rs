//! From local days and times of day to instants, whatever the clocks of the zone do.
//!
//! A rule is a set of local days times a set of times of day. Each pair is resolved by the rule in [`crate::zone`],
//! and what falls on the same instant is one slot. All searching goes day by day, so that its cost is bounded by the
//! days looked at, and a day costs one look-up in the zone's table unless the clocks change on it.

mod step;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveTime, TimeDelta, Weekday};

use self::step::Step;
use super::{
    cron::Cron,
    rrule::{self, Frequency, Rrule},
};
use crate::{
    clock::Timestamp,
    limits,
    zone::{self, Tz},
};

/// A local day and the offset from UTC with which it begins, unless clocks change just then.
type Midnight = (NaiveDate, Option<TimeDelta>);
/// How many of them are remembered.
const MIDNIGHTS: usize = 8;

pub(crate) struct Calendar {
    zone: Tz,
    days: LocalDays,
    /// Ascending.
    times: Rc<[NaiveTime]>,
    /// Whether a time that comes twice is two slots.
    both_passes: bool,
    /// Which of the times count, where not all that come do.
    step: Option<Step>,
    /// What was looked at lately: most is asked for again.
    midnights: [Cell<Option<Midnight>>; MIDNIGHTS],
    /// The slots of the last day looked at on which the clocks change: there may be many, and they are asked for often.
    changing: RefCell<Option<(NaiveDate, Rc<[Timestamp]>)>>,
}

enum LocalDays {
    All,
    On(Weekday),
    Cron(Box<Cron>),
    Rrule(Box<rrule::Days>),
}

impl Calendar {
    pub(crate) fn daily(zone: Tz, time: NaiveTime) -> Self {
        Self::new(zone, LocalDays::All, [time].into(), false, None)
    }

    pub(crate) fn weekly(zone: Tz, weekday: Weekday, time: NaiveTime) -> Self {
        Self::new(zone, LocalDays::On(weekday), [time].into(), false, None)
    }

    pub(crate) fn cron(zone: Tz, cron: Cron) -> Self {
        let (times, both_passes) = (cron.times().into(), cron.every_hour);
        Self::new(zone, LocalDays::Cron(Box::new(cron)), times, both_passes, None)
    }

    /// A rule whose first slot is `first`: from there its intervals count, and what it leaves open is as there.
    pub(crate) fn rrule(zone: Tz, rule: &Rrule, first: Timestamp) -> Self {
        let local = zone::local(zone, first);
        let times: Rc<[NaiveTime]> = rule.times(local.time()).into();
        let unit = match rule.frequency {
            Frequency::Hourly => Some(60),
            Frequency::Minutely => Some(1),
            _ => None,
        };
        let step =
            unit.filter(|_| rule.interval > 1).map(|unit| Step::new(first, local, (unit, rule.interval), &times));
        let days = rrule::Days::new(rule, local.date(), Rc::clone(&times));
        Self::new(zone, LocalDays::Rrule(Box::new(days)), times, unit.is_some(), step)
    }

    fn new(zone: Tz, days: LocalDays, times: Rc<[NaiveTime]>, both_passes: bool, step: Option<Step>) -> Self {
        Self { zone, days, times, both_passes, step, midnights: Default::default(), changing: RefCell::default() }
    }

    /// The first slot strictly after an instant, searched [`limits::SEARCH_YEARS`] ahead.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        // A gap can move a slot into the next day, so the search begins a day early.
        let today = zone::local(self.zone, after).date();
        let start = today.pred_opt()?;
        let limit = today.checked_add_months(Months::new(limits::SEARCH_YEARS * 12))?;
        let limit = limit.min(NaiveDate::from_ymd_opt(limits::YEAR_MAX, 12, 30)?);
        let mut day = self.days.first_from(start, limit)?;
        for _ in 0..limits::EMPTY_DAYS_MAX {
            if let Some(slot) = self.first_on(day, after) {
                // A slot moved over midnight may come after the first of the day that follows.
                let rival = day.succ_opt().filter(|day| self.days.has(*day)).and_then(|day| self.first_on(day, after));
                return Some(rival.map_or(slot, |rival| rival.min(slot)));
            }
            let ahead = self.step.as_ref().map_or(1, |step| step.days_after(day));
            day = self.days.first_from(day.checked_add_days(Days::new(ahead))?, limit)?;
        }
        None
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
        if let Some(offset) = self.steady_offset(day) {
            let local = after.naive_utc() + offset;
            let times = self.times_on(day, offset);
            let index = times.partition_point(|time| day.and_time(*time) <= local);
            times.get(index).map(|time| (day.and_time(*time) - offset).and_utc())
        } else {
            self.slots_on(day).iter().find(|slot| **slot > after).copied()
        }
    }

    /// The last slot of a local day that is not after an instant.
    fn last_on(&self, day: NaiveDate, until: Timestamp) -> Option<Timestamp> {
        if let Some(offset) = self.steady_offset(day) {
            let local = until.naive_utc() + offset;
            let times = self.times_on(day, offset);
            let index = times.partition_point(|time| day.and_time(*time) <= local).checked_sub(1)?;
            times.get(index).map(|time| (day.and_time(*time) - offset).and_utc())
        } else {
            self.slots_on(day).iter().rfind(|slot| **slot <= until).copied()
        }
    }

    /// The one offset from UTC of a whole local day, or nothing if the clocks change on it.
    fn steady_offset(&self, day: NaiveDate) -> Option<TimeDelta> {
        let midnight = |day: NaiveDate| {
            let place = &self.midnights[day.ordinal() as usize % MIDNIGHTS];
            if let Some((_, offset)) = place.get().filter(|(known, _)| *known == day) {
                return offset;
            }
            let offset = zone::midnight_offset(self.zone, day);
            place.set(Some((day, offset)));
            offset
        };
        let start = midnight(day)?;
        (midnight(day.succ_opt()?)? == start).then_some(start)
    }

    /// The times at which a local day has slots, where its offset is the same all day.
    fn times_on(&self, day: NaiveDate, offset: TimeDelta) -> Rc<[NaiveTime]> {
        match (&self.step, self.days.times_on(day)) {
            (Some(step), _) => step.times_on((day.and_time(NaiveTime::MIN) - offset).and_utc()),
            (None, Some(times)) => times,
            (None, None) => Rc::clone(&self.times),
        }
    }

    /// All slots of a local day, for the few days on which the clocks change.
    fn slots_on(&self, day: NaiveDate) -> Rc<[Timestamp]> {
        if let Some((_, slots)) = self.changing.borrow().as_ref().filter(|(known, _)| *known == day) {
            return Rc::clone(slots);
        }
        let times = self.days.times_on(day).unwrap_or_else(|| Rc::clone(&self.times));
        let mut slots = Vec::with_capacity(times.len());
        for time in times.iter() {
            let (first, second) = zone::passes(self.zone, day.and_time(*time));
            slots.push(first);
            slots.extend(second.filter(|_| self.both_passes));
        }
        slots.retain(|slot| self.step.as_ref().is_none_or(|step| step.takes(*slot)));
        slots.sort_unstable();
        slots.dedup();
        let slots: Rc<[_]> = slots.into();
        *self.changing.borrow_mut() = Some((day, Rc::clone(&slots)));
        slots
    }
}

impl LocalDays {
    fn has(&self, day: NaiveDate) -> bool {
        match self {
            Self::All => true,
            Self::On(weekday) => day.weekday() == *weekday,
            Self::Cron(cron) => cron.has_day(day),
            Self::Rrule(days) => days.has(day),
        }
    }

    /// The times of a day that has slots, where that is not all of them.
    fn times_on(&self, day: NaiveDate) -> Option<Rc<[NaiveTime]>> {
        if let Self::Rrule(days) = self { days.times_on(day) } else { None }
    }

    fn first_from(&self, mut day: NaiveDate, limit: NaiveDate) -> Option<NaiveDate> {
        while day <= limit {
            if self.has(day) {
                return Some(day);
            }
            day = match self {
                Self::Cron(cron) if !cron.has_month(day) => day.with_day(1)?.checked_add_months(Months::new(1))?,
                Self::Rrule(days) => days.after(day)?,
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
                Self::Rrule(days) => days.before(day)?,
                _ => day.pred_opt()?,
            };
        }
        None
    }
}
