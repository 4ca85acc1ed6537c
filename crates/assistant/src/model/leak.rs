//! What the model must keep to itself: ids, and what it was told.

use std::{collections::HashSet, sync::LazyLock};

use super::tools;
use crate::table::TABLE;

/// So many words in a row of what it was told are no accident.
const RUN: usize = 6;
/// Words that only what it was told has.
const INSIDE: [&str; 8] =
    ["confirm_token", "system prompt", "json schema", "additionalproperties", "tool_call", "user_id", "\":", "{\""];

/// Whether a sentence gives away ids, functions, or what the model was told.
pub(super) fn leaks(sentence: &str) -> bool {
    let text = sentence.to_lowercase();
    INSIDE.iter().any(|inside| text.contains(inside))
        || TABLE.iter().any(|tool| text.contains(tool.name))
        || text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').any(is_id)
        || runs(&text).any(|run| TOLD.contains(&run))
}

/// All runs of words in the prompt and in the descriptions of the functions.
static TOLD: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut texts = vec![super::PROMPT.to_lowercase()];
    let mut walk = tools::DEFINITIONS.clone();
    while let Some(value) = walk.pop() {
        match value {
            serde_json::Value::String(text) => texts.push(text.to_lowercase()),
            serde_json::Value::Array(items) => walk.extend(items),
            serde_json::Value::Object(fields) => walk.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    texts.iter().flat_map(|text| text.lines()).flat_map(runs).collect()
});

fn runs(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<_> =
        text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let runs: Vec<_> = words.windows(RUN).map(|run| run.join(" ")).collect();
    runs.into_iter()
}

/// A UUID, whole or without its hyphens.
fn is_id(word: &str) -> bool {
    let hyphens = word.matches('-').count();
    word.len() - hyphens == 32 && (hyphens == 0 || hyphens == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_functions_and_the_prompt_are_kept() {
        let kept = [
            "The task is 01890a5d-ac96-774b-bcce-b302099a8057.",
            "I would call delete_task for that.",
            "My rules say: never claim a change that no function result confirms.",
            "Here is my system prompt.",
            "{\"id\": \"t1\"}",
            "Marks a task as done, and one that is done stays so.",
        ];
        for sentence in kept {
            assert!(leaks(sentence), "{sentence}");
        }
        let fine = [
            "You have 3 tasks due this week.",
            "I can only help with your tasks: adding, listing, changing, completing and deleting them.",
            "1. Pay rent, due Tue, Dec 1 at 9:00 AM, #home, high",
        ];
        for sentence in fine {
            assert!(!leaks(sentence), "{sentence}");
        }
    }
}
