//! `todo eval`: phrases with what they should mean, read by the grammar that answers people.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, time::Instant};

use serde_json::{Map, Value, json};
use todo_language::{
    Intent, IntentType, Request, Target,
    corpus::{self, Case, Outcome},
    read_message,
};

use crate::cli::{self, Report};

/// By how much a share may move from the baseline.
const DRIFT: f64 = 0.10;

/// Reads the phrases and prints what came of them.
///
/// # Errors
/// A sentence: a file cannot be read or is not in its format; phrases are not read as they should be; or a share has
/// moved.
pub fn run(options: &cli::Eval) -> Result<(), String> {
    let text = read(&options.file)?;
    let cases = corpus::read(&text).map_err(|error| format!("{}: {error}", options.file.display()))?;
    let before = options.baseline.as_deref().map(baseline).transpose()?;
    let began = Instant::now();
    let tally = Tally::of(&cases);
    let milliseconds = began.elapsed().as_millis();
    let moved = before.map_or_else(Vec::new, |before| tally.moved(&before));
    match options.format {
        Report::Text => print!("{}", tally.text(milliseconds, &moved)),
        Report::Json => println!("{:#}", tally.json(milliseconds, &moved)),
    }
    if let Some(path) = &options.save_baseline {
        let baseline = format!("{:#}\n", tally.shares());
        fs::write(path, baseline).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    let failed = tally.failures.len();
    match (failed, moved.len()) {
        (0, 0) => Ok(()),
        (0, moved) => Err(format!("{moved} shares have moved by more than {DRIFT:.2}")),
        (failed, 0) => Err(format!("{failed} of {} phrases are not read as they should be", tally.phrases)),
        (failed, moved) => {
            Err(format!("{failed} phrases are not read as they should be, and {moved} shares have moved"))
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Shares by group and name, as a former run kept them.
fn baseline(path: &Path) -> Result<Map<String, Value>, String> {
    let groups: Result<Map<String, Value>, _> = serde_json::from_str(&read(path)?);
    groups.map_err(|error| format!("{} is no baseline: {error}", path.display()))
}

/// A phrase that was not read as it should be.
struct Failure {
    line: usize,
    phrase: String,
    expected: String,
    /// `None` if nothing was read where something should have been.
    actual: Option<String>,
}

/// What came of a file.
#[derive(Default)]
struct Tally {
    phrases: usize,
    failures: Vec<Failure>,
    /// How many phrases have each intent.
    intents: BTreeMap<&'static str, usize>,
    /// How many calls of each tool the phrases ask for.
    tools: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn of(cases: &[Case]) -> Self {
        let mut tally = Self { phrases: cases.len(), ..Self::default() };
        for case in cases {
            let intents = read_message(&case.phrase, &case.context);
            *tally.intents.entry(IntentType::of(&intents).as_str()).or_default() += 1;
            for tool in intents.iter().filter_map(tool) {
                *tally.tools.entry(tool).or_default() += 1;
            }
            let actual = match case.check() {
                Outcome::Right => continue,
                Outcome::Refused => None,
                Outcome::Wrong(actual) => Some(actual),
            };
            let (phrase, expected) = (case.phrase.clone(), case.expected.join(", "));
            tally.failures.push(Failure { line: case.line, phrase, expected, actual });
        }
        tally
    }

    /// Right, wrong and refused.
    fn counts(&self) -> (usize, usize, usize) {
        let wrong = self.failures.iter().filter(|failure| failure.actual.is_some()).count();
        (self.phrases - self.failures.len(), wrong, self.failures.len() - wrong)
    }

    fn shares(&self) -> Value {
        json!({ "intents": shares(&self.intents), "tools": shares(&self.tools) })
    }

    /// What has another share than before: its group and name, the share before, and now.
    fn moved(&self, before: &Map<String, Value>) -> Vec<(String, f64, f64)> {
        let shares = self.shares();
        let mut moved = Vec::new();
        for group in ["intents", "tools"] {
            let of = |groups: Option<&Value>| groups.and_then(Value::as_object).cloned().unwrap_or_default();
            let (then, now) = (of(before.get(group)), of(shares.get(group)));
            let mut names: Vec<_> = then.keys().chain(now.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let share = |shares: &Map<String, Value>| shares.get(name).and_then(Value::as_f64).unwrap_or_default();
                let (then, now) = (share(&then), share(&now));
                if (now - then).abs() > DRIFT {
                    moved.push((format!("{group}.{name}"), then, now));
                }
            }
        }
        moved
    }

    fn text(&self, milliseconds: u128, moved: &[(String, f64, f64)]) -> String {
        let (right, wrong, refused) = self.counts();
        let mut text =
            format!("{} phrases in {milliseconds} ms: {right} right, {wrong} wrong, {refused} refused\n", self.phrases);
        for Failure { line, phrase, expected, actual } in &self.failures {
            let actual = actual.as_deref().unwrap_or("refused");
            let _ = writeln!(text, "line {line}: {phrase}\n  expected: {expected}\n  read:     {actual}");
        }
        for (title, counts) in [("intents", &self.intents), ("tools", &self.tools)] {
            let all: usize = counts.values().sum();
            let each: Vec<_> =
                counts.iter().map(|(name, count)| format!("{name} {:.1}%", 100.0 * share(*count, all))).collect();
            let _ = writeln!(text, "{title}: {}", each.join(", "));
        }
        for (name, then, now) in moved {
            let _ = writeln!(text, "moved: {name} from {then:.2} to {now:.2}");
        }
        text
    }

    fn json(&self, milliseconds: u128, moved: &[(String, f64, f64)]) -> Value {
        let (right, wrong, refused) = self.counts();
        let shown = |Failure { line, phrase, expected, actual }: &Failure| json!({ "line": line, "phrase": phrase, "expected": expected, "actual": actual });
        let failures: Vec<_> = self.failures.iter().map(shown).collect();
        let moved: Vec<_> =
            moved.iter().map(|(name, then, now)| json!({ "name": name, "before": then, "now": now })).collect();
        let mut json = self.shares();
        for (name, value) in [
            ("phrases", json!(self.phrases)),
            ("right", json!(right)),
            ("wrong", json!(wrong)),
            ("refused", json!(refused)),
            ("duration_ms", json!(u64::try_from(milliseconds).unwrap_or(u64::MAX))),
            ("failures", json!(failures)),
            ("moved", json!(moved)),
        ] {
            json[name] = value;
        }
        json
    }
}

/// The tool that does what is asked for.
fn tool(intent: &Intent) -> Option<&'static str> {
    let one_or_many = |target: &Target, one| if matches!(target, Target::Tasks(_)) { one } else { "batch_change" };
    Some(match &intent.request {
        Request::Create(_) => "add_task",
        Request::List(_) => "list_tasks",
        Request::Show(_) => "get_task",
        Request::Complete(target) => one_or_many(target, "complete_task"),
        Request::Reopen(target) => one_or_many(target, "reopen_task"),
        Request::Update(target, _) => one_or_many(target, "update_task"),
        Request::Delete(target) => one_or_many(target, "delete_task"),
        Request::Undo => "undo_change",
        Request::Yes | Request::No | Request::Chat(_) | Request::OutOfScope | Request::Unclear(_) => return None,
    })
}

fn shares(counts: &BTreeMap<&'static str, usize>) -> BTreeMap<&'static str, f64> {
    let all = counts.values().sum();
    counts.iter().map(|(name, count)| (*name, share(*count, all))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a share of a few thousand phrases")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> Tally {
        Tally::of(&corpus::read(text).unwrap())
    }

    #[test]
    fn phrases_are_right_wrong_or_refused() {
        let tally = tally(
            "call Bob friday | due 2026-03-06\n\
             call Bob friday | nothing\n\
             call Bob someday | due 2026-03-06\n\
             delete #2 and show my list | delete + list\n",
        );
        assert_eq!(tally.counts(), (2, 1, 1));
        let [wrong, refused] = &tally.failures[..] else { panic!() };
        assert_eq!((wrong.line, wrong.actual.as_deref()), (2, Some("due 2026-03-06, title call Bob")));
        assert_eq!((refused.line, refused.actual.as_deref()), (3, None));
        assert_eq!((tally.intents["CREATE_TASK"], tally.intents["MULTI_INTENT"]), (3, 1));
        assert_eq!((tally.tools["add_task"], tally.tools["delete_task"], tally.tools["list_tasks"]), (3, 1, 1));
    }

    #[test]
    fn a_share_that_moved_by_more_than_a_tenth_is_named() {
        let before = |text: &str| tally(text).shares().as_object().unwrap().clone();
        let now = tally("yes | yes\nyes | yes\nno | no\nshow my list | list\n");
        assert_eq!(now.moved(&before("yes | yes\nyes | yes\nno | no\nshow my list | list\n")), []);
        let moved = now.moved(&before("yes | yes\nno | no\nadd milk | create\nshow my list | list\n"));
        let names: Vec<_> = moved.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["intents.CONFIRM_YES", "intents.CREATE_TASK", "tools.add_task", "tools.list_tasks"]);
        assert!((moved[1].1 - 0.25).abs() < 1e-9 && moved[1].2.abs() < 1e-9);
    }
}
