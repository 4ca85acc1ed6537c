//! What the model says, sentence by sentence as it comes: only what may be said is passed on.

use super::{
    claim::{self, Did},
    leak,
    tools::Handles,
};
use crate::chat::Turn;

/// The longest sentence, in bytes.
const LONGEST: usize = 4_096;
/// Words of which any English sentence of some length has one.
const ENGLISH: [&str; 40] = [
    "the", "a", "an", "is", "are", "was", "to", "of", "and", "or", "you", "your", "i", "it", "this", "that", "in",
    "on", "at", "for", "with", "have", "has", "no", "not", "can", "there", "here", "what", "which", "due", "by", "be",
    "my", "me", "we", "all", "as", "if", "do",
];

/// The model's voice in a turn.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Voice {
    /// What has come and is no whole sentence yet.
    rest: String,
    /// It thinks aloud.
    thinking: bool,
    /// It claimed what was not done, or not so, or said something that the check of claims cannot read.
    pub(super) doubtful: bool,
    /// It said what it must keep to itself.
    pub(super) leaked: bool,
    /// Something was passed on.
    pub(super) spoke: bool,
    /// What stands between the last sentence and the next.
    gap: String,
    /// The last that was said is a receipt.
    receipted: bool,
}

impl Voice {
    /// Takes more text, and says the sentences that it makes whole.
    pub(super) fn hear(&mut self, text: &str, turn: &mut Turn, handles: &Handles, did: &[Did]) {
        self.rest.push_str(text);
        while let Some(end) = self.whole() {
            let sentence: String = self.rest.drain(..end).collect();
            self.pass(&sentence, turn, handles, did);
        }
    }

    /// Says what is left, as the model has ended.
    pub(super) fn end(&mut self, turn: &mut Turn, handles: &Handles, did: &[Did]) {
        let rest = std::mem::take(&mut self.rest);
        self.pass(&rest, turn, handles, did);
        self.thinking = false;
        // What comes after tools were called is another paragraph.
        if self.spoke && !self.receipted {
            "\n\n".clone_into(&mut self.gap);
        }
    }

    /// Says what was done.
    pub(super) fn receipt(&mut self, words: &str, turn: &mut Turn) {
        if self.receipted {
            turn.say("\n");
        } else {
            self.paragraph(turn);
        }
        turn.say(words);
        self.receipted = true;
    }

    /// Begins a paragraph, unless it is the first.
    pub(super) fn paragraph(&mut self, turn: &mut Turn) {
        self.receipted = false;
        self.gap.clear();
        let gap = match turn.said() {
            said if said.is_empty() || said.ends_with("\n\n") => "",
            said if said.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        turn.say(gap);
    }

    /// Where the first sentence ends, what is between it and the next included.
    fn whole(&self) -> Option<usize> {
        let text = &self.rest;
        for (at, c) in text.char_indices() {
            let after = at + c.len_utf8();
            if c == '\n' || text[..after].ends_with("<think>") || text[..after].ends_with("</think>") {
                return Some(after);
            }
            let space = text[after..].starts_with([' ', '\n']);
            // "1. Buy milk" is one.
            let number = text[..at].trim().chars().all(|c| c.is_ascii_digit());
            if space
                && !number
                && text[..after].trim_end_matches(['"', '\u{201d}', ')', '*']).ends_with(['.', '!', '?', '\u{2026}'])
            {
                return Some(after + 1);
            }
        }
        // One that never ends ends somewhere.
        (text.len() > LONGEST).then_some(text.len())
    }

    fn pass(&mut self, sentence: &str, turn: &mut Turn, handles: &Handles, did: &[Did]) {
        let plain = sentence.trim();
        if plain.ends_with("<think>") {
            self.thinking = true;
            return;
        }
        if plain.ends_with("</think>") {
            self.thinking = false;
            return;
        }
        if self.thinking {
            return;
        }
        let spelled = handles.spelled(plain);
        if leak::leaks(plain) {
            self.leaked = true;
        } else if !claim::is_true(&spelled, did, &handles.seen()) {
            self.doubtful = true;
        } else if !plain.is_empty() {
            if self.receipted {
                self.paragraph(turn);
            }
            let indent = &sentence[..sentence.len() - sentence.trim_start().len()];
            turn.say(&format!("{}{indent}{spelled}", std::mem::take(&mut self.gap)));
            self.doubtful |= !is_english(&spelled);
            self.spoke = true;
        }
        // No space where nothing was said, and none at the end.
        if self.spoke && !self.receipted {
            let gap = &sentence[sentence.trim_end().len()..];
            self.gap = if self.gap.contains('\n') || gap.contains('\n') {
                let lines = self.gap.matches('\n').count() + gap.matches('\n').count();
                "\n".repeat(lines.min(2))
            } else {
                gap.to_owned()
            };
        }
    }
}

fn is_english(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let listed = sentence.trim_start().starts_with(|c: char| c.is_ascii_digit() || "-*\u{2022}#".contains(c));
    listed || sentence.is_ascii() && words.len() < 4 || words.iter().any(|word| ENGLISH.contains(word))
}
