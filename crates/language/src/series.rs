//! A recurrence put together from all that a text says of it, and the moments of reminders.

use chrono::{Months, NaiveDate, NaiveTime, TimeDelta, Timelike as _};
use todo_domain::{
    Timestamp, clock as domain_clock, limits,
    recurrence::{Anchor, RecurrenceDraft, RecurrenceType},
    zone,
};

use crate::{
    Context, Extent,
    clock::Clock,
    date::{Days, Kind},
    lexicon::Part,
    moment::Moment,
    number::{Length, add_days},
    phrase::{Lead, Phrase},
    repeat::Repeat,
    rule::Freq,
    scan::Scan,
    task::due_of,
};

/// The time of day that relative reminders of a whole day count from.
const ALL_DAY_HOUR: u32 = 9;

/// Whether a task begun on a day of its rule keeps that day's time, and what else was said of it.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) repeat: Repeat,
    pub(crate) start: Option<NaiveDate>,
    time: Option<Moment>,
    /// The instant of the first, when it was said as such.
    first: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Whether the end was said without its year.
    until_yearless: bool,
    pub(crate) count: Option<i64>,
    pub(crate) lasting: Option<Length>,
}

impl Series {
    pub(crate) fn new(repeat: Repeat) -> Self {
        let time = match (&repeat.clocks[..], repeat.part) {
            ([], None) => None,
            (clocks, part) => Some(Moment { clock: clocks.first().copied(), part, ..Moment::default() }),
        };
        Self { repeat, start: None, time, first: None, until: None, until_yearless: false, count: None, lasting: None }
    }

    /// Takes the times of day.
    pub(crate) fn take_clocks(&mut self, clocks: &[Clock]) {
        self.repeat.clocks = clocks.to_vec();
        let part = self.repeat.part;
        self.time = Some(Moment { clock: clocks.first().copied(), part, ..Moment::default() });
    }

    /// Takes what a date says of the recurrence; whether it says anything.
    pub(crate) fn take(&mut self, phrase: &Phrase, scan: &Scan<'_>) -> bool {
        let moment = phrase.moment;
        if matches!(phrase.lead, Lead::Until | Lead::Through | Lead::By | Lead::Before) && !moment.is_time_only() {
            // "until november" ends when it begins, "through november" when it ends.
            let mut phrase = *phrase;
            if let (Lead::Until, Some(days)) = (phrase.lead, moment.days) {
                phrase.moment.days = Some(Days { last: days.first, ..days });
            }
            self.until_yearless = moment.days.is_some_and(|days| matches!(days.kind, Kind::Yearless | Kind::Month));
            let until = scan.extent(&phrase).and_then(|extent| end_of(extent, scan.context));
            return self.until.is_none() && set(&mut self.until, until);
        }
        if phrase.to.is_some() {
            // "daily from dec 1 to dec 5".
            let Some(Extent::Days { first, last }) = scan.extent(phrase) else { return false };
            let until = last.and_then(|last| end_of(Extent::Days { first, last: Some(last) }, scan.context));
            return self.start.is_none()
                && self.until.is_none()
                && set(&mut self.start, first)
                && set(&mut self.until, until);
        }
        if moment.at.is_some() {
            let Some((at, false)) = due_of(scan, phrase) else { return false };
            return self.first.is_none() && set(&mut self.first, Some(at));
        }
        let has_day = match moment.days {
            None => true,
            Some(_) if self.start.is_some() => false,
            Some(days) => set(&mut self.start, Some(days.first)),
        };
        if !has_day || moment.has_time() && self.time.is_some_and(|time| time.clock.is_some()) {
            return has_day && !moment.has_time();
        }
        if moment.has_time() {
            let part = moment.part.or(self.time.and_then(|time| time.part));
            self.time = Some(Moment { days: None, part, ..moment });
        }
        true
    }

    /// The first slot, whether it is a whole day, and the recurrence.
    pub(crate) fn settle(&mut self, scan: &Scan<'_>) -> Option<(Timestamp, bool, RecurrenceDraft)> {
        let time = self.time.map(|time| settle_time(Moment { part: time.part.or(scan.hint), ..time }));
        self.repeat.rule.times = several(&self.repeat, time)?;
        let (due, all_day) = self.first_slot(time, scan)?;
        let until = match self.lasting {
            Some(length) => {
                let end = length.day_after(self.start.unwrap_or(scan.today))?.pred_opt()?;
                end_of(Extent::Days { first: None, last: Some(end) }, scan.context)
            }
            None => self.until.map(|until| {
                let year_later =
                    until.checked_add_months(Months::new(12)).filter(|_| self.until_yearless && until < due);
                year_later.unwrap_or(until)
            }),
        };
        let ended = until.is_some_and(|until| until < due);
        let counted = self.count.is_none_or(|count| (1..=limits::COUNT_MAX).contains(&count));
        if ended || !counted {
            return None;
        }
        let rule = &self.repeat.rule;
        let (kind, text) = if rule.is_daily() {
            (RecurrenceType::Daily, None)
        } else if rule.is_weekly() {
            (RecurrenceType::Weekly, None)
        } else {
            (RecurrenceType::Rrule, Some(rule.rfc(scan.context.week_start)))
        };
        let recurrence = RecurrenceDraft {
            recurrence_type: kind,
            rrule: text,
            time_zone: Some(scan.context.zone.name().to_owned()),
            anchor: if rule.completion { Anchor::Completion } else { Anchor::Schedule },
            until,
            count: self.count,
            ..RecurrenceDraft::default()
        };
        Some((due, all_day, recurrence))
    }

    fn first_slot(&self, time: Option<(NaiveTime, bool)>, scan: &Scan<'_>) -> Option<(Timestamp, bool)> {
        if let Some(first) = self.first {
            return Some((first, false));
        }
        let rule = &self.repeat.rule;
        let context = scan.context;
        let resolve = |day: NaiveDate, (time, next_day): (NaiveTime, bool)| {
            Some(zone::resolve(context.zone, add_days(day, i64::from(next_day))?.and_time(time)))
        };
        if rule.freq <= Freq::Hourly {
            return match time {
                Some(time) => {
                    let at = resolve(self.start.unwrap_or(scan.today), time)?;
                    let tomorrow = || resolve(add_days(scan.today, 1)?, time);
                    let at = if at <= context.now && self.start.is_none() { tomorrow()? } else { at };
                    Some((at, false))
                }
                None if self.start.is_some() => Some((zone::start_of_day(context.zone, self.start?), false)),
                None => {
                    let unit = if rule.freq == Freq::Hourly { 3_600 } else { 60 };
                    let minute = scan.now.with_second(0)?.with_nanosecond(0)?;
                    let step = TimeDelta::try_seconds(i64::from(rule.interval) * unit)?;
                    Some((zone::resolve(context.zone, minute).checked_add_signed(step)?, false))
                }
            };
        }
        let day = rule.first_day(self.start.unwrap_or(scan.today))?;
        let Some(time) = time else { return Some((zone::start_of_day(context.zone, day), true)) };
        let times =
            if rule.times.is_empty() { vec![time] } else { rule.times.iter().map(|time| (*time, false)).collect() };
        // Today counts as long as its time is to come.
        let soon = times.iter().filter_map(|time| resolve(day, *time)).find(|at| *at > context.now);
        if let Some(at) = soon.or_else(|| self.start.and_then(|_| resolve(day, times[0]))) {
            return Some((at, false));
        }
        let next = rule.first_day(add_days(day, 1)?)?;
        Some((resolve(next, times[0])?, false))
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_some = value.is_some();
    *place = value;
    is_some
}

fn settle_time(moment: Moment) -> (NaiveTime, bool) {
    let part = moment.part;
    let clock = moment.clock.or_else(|| Clock::exact(part.map_or(0, Part::hour), 0));
    clock.map_or((NaiveTime::MIN, false), |clock| clock.settle(part))
}

/// The times of a rule with several a day; nothing at all if they are not of the same minute.
fn several(repeat: &Repeat, first: Option<(NaiveTime, bool)>) -> Option<Vec<NaiveTime>> {
    if repeat.clocks.len() < 2 {
        return Some(Vec::new());
    }
    let mut times: Vec<_> = repeat.clocks.iter().map(|clock| clock.settle(repeat.part).0).collect();
    times.sort();
    times.dedup();
    let minute = first?.0.minute();
    times.iter().all(|time| time.minute() == minute && time.second() == 0).then_some(times)
}

/// The last moment of an extent: of a day its last microsecond.
fn end_of(extent: Extent, context: &Context) -> Option<Timestamp> {
    match extent {
        Extent::Days { last, .. } => {
            let next = zone::start_of_day(context.zone, add_days(last?, 1)?);
            next.checked_sub_signed(TimeDelta::microseconds(1))
        }
        Extent::Instants { to, .. } => to.map(domain_clock::micros),
    }
}

/// The instant that relative reminders count from: of a whole day 09:00.
pub(crate) fn reminder_base(due: Timestamp, all_day: bool, context: &Context) -> Timestamp {
    if !all_day {
        return due;
    }
    let day = zone::local(context.zone, due).date();
    NaiveTime::from_hms_opt(ALL_DAY_HOUR, 0, 0).map_or(due, |time| zone::resolve(context.zone, day.and_time(time)))
}

/// How many seconds before `base` a reminder is that is so long before it on the calendar, at a time of its own.
pub(crate) fn seconds_before(
    base: Timestamp,
    length: Length,
    time: Option<(Clock, Option<Part>)>,
    scan: &Scan<'_>,
) -> Option<i64> {
    let local = zone::local(scan.context.zone, base);
    let at = match time {
        None => length.negated().instant_after(local, scan.context)?,
        Some((clock, part)) => {
            let (time, next_day) = clock.settle(part);
            let day = add_days(length.negated().day_after(local.date())?, i64::from(next_day))?;
            zone::resolve(scan.context.zone, day.and_time(time))
        }
    };
    Some(base.signed_duration_since(at).num_seconds())
}

/// The instant of a reminder that has one: a time alone is on the due day if that is still to come, a day alone is at
/// 09:00.
pub(crate) fn ring_at(phrase: &Phrase, due: Option<Timestamp>, scan: &Scan<'_>) -> Option<Timestamp> {
    let context = scan.context;
    if let Some(due) = due.filter(|_| phrase.moment.is_time_only() && phrase.to.is_none()) {
        let day = zone::local(context.zone, due).date();
        let (time, next_day) = settle_time(phrase.moment);
        let at = zone::resolve(context.zone, add_days(day, i64::from(next_day))?.and_time(time));
        if at > context.now {
            return Some(at);
        }
    }
    let (at, all_day) = due_of(scan, phrase)?;
    Some(reminder_base(at, all_day, context))
}
