//! Faults on purpose, for tests: each is drawn from a seeded sequence, so a single-stepped run repeats exactly.

use std::sync::Mutex;
use std::time::Duration;

use super::{lock, micros_of};

/// What goes wrong, and how often. Probabilities are from 0 (never, the default) to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Where the random sequences start.
    pub seed: u64,
    /// A published event is stored twice under its id: it comes twice, perhaps at once.
    pub duplicate: f64,
    /// A delivery to one app waits up to `longest_delay` before it happens.
    pub delay: f64,
    /// The longest such wait.
    pub longest_delay: Duration,
    /// Deliveries that are ready are taken in a random order (single-stepping chooses for itself).
    pub reorder: bool,
    /// A publish fails; in half of the cases the event was stored all the same.
    pub fail_publish: f64,
    /// Reading or writing state fails; half of the failed writes took place.
    pub fail_state: f64,
    /// A call to another app fails with `UNAVAILABLE`; in half of the cases it was made and only the answer is lost.
    pub fail_invoke: f64,
    /// A published event is accepted and lost, as a broker may.
    pub lose: f64,
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Pass,
    FailBefore,
    FailAfter,
    Lose,
    Duplicate,
}

/// Each kind of decision has a sequence of its own, so that one more state call does not change which event is lost.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Fail,
    Lose,
    Duplicate,
    State,
    Invoke,
    Delay,
    DelayLength,
    Reorder,
}
const KINDS: usize = 8;

pub(super) struct Injector(Mutex<Option<Sequences>>);

struct Sequences {
    faults: Faults,
    drawn: [u64; KINDS],
}

impl Injector {
    pub(super) fn new(faults: Option<Faults>) -> Self {
        let injector = Self(Mutex::new(None));
        injector.set(faults);
        injector
    }

    pub(super) fn set(&self, faults: Option<Faults>) {
        *lock(&self.0) = faults.map(|faults| Sequences { faults, drawn: [0; KINDS] });
    }

    fn with<T>(&self, otherwise: T, decide: impl FnOnce(&mut Sequences) -> T) -> T {
        lock(&self.0).as_mut().map_or(otherwise, decide)
    }

    pub(super) fn publish(&self) -> Fate {
        self.with(Fate::Pass, |s| {
            let faults = s.faults;
            match s.fails(Kind::Fail, faults.fail_publish) {
                Fate::Pass if s.hit(Kind::Lose, faults.lose) => Fate::Lose,
                Fate::Pass if s.hit(Kind::Duplicate, faults.duplicate) => Fate::Duplicate,
                fate => fate,
            }
        })
    }

    pub(super) fn state(&self) -> Fate {
        self.with(Fate::Pass, |s| s.fails(Kind::State, s.faults.fail_state))
    }

    pub(super) fn invoke(&self) -> Fate {
        self.with(Fate::Pass, |s| s.fails(Kind::Invoke, s.faults.fail_invoke))
    }

    /// How many microseconds a delivery is put off, if it is.
    pub(super) fn delay(&self) -> Option<i64> {
        self.with(None, |s| {
            let longest = u64::try_from(micros_of(s.faults.longest_delay)).unwrap_or(0);
            let hit = s.hit(Kind::Delay, s.faults.delay);
            hit.then(|| i64::try_from(s.draw(Kind::DelayLength) % (longest + 1)).unwrap_or(0))
        })
    }

    /// Which of `count` ready deliveries comes next; the first, when nothing is reordered.
    pub(super) fn next_of(&self, count: usize) -> usize {
        self.with(0, |s| match (s.faults.reorder, u64::try_from(count)) {
            (true, Ok(n @ 2..)) => usize::try_from(s.draw(Kind::Reorder) % n).unwrap_or(0),
            _ => 0,
        })
    }

    /// The longest delay there can be, in microseconds: what waits longer was put off by a clock that ran ahead.
    pub(super) fn longest_delay(&self) -> i64 {
        self.with(0, |s| micros_of(s.faults.longest_delay))
    }
}

impl Sequences {
    fn draw(&mut self, kind: Kind) -> u64 {
        let index = kind as usize;
        self.drawn[index] += 1;
        mix(mix(self.faults.seed ^ ((index as u64) << 56)).wrapping_add(self.drawn[index]))
    }

    fn hit(&mut self, kind: Kind, probability: f64) -> bool {
        // 53 bits: what an f64 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "the value has 53 bits")]
        let unit = (self.draw(kind) >> 11) as f64 / (1_u64 << 53) as f64;
        unit < probability
    }

    fn fails(&mut self, kind: Kind, probability: f64) -> Fate {
        if !self.hit(kind, probability) {
            return Fate::Pass;
        }
        if self.draw(kind).is_multiple_of(2) { Fate::FailBefore } else { Fate::FailAfter }
    }
}

/// `SplitMix64`'s finalizer: well-mixed bits from a counter, no state to carry.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injector(faults: Faults) -> Injector {
        Injector::new(Some(faults))
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let faults = Faults { seed: 7, fail_publish: 0.2, lose: 0.2, duplicate: 0.2, ..Faults::default() };
        let run = |faults| {
            let injector = injector(faults);
            (0..200).map(|_| injector.publish()).collect::<Vec<_>>()
        };
        let fates = run(faults);
        assert_eq!(fates, run(faults));
        assert_ne!(fates, run(Faults { seed: 8, ..faults }));
        for fate in [Fate::Pass, Fate::FailBefore, Fate::FailAfter, Fate::Lose, Fate::Duplicate] {
            assert!(fates.contains(&fate), "{fate:?}");
        }
    }

    #[test]
    fn one_kind_does_not_disturb_another() {
        let faults = Faults { seed: 1, lose: 0.5, fail_state: 0.5, ..Faults::default() };
        let (alone, mixed) = (injector(faults), injector(faults));
        for _ in 0..100 {
            mixed.state();
            assert_eq!(alone.publish(), mixed.publish());
        }
    }

    #[test]
    fn a_probability_holds_about() {
        let injector = injector(Faults { lose: 0.1, ..Faults::default() });
        let lost = (0..10_000).filter(|_| injector.publish() == Fate::Lose).count();
        assert!((800..1200).contains(&lost), "{lost}");
    }

    #[test]
    fn no_faults_unless_asked_for() {
        for injector in [Injector::new(None), injector(Faults::default())] {
            assert!((0..1000).all(|_| injector.publish() == Fate::Pass && injector.state() == Fate::Pass));
            assert!((0..1000).all(|_| injector.delay().is_none() && injector.next_of(9) == 0));
        }
    }
}
