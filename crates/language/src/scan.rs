//! A text cut into tokens, and the small questions that every part of the grammar asks of it.

use chrono::{NaiveDate, NaiveDateTime};
use todo_domain::zone;

use crate::{
    Context,
    lexicon::{self, Part},
    token::{Kind, Token, tokens},
};

/// What was read at a token, and the index of the token after it.
pub(crate) type Parsed<T> = Option<(T, usize)>;

/// How much a word before allows: nothing, a bare hour ("at 5"), a name that may be another word ("on sat"), or both.
/// After a day ("tomorrow at 5 buy milk") the hour is sure whatever follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cue {
    pub(crate) hour: bool,
    pub(crate) name: bool,
    pub(crate) sure: bool,
}

impl Cue {
    pub(crate) const NONE: Self = Self { hour: false, name: false, sure: false };
    pub(crate) const HOUR: Self = Self { hour: true, ..Self::NONE };
    pub(crate) const NAME: Self = Self { name: true, ..Self::NONE };
    pub(crate) const BOTH: Self = Self { hour: true, ..Self::NAME };
    pub(crate) const SURE: Self = Self { sure: true, ..Self::HOUR };
}

pub(crate) struct Scan<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) context: &'a Context,
    /// What the owner's clocks show.
    pub(crate) now: NaiveDateTime,
    pub(crate) today: NaiveDate,
    /// What the words of the text say of a time whose half of the day is not said.
    pub(crate) hint: Option<Part>,
    /// Whether the whole text is about time, so that nothing in it may be something else.
    pub(crate) alone: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str, context: &'a Context, alone: bool) -> Self {
        let now = zone::local(context.zone, context.now);
        let tokens = tokens(text);
        let hint =
            tokens.iter().filter(|token| token.kind == Kind::Word).find_map(|token| lexicon::hint(&token.folded));
        Self { text, tokens, context, now, today: now.date(), hint, alone }
    }

    /// The folded word at `i`, empty if there is none.
    pub(crate) fn word(&self, i: usize) -> &str {
        match self.tokens.get(i) {
            Some(token) if token.kind == Kind::Word => &token.folded,
            _ => "",
        }
    }

    /// Whether the words from `i` on are these.
    pub(crate) fn words(&self, i: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(index, word)| self.word(i + index) == *word)
    }

    /// The digits at `i`.
    pub(crate) fn digits(&self, i: usize) -> Option<&str> {
        self.tokens.get(i).filter(|token| token.kind == Kind::Number).map(|token| &*token.folded)
    }

    /// The number at `i`, of at most nine digits.
    pub(crate) fn number(&self, i: usize) -> Option<u32> {
        self.digits(i).filter(|digits| digits.len() <= 9)?.parse().ok()
    }

    pub(crate) fn sign(&self, i: usize) -> Option<char> {
        match self.tokens.get(i)?.kind {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    pub(crate) fn glued(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|token| token.glued)
    }

    /// A sign glued to what is before it.
    pub(crate) fn glued_sign(&self, i: usize) -> Option<char> {
        self.sign(i).filter(|_| self.glued(i))
    }

    /// A number glued to what is before it.
    pub(crate) fn glued_number(&self, i: usize) -> Option<u32> {
        self.number(i).filter(|_| self.glued(i))
    }

    /// The word at `i` if it is glued to what is before it.
    pub(crate) fn glued_word(&self, i: usize) -> &str {
        if self.glued(i) { self.word(i) } else { "" }
    }

    /// Over the full stop of an abbreviation ("jan. 5"), if there is one.
    pub(crate) fn skip_stop(&self, i: usize) -> usize {
        if self.glued_sign(i) == Some('.') && !self.glued(i + 1) { i + 1 } else { i }
    }

    /// Over a comma, if there is one.
    pub(crate) fn skip_comma(&self, i: usize) -> usize {
        if self.sign(i) == Some(',') { i + 1 } else { i }
    }

    /// Over one of these words, if it is there.
    pub(crate) fn skip_word(&self, i: usize, words: &[&str]) -> usize {
        let word = self.word(i);
        if !word.is_empty() && words.contains(&word) { i + 1 } else { i }
    }

    /// Whether a reading may begin at `i`: not within a chunk such as "221b" or "v2.5".
    pub(crate) fn begins(&self, i: usize) -> bool {
        match self.tokens.get(i) {
            None => false,
            Some(token) if !token.glued => true,
            Some(_) => match i.checked_sub(1).map(|before| self.tokens[before].kind) {
                Some(Kind::Sign('(' | '[' | '{' | '"' | '\'' | '~' | '—' | '|' | '*' | '>')) => true,
                Some(Kind::Sign(sign @ (',' | ';' | ':' | '@' | '/' | '-' | '–' | '+'))) => {
                    // "a,b" may be anything, ", b" may not.
                    !self.glued(i - 1)
                        || (matches!(sign, ',' | ';')
                            && !self.tokens[i].folded.starts_with(|c: char| c.is_ascii_digit()))
                }
                _ => false,
            },
        }
    }

    /// Whether a reading may end before `i`: not within a chunk.
    pub(crate) fn ends(&self, i: usize) -> bool {
        match self.glued_sign(i) {
            None => !self.glued(i),
            Some(',' | ';' | '!' | '?' | ')' | ']' | '}' | '"' | '”' | '—' | '|' | '…' | '*') => true,
            Some('.' | ':' | '-' | '–' | '\'' | '/' | '~') => !self.glued(i + 1) || self.glued_sign(i + 1).is_some(),
            Some(_) => false,
        }
    }

    /// Whether nothing but signs comes from `i` on.
    pub(crate) fn is_end(&self, i: usize) -> bool {
        self.tokens.get(i..).is_none_or(|rest| {
            let rest = rest
                .iter()
                .position(|token| !matches!(token.kind, Kind::Sign('.' | '!' | '?' | ',' | ';' | ')' | ']' | '…')));
            rest.is_none_or(|first| {
                // A mark or a description may follow.
                matches!(self.sign(i + first), Some('#' | '!')) || self.starts_description(i + first)
            })
        })
    }

    /// Whether a description begins at `i`.
    pub(crate) fn starts_description(&self, i: usize) -> bool {
        self.sign(i) == Some('/') && !self.glued(i) && self.glued_sign(i + 1) == Some('/')
    }

    /// Whether a bare hour may end before `i`.
    pub(crate) fn frees_hour(&self, i: usize, cue: Cue) -> bool {
        let counted = lexicon::unit(self.word(i)).is_some()
            || matches!(
                self.word(i),
                "of" | "percent" | "degrees" | "people" | "dollars" | "euros" | "miles" | "km" | "x" | "am" | "pm"
            );
        cue.hour && !counted && (self.closes(i) || cue.sure && !self.glued(i) && !self.word(i).is_empty())
    }

    /// Whether what stands at `i` cannot be counted or named by a number before it.
    pub(crate) fn closes(&self, i: usize) -> bool {
        let Some(token) = self.tokens.get(i) else { return true };
        match token.kind {
            Kind::Opaque => true,
            Kind::Number => false,
            Kind::Sign(sign) => match sign {
                ',' | ';' | '!' | '?' | ')' | ']' | '"' | '”' | '—' | '|' | '…' => true,
                '.' | ':' => !self.glued(i + 1),
                '-' | '–' | '(' | '#' | '@' | '/' | '~' | '&' => !token.glued,
                _ => false,
            },
            Kind::Word => !token.glued && self.is_small_word(i),
        }
    }

    fn is_small_word(&self, i: usize) -> bool {
        let word = self.word(i);
        lexicon::is_function(word)
            || lexicon::weekday(word).is_some()
            || lexicon::weekdays(word).is_some()
            || lexicon::month(word).is_some()
            || lexicon::near_day(word).is_some()
            || lexicon::which(word).is_some()
            || lexicon::part(word).is_some()
            || matches!(word, "weekdays" | "weekends")
    }
}
