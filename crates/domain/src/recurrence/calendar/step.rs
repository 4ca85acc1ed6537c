//! Steps below a day: every so many hours or minutes that have elapsed, whatever the clocks showed.

use std::{cell::RefCell, rc::Rc};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

use crate::clock::Timestamp;

const MINUTES_A_DAY: i64 = 1_440;

pub(super) struct Step {
    /// When the hour or minute of the first slot began, in minutes since 1970.
    base: i64,
    /// How long one is, in minutes.
    unit: i64,
    /// Every how manieth counts.
    interval: i64,
    /// The time within each minute of a day, where the rule has one.
    times: Vec<Option<NaiveTime>>,
    /// The times of the last day looked at, by how its midnight lies in the steps: mostly all days lie alike.
    last: RefCell<Option<(i64, Rc<[NaiveTime]>)>>,
}

impl Step {
    pub(super) fn new(
        first: Timestamp,
        local: NaiveDateTime,
        (unit, interval): (i64, i64),
        times: &[NaiveTime],
    ) -> Self {
        let into_hour = if unit == 60 { i64::from(local.minute()) } else { 0 };
        let mut by_minute = vec![None; 1_440];
        for time in times {
            by_minute[(time.num_seconds_from_midnight() / 60) as usize] = Some(*time);
        }
        Self { base: minute(first) - into_hour, unit, interval, times: by_minute, last: RefCell::default() }
    }

    /// Whether a slot lies in an hour or minute that counts.
    pub(super) fn takes(&self, slot: Timestamp) -> bool {
        (minute(slot) - self.base).div_euclid(self.unit).rem_euclid(self.interval) == 0
    }

    /// In how many days to look again after a day without: 1, unless the steps are longer than days.
    pub(super) fn days_after(&self, day: NaiveDate) -> u64 {
        let first = (self.base - minute(day.and_time(NaiveTime::MIN).and_utc())).rem_euclid(self.unit * self.interval);
        // Midnight here is at most a day away from that in UTC.
        u64::try_from(first / MINUTES_A_DAY - 1).unwrap_or_default().max(1)
    }

    /// The times that count on a day that begins at `midnight` and has one offset.
    pub(super) fn times_on(&self, midnight: Timestamp) -> Rc<[NaiveTime]> {
        let every = self.unit * self.interval;
        let first = (self.base - minute(midnight)).rem_euclid(every);
        if let Some((_, times)) = self.last.borrow().as_ref().filter(|(known, _)| *known == first) {
            return Rc::clone(times);
        }
        let mut times = Vec::new();
        // One that begins before the day may reach into it.
        let mut start = first - every;
        while start < MINUTES_A_DAY {
            let minutes = start.max(0)..(start + self.unit).min(MINUTES_A_DAY);
            times.extend(minutes.filter_map(|minute| self.times[usize::try_from(minute).ok()?]));
            start += every;
        }
        let times: Rc<[_]> = times.into();
        *self.last.borrow_mut() = Some((first, Rc::clone(&times)));
        times
    }
}

/// The minutes since 1970.
fn minute(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(60)
}
