//! Whether a sentence of the model's claims a change, and whether one was made that bears it out.
//!
//! Sentences are read strictly: a word such as "deleted" is a claim unless its clause is one of those that are not (it is
//! denied, only possible, asked, about what the person did, or about how a task that was read stands). A true sentence
//! that is taken for a claim is no loss, because what was done is said by the program; a lie that is passed on is.

/// A change that was made in this turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Did {
    pub(super) kind: Kind,
    /// The tasks that it changed.
    pub(super) titles: Vec<String>,
}

/// Kinds of changes. A deletion waits for a yes, so that none is made before the model has spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Changed,
    Completed,
    Reopened,
    Undone,
}

/// A task that was read in this turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) title: String,
    pub(super) completed: bool,
}

use Kind::{Added, Changed, Completed, Reopened, Undone};

const ANY: &[Kind] = &[Added, Changed, Completed, Reopened, Undone];
const MADE: &[Kind] = &[Added, Changed];
const ENDED: &[Kind] = &[Completed];
const GONE: &[Kind] = &[];

/// Words that say that something was changed, and the changes that bear them out.
const WORDS: &[(&[&str], &[Kind])] = &[
    (
        &[
            "added",
            "created",
            "saved",
            "recorded",
            "noted",
            "logged",
            "inserted",
            "scheduled",
            "rescheduled",
            "set",
            "put",
            "made",
            "adding",
            "creating",
            "scheduling",
            "setting",
            "duplicated",
            "copied",
        ],
        MADE,
    ),
    (&["deleted", "erased", "wiped", "purged", "trashed", "discarded", "deleting", "erasing", "gone"], GONE),
    (&["removed", "cleared", "cancelled", "canceled", "dropped", "removing", "clearing", "cancelling"], &[Changed]),
    (&["completed", "finished", "ticked", "crossed", "completing"], ENDED),
    (&["marked", "closed", "marking"], &[Completed, Changed, Reopened]),
    (
        &[
            "updated",
            "changed",
            "moved",
            "renamed",
            "edited",
            "modified",
            "adjusted",
            "postponed",
            "shifted",
            "pushed",
            "bumped",
            "delayed",
            "switched",
            "assigned",
            "tagged",
            "prioritized",
            "extended",
            "replaced",
            "applied",
            "corrected",
            "converted",
            "updating",
            "changing",
            "moving",
            "renaming",
        ],
        &[Changed, Undone, Reopened],
    ),
    (&["reopened", "restored", "undone", "reverted", "recovered", "reopening", "restoring"], &[Reopened, Undone]),
    (&["done", "handled"], ANY),
];

/// The same in several words.
const PHRASES: &[(&str, &[Kind])] = &[
    ("checked off", ENDED),
    ("checked it off", ENDED),
    ("taken care of", ANY),
    ("took care of", ANY),
    ("all set", ANY),
    ("brought back", &[Undone, Reopened]),
    ("got rid of", GONE),
    ("no longer on your", GONE),
    ("off your list", ENDED),
    ("i'll remind", MADE),
    ("i will remind", MADE),
    ("you'll be reminded", MADE),
    ("you will be reminded", MADE),
    ("you'll get a reminder", MADE),
    ("you will get a reminder", MADE),
];

const SPEAKER: &[&str] = &["i", "i've", "i'd", "i'm", "i'll", "we", "we've", "we're"];
const PERSON: &[&str] = &["you", "you've", "you'd", "they", "they've", "who", "someone"];
/// What may stand between a person and what they did.
const BETWEEN: &[&str] = &[
    "have",
    "had",
    "has",
    "already",
    "just",
    "recently",
    "last",
    "also",
    "ever",
    "only",
    "successfully",
    "now",
    "am",
    "did",
];
/// What makes it no claim: it is denied, or only possible.
const UNREAL: &[&str] = &[
    "not", "never", "no", "nothing", "none", "without", "cannot", "can", "could", "will", "would", "should", "may",
    "might", "must", "shall", "be", "being", "get", "if", "when", "once", "until", "unless", "before", "want",
    "wanted", "whether", "i'll", "it'll", "they'll", "needs", "need", "let", "asked",
];
const THINGS: &[&str] =
    &["task", "tasks", "one", "ones", "item", "items", "todo", "todos", "to-dos", "reminders", "things"];
const ASKING: &[&str] = &[
    "should", "shall", "would", "could", "can", "may", "do", "does", "did", "has", "have", "is", "are", "was", "were",
    "which", "what", "when", "how", "who", "where", "want",
];
const ALL: &[&str] = &["all", "everything", "every", "both", "each", "entire"];
const SWEEPING: &[&str] = &["all", "everything", "every", "both", "now", "just", "successfully", "entire"];

/// Whether a sentence claims no change, or one that was made.
pub(super) fn is_true(sentence: &str, did: &[Did], seen: &[Seen]) -> bool {
    let plain = sentence.to_lowercase().replace(['\u{2019}', '\u{2018}'], "'");
    let (plain, mentioned) = without_titles(&plain, did, seen);
    let quoted = quoted(&plain);
    let asked = plain.trim_end().ends_with('?') && words(&plain).first().is_some_and(|first| ASKING.contains(first));
    let facts = Facts { did, seen, mentioned: &mentioned, quoted: &quoted, asked, sentence: &plain };
    clauses(&plain).iter().all(|clause| facts.bear_out(clause))
}

struct Facts<'a> {
    did: &'a [Did],
    seen: &'a [Seen],
    /// Titles of tasks that are known, as the sentence names them.
    mentioned: &'a [String],
    /// What else it quotes.
    quoted: &'a [String],
    asked: bool,
    sentence: &'a str,
}

impl Facts<'_> {
    fn bear_out(&self, clause: &str) -> bool {
        let words = words(clause);
        let said = words.join(" ");
        let phrases = PHRASES.iter().filter(|(phrase, _)| contains(&said, phrase));
        let mut claims: Vec<&[Kind]> =
            phrases.filter(|(phrase, _)| self.claims(&words, place(&said, phrase))).map(|(_, kinds)| *kinds).collect();
        for (place, word) in words.iter().enumerate() {
            let Some((_, kinds)) = WORDS.iter().find(|(known, _)| known.contains(word)) else { continue };
            if self.claims(&words, place) && !(self.stands(&words, place, kinds)) {
                claims.push(kinds);
            }
        }
        claims.iter().all(|kinds| self.was_done(kinds))
    }

    /// Whether the word at a place says that it was done.
    fn claims(&self, words: &[&str], place: usize) -> bool {
        let before = &words[..place];
        let speaker = before.iter().rposition(|word| SPEAKER.contains(word));
        let person = before.iter().rposition(|word| PERSON.contains(word));
        let since = speaker.unwrap_or(0);
        let unreal = before[since..].iter().any(|word| UNREAL.contains(word) || word.ends_with("n't"));
        if unreal {
            return false;
        }
        let links = |from: usize| {
            before[from + 1..].iter().all(|word| BETWEEN.contains(word) || word.chars().all(|c| c.is_ascii_digit()))
        };
        if person.is_some_and(|person| Some(person) > speaker && links(person)) {
            return false;
        }
        let spoken = speaker.is_some_and(links);
        if spoken {
            return true;
        }
        if words[place].ends_with("ing") {
            // "Adding it" claims, "a task for adding it" does not.
            return place == 0;
        }
        let attribute = words.get(place + 1).is_some_and(|next| THINGS.contains(next));
        let led = before.last().is_some_and(|last| last.ends_with(|c: char| c.is_alphanumeric()));
        !(self.asked || attribute && (led || words[place] == "completed"))
    }

    /// Whether it only says how tasks stand that were read.
    fn stands(&self, words: &[&str], place: usize, kinds: &[Kind]) -> bool {
        let before = &words[..place];
        let by_me = before.iter().any(|word| SPEAKER.contains(word));
        let after = words.get(place + 1).copied().unwrap_or_default();
        let sweeping = self.sentence.split_whitespace().any(|word| SWEEPING.contains(&letters(word)));
        if by_me || sweeping || kinds.is_empty() {
            return false;
        }
        let named: Vec<_> =
            self.seen.iter().filter(|seen| self.mentioned.contains(&seen.title.to_lowercase())).collect();
        if kinds.contains(&Completed) {
            let known = !named.is_empty() && named.iter().all(|seen| seen.completed);
            let named = if named.is_empty() { self.seen.iter().collect() } else { named };
            return known
                || self.mentioned.is_empty() && self.speaks_of_several() && named.iter().any(|seen| seen.completed);
        }
        let past = before.last().is_some_and(|last| ["was", "were"].contains(last));
        let dated = ["on", "at", "last", "yesterday", "this", "earlier", "today"].contains(&after);
        let plan =
            ["scheduled", "set", "tagged", "marked"].contains(&words[place]) && !self.sentence.contains("remind");
        let is = before.last().is_some_and(|last| ["is", "are", "it's"].contains(last));
        !named.is_empty() && (past && dated || plan && is)
    }

    fn speaks_of_several(&self) -> bool {
        words(self.sentence).iter().any(|word| THINGS.contains(word) && word.ends_with('s'))
    }

    /// Whether something of these kinds was done, to what the sentence names, and as often as it says.
    fn was_done(&self, kinds: &[Kind]) -> bool {
        let fitting: Vec<_> = self.did.iter().filter(|did| kinds.contains(&did.kind)).collect();
        let titles: Vec<_> = self.did.iter().flat_map(|did| &did.titles).map(|title| title.to_lowercase()).collect();
        let known = |name: &String| titles.iter().any(|title| title.contains(name.as_str()) || name.contains(title));
        let words = words(self.sentence);
        let number = words.windows(2).filter(|pair| THINGS.contains(&pair[1])).filter_map(|pair| number(pair[0])).max();
        let all = words.iter().any(|word| ALL.contains(word));
        !fitting.is_empty()
            && self.mentioned.iter().chain(self.quoted).all(known)
            && number.unwrap_or(0) <= fitting.len()
            && (!all || fitting.len() > 1)
    }
}

/// The sentence with each title that is known replaced, and those titles.
fn without_titles(sentence: &str, did: &[Did], seen: &[Seen]) -> (String, Vec<String>) {
    let titles = did.iter().flat_map(|did| &did.titles).chain(seen.iter().map(|seen| &seen.title));
    let mut titles: Vec<_> = titles.map(|title| title.to_lowercase().replace('\u{2019}', "'")).collect();
    // A title may be part of another.
    titles.sort_by_key(|title| std::cmp::Reverse(title.len()));
    titles.dedup();
    let mut sentence = sentence.to_owned();
    let mut mentioned = Vec::new();
    for title in titles.into_iter().filter(|title| !title.is_empty()) {
        // A title may be worded as a claim; then it is one unless it stands as a title.
        let plain = !words(&title).iter().any(|word| WORDS.iter().any(|(known, _)| known.contains(word)));
        let places: Vec<_> = sentence.match_indices(&title).map(|(at, _)| at).collect();
        for at in places.into_iter().rev() {
            let (before, after) = (&sentence[..at], &sentence[at + title.len()..]);
            let whole = is_edge(before.chars().next_back()) && is_edge(after.chars().next());
            let quoted = before.ends_with(['"', '\u{201c}', '*', '`'])
                || before.trim().chars().all(|c| c.is_ascii_digit() || ".-*\u{2022})".contains(c))
                    && !before.trim().is_empty();
            if whole && (plain || quoted) {
                sentence.replace_range(at..at + title.len(), "§");
                if !mentioned.contains(&title) {
                    mentioned.push(title.clone());
                }
            }
        }
    }
    (sentence, mentioned)
}

fn quoted(sentence: &str) -> Vec<String> {
    let parts: Vec<_> = sentence.split(['"', '\u{201c}', '\u{201d}']).collect();
    parts
        .iter()
        .skip(1)
        .step_by(2)
        .filter(|part| !part.contains('§') && !part.is_empty())
        .map(ToString::to_string)
        .collect()
}

fn clauses(sentence: &str) -> Vec<String> {
    let mut text = sentence.replace([',', ';', ':', '\u{2013}', '\u{2014}', '(', ')', '!', '\n'], "|");
    for joint in [" and ", " but ", " then ", " so ", " - ", " that "] {
        text = text.replace(joint, "|");
    }
    text.split('|').map(ToOwned::to_owned).collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
}

fn letters(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '§')
}

/// Whether a text has another in it as whole words.
fn contains(text: &str, part: &str) -> bool {
    text.match_indices(part)
        .any(|(at, _)| is_edge(text[..at].chars().next_back()) && is_edge(text[at + part.len()..].chars().next()))
}

fn is_edge(c: Option<char>) -> bool {
    c.is_none_or(|c| !c.is_alphanumeric())
}

/// The place, counted in words, at which a phrase begins.
fn place(said: &str, phrase: &str) -> usize {
    said.find(phrase).map_or(0, |at| said[..at].split_whitespace().count())
}

fn number(word: &str) -> Option<usize> {
    const NAMES: [&str; 11] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    word.parse().ok().or_else(|| NAMES.iter().position(|name| *name == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Vec<Seen> {
        let seen = |title: &str, completed| Seen { title: title.to_owned(), completed };
        vec![seen("Pay rent", false), seen("Book flight", true), seen("Updated report", false)]
    }

    #[test]
    fn what_was_not_done_is_a_lie_however_it_is_said() {
        let lies = [
            "I deleted everything.",
            "I've deleted all your tasks.",
            "I have successfully removed “Pay rent”.",
            "Done!",
            "All done.",
            "Done, it's gone.",
            "Deleted.",
            "Everything has been deleted.",
            "“Pay rent” has been completed.",
            "Pay rent is now completed.",
            "Task added.",
            "Added “Buy milk” to your list.",
            "I went ahead and moved it to Friday.",
            "No worries I deleted it.",
            "As you requested everything was deleted.",
            "Sure: marked as complete.",
            "Your task was created.",
            "Your reminder is set for 9 AM.",
            "I'll remind you tomorrow at 9.",
            "You're all set.",
            "I took care of that.",
            "Adding it to your list now.",
            "It is no longer on your list.",
            "Consider it done.",
            "The due date was changed to Friday.",
            "I didn't add it, but I deleted “Pay rent”.",
            "Deleted! Anything else?",
            "I have completed both tasks.",
            "1. Pay rent: deleted",
            "Is it fine that I deleted it?",
            "I checked it off.",
            "I\u{2019}ve renamed it.",
        ];
        for lie in lies {
            assert!(!is_true(lie, &[], &seen()), "{lie}");
        }
    }

    #[test]
    fn what_claims_nothing_is_passed_on() {
        let fine = [
            "Hello! How can I help you today?",
            "You have 3 tasks due this week.",
            "You have 1 completed and 2 open tasks.",
            "You completed “Book flight” yesterday.",
            "Book flight was completed on Friday.",
            "Your completed tasks:",
            "- Book flight (completed)",
            "1. Pay rent, due Tuesday",
            "“Updated report” is due Friday.",
            "1. Updated report, due Friday",
            "I have not deleted anything.",
            "I couldn't delete it.",
            "Nothing was changed.",
            "No tasks were deleted.",
            "Should I mark it completed?",
            "Would you like “Pay rent” to be deleted?",
            "Which one do you want moved?",
            "It can be undone for 7 days.",
            "Pay rent is scheduled for Friday.",
            "I can add, change and complete tasks.",
            "I'll ask before anything is deleted.",
            "Here are the tasks that were completed this week:",
            "I checked your list: there is nothing due today.",
            "If it is completed, tell me.",
            "“Pay rent” was created on Monday.",
            "It is not done yet.",
        ];
        for sentence in fine {
            assert!(is_true(sentence, &[], &seen()), "{sentence}");
        }
    }

    #[test]
    fn what_was_done_may_be_said_as_it_was() {
        let did = |kind, title: &str| Did { kind, titles: vec![title.to_owned()] };
        let did = [did(Added, "Buy milk"), did(Completed, "Pay rent")];
        let cases = [
            ("I added “Buy milk”.", true),
            ("I've added Buy milk to your list.", true),
            ("Done!", true),
            ("I completed both tasks.", false),
            ("Pay rent is done.", true),
            ("I added 2 tasks.", false),
            ("I added one task.", true),
            ("I deleted “Pay rent”.", false),
            ("I've added “Buy bread”.", false),
            ("I moved it to Friday.", false),
            ("Everything is completed.", false),
        ];
        for (sentence, is) in cases {
            assert_eq!(is_true(sentence, &did, &seen()), is, "{sentence}");
        }
    }
}
