//! A part of a message as words: typing slips mended, courtesies left out.

use std::borrow::Cow;

use super::words::normal;
use crate::{
    Context,
    token::{Kind, Token, tokens},
};

/// A part of a message, and which of its tokens are still to be read.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) context: &'a Context,
    tokens: Vec<Token<'a>>,
    words: Vec<Cow<'a, str>>,
    /// The first token to read.
    pub(super) start: usize,
    /// The token after the last one to read: signs and courtesies at the end are left out.
    pub(super) end: usize,
    /// Whether a wish leads it ("I want to", "I need to"), which makes a task of what could be one.
    pub(super) wish: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, context: &'a Context) -> Self {
        let tokens = merged(text, &tokens(text));
        let words = tokens.iter().map(word_of).collect();
        let end = tokens.len();
        let mut line = Self { text, context, tokens, words, start: 0, end, wish: false };
        line.trim();
        line
    }

    /// The word or the digits at `i`, as meant; empty for signs and outside of what is to be read.
    pub(super) fn word(&self, i: usize) -> &str {
        if (self.start..self.end).contains(&i) { self.words.get(i).map_or("", |word| word) } else { "" }
    }

    /// The sign at `i`.
    pub(super) fn sign(&self, i: usize) -> Option<char> {
        match self.tokens.get(i).filter(|_| i < self.end)?.kind {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    /// Whether `i` follows the token before without white space.
    pub(super) fn glued(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|token| token.glued)
    }

    /// Where the token at `i` begins, in bytes; the end of the text if there is none.
    pub(super) fn start_of(&self, i: usize) -> usize {
        self.tokens.get(i).map_or(self.text.len(), |token| token.start)
    }

    /// Where the token at `i` ends, in bytes.
    pub(super) fn end_of(&self, i: usize) -> usize {
        self.tokens.get(i).map_or(self.text.len(), |token| token.end)
    }

    /// The number at `i`.
    pub(super) fn number(&self, i: usize) -> Option<u32> {
        self.tokens.get(i).filter(|token| token.kind == Kind::Number && i < self.end)?.folded.parse().ok()
    }

    /// Whether quoted text stands at `i`.
    pub(super) fn is_quoted(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|token| token.kind == Kind::Opaque && i < self.end)
    }

    /// Whether these words stand at `i`, parted by spaces.
    pub(super) fn at(&self, i: usize, words: &str) -> bool {
        self.after(i, words).is_some()
    }

    /// The token after these words, if they stand at `i`.
    pub(super) fn after(&self, i: usize, words: &str) -> Option<usize> {
        let mut next = i;
        for word in words.split(' ') {
            if self.word(next) != word {
                return None;
            }
            next += 1;
        }
        Some(next)
    }

    /// The token after the first of these phrases, parted by `|`, that stands at `i`; longer ones have to come first.
    pub(super) fn after_any(&self, i: usize, phrases: &str) -> Option<usize> {
        let first = self.word(i);
        if first.is_empty() {
            return None;
        }
        phrases.split('|').filter(|phrase| phrase.starts_with(first)).find_map(|phrase| self.after(i, phrase))
    }

    /// The token after the phrase that stands at `i`, if there is one.
    pub(super) fn skip(&self, i: usize, phrases: &str) -> usize {
        self.after_any(i, phrases).unwrap_or(i)
    }

    /// Over colons, dashes and commas.
    pub(super) fn skip_signs(&self, i: usize) -> usize {
        let signs = |i: &usize| matches!(self.sign(*i), Some(':' | '-' | '–' | '—' | ',' | '>'));
        (i..self.end).find(|i| !signs(i)).unwrap_or(self.end.max(i))
    }

    /// Whether one of these words stands anywhere.
    pub(super) fn has(&self, words: &str) -> bool {
        self.position(|word| words.split('|').any(|other| other == word)).is_some()
    }

    /// Where the first such word is.
    pub(super) fn position(&self, is: impl Fn(&str) -> bool) -> Option<usize> {
        (self.start..self.end).find(|i| is(self.word(*i)))
    }

    /// Whether nothing is left from `i` on.
    pub(super) const fn is_end(&self, i: usize) -> bool {
        i >= self.end
    }

    /// Whether all there is to read is one of these phrases.
    pub(super) fn is_any(&self, phrases: &str) -> bool {
        phrases.split('|').any(|phrase| self.after(self.start, phrase) == Some(self.end))
    }

    /// The text of some tokens, without white space around it.
    pub(super) fn text_of(&self, from: usize, to: usize) -> &'a str {
        let (Some(first), Some(last)) = (self.tokens.get(from), to.checked_sub(1).and_then(|to| self.tokens.get(to)))
        else {
            return "";
        };
        self.text.get(first.start..last.end).unwrap_or_default()
    }

    /// The text from `i` on, with the marks that may stand at its end ("!!") but without its last full stop.
    pub(super) fn rest(&self, i: usize) -> &'a str {
        let from = self.tokens.get(i).map_or(self.text.len(), |token| token.start);
        let rest = self.text[from..].trim();
        let rest = without_courtesy(rest);
        let last = rest.rsplit(char::is_whitespace).next().unwrap_or_default();
        let short = last.trim_end_matches('.').chars().count() <= 2 || last.trim_end_matches('.').contains('.');
        let is_word = last.starts_with(char::is_alphanumeric);
        if !is_word || short && last.ends_with('.') { rest } else { rest.trim_end_matches(['.', '!', '?', '…']) }
    }

    /// The text that is to be read.
    pub(super) fn whole(&self) -> &'a str {
        self.rest(self.start)
    }

    fn trim(&mut self) {
        self.trim_end();
        self.trim_start();
    }

    fn trim_end(&mut self) {
        const ENDS: &str = "please|thanks|thank you|right now|for me|if you can|if possible|will you|can you|okay";
        loop {
            while self.end > self.start && self.is_decoration(self.end - 1) {
                self.end -= 1;
            }
            let fits = |phrase: &&str| {
                let words = phrase.split(' ').count();
                self.end > self.start + words && self.at(self.end - words, phrase)
            };
            let Some(courtesy) = ENDS.split('|').find(fits) else { return };
            self.end -= courtesy.split(' ').count();
        }
    }

    /// A sign that says nothing: the end of a sentence, an emoji.
    fn is_decoration(&self, i: usize) -> bool {
        match self.tokens.get(i).map(|token| token.kind) {
            Some(Kind::Sign(sign)) if sign.is_ascii() => matches!(sign, '.' | '!' | '?' | ',' | ';' | ':' | '~' | '*'),
            Some(Kind::Sign(sign)) => !is_done_sign(sign) && !sign.is_alphanumeric(),
            _ => false,
        }
    }

    fn trim_start(&mut self) {
        const CALLS: &str = "hey|hi|hello|ok|okay|k|so|well|um|uh|oh|alright|alexa|siri|assistant|also|and|then|plus|but|please|kindly|\
            just|actually|now|oops|sorry|you know|first|next|finally|great|cool|perfect|yo|hmm";
        const ASKS: &str = "can you|could you|would you mind|would you|will you|can i|could i|may i|can we|i'd like you to|\
            i would like you to|i want you to|i need you to|go ahead and|i'd like to|i would like to|i want to|\
            i wanna|i wish to|help me|let me|let's|i still need to|i still have to|i also need to|i also have to|\
            i really need to|i need to|i have to|i've to|i've got to|i have got to|i got to|i gotta|i must|i should|\
            i ought to|i'm supposed to|i am supposed to|i'm going to|i am going to|i plan to|i'll|i will|we need to|\
            we have to|we should|we must|need to|have to|gotta|got to|it's time to";
        const REPLIES: &str = "yes|yeah|yep|no|nope|nah|sure|thanks";
        loop {
            if self.is_decoration(self.start)
                && self.start + 1 < self.end
                && !(self.sign(self.start) == Some('!') && self.glued(self.start + 1))
            {
                self.start += 1;
                continue;
            }
            let signed = |next: usize| matches!(self.sign(next), Some(',' | '!' | '.' | ';' | '-' | '—'));
            let called = self.after_any(self.start, CALLS).filter(|next| {
                // "now" and "next" may say when, "great" and "cool" what.
                let says = matches!(
                    self.word(self.start),
                    "now" | "next" | "first" | "finally" | "great" | "cool" | "perfect" | "k" | "sorry"
                );
                !says || signed(*next)
            });
            let replied = self.after_any(self.start, REPLIES).filter(|next| signed(*next));
            let asked = self.after_any(self.start, ASKS);
            let Some(next) = called.or(replied).or(asked).filter(|next| *next < self.end) else { return };
            let wishes =
                !matches!(self.word(self.start), "can" | "could" | "would" | "will" | "may" | "go" | "help" | "let");
            self.wish |= asked.is_some() && wishes && !(self.start..next).any(|i| self.word(i) == "you");
            self.start = next;
        }
    }
}

/// A check mark: what stands before it is done.
pub(super) const fn is_done_sign(sign: char) -> bool {
    matches!(sign, '✓' | '✔' | '✅' | '☑')
}

fn word_of<'a>(token: &Token<'a>) -> Cow<'a, str> {
    match token.kind {
        Kind::Word | Kind::Number => match &token.folded {
            Cow::Borrowed(word) => Cow::Borrowed(normal(word)),
            Cow::Owned(word) => Cow::Owned(normal(word).to_owned()),
        },
        _ => Cow::Borrowed(""),
    }
}

/// "to-do", "re-open" and "my to do list" with one word for each.
fn merged<'a>(text: &'a str, tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut merged: Vec<Token<'a>> = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let word = |i: usize| tokens.get(i).filter(|token| token.kind == Kind::Word).map_or("", |token| &*token.folded);
        let hyphen = tokens.get(i + 1).is_some_and(|token| token.kind == Kind::Sign('-') && token.glued)
            && tokens.get(i + 2).is_some_and(|token| token.glued);
        let last = match word(i) {
            "to" if hyphen && matches!(word(i + 2), "do" | "dos" | "do's") => Some(i + 2),
            "un" | "re" if hyphen && !word(i + 2).is_empty() => Some(i + 2),
            "to" if word(i + 1) == "do" || word(i + 1) == "dos" => {
                let owned = i > 0 && matches!(word(i - 1), "my" | "the" | "our" | "new" | "a" | "all");
                let named = matches!(word(i + 2), "list" | "lists" | "item" | "items" | "");
                (named && (owned || !word(i + 2).is_empty()) || owned && word(i + 1) == "dos").then_some(i + 1)
            }
            _ => None,
        };
        let Some(last) = last else {
            merged.push(tokens[i].clone());
            i += 1;
            continue;
        };
        let folded = match (word(i), word(last)) {
            ("to", "do") => Cow::Borrowed("todo"),
            ("to", _) => Cow::Borrowed("todos"),
            (prefix, rest) => Cow::Owned(format!("{prefix}{rest}")),
        };
        let (start, end) = (tokens[i].start, tokens[last].end);
        debug_assert!(text.get(start..end).is_some());
        merged.push(Token { kind: Kind::Word, folded, start, end, glued: tokens[i].glued });
        i = last + 1;
    }
    merged
}

/// Without "please" and "thanks" at its end.
fn without_courtesy(rest: &str) -> &str {
    let mut rest = rest;
    loop {
        let bare = rest.trim_end_matches(['.', '!', '?', ',']).trim_end();
        let Some((before, last)) = bare.rsplit_once(char::is_whitespace) else { return rest };
        let last = last.to_lowercase();
        let before = before.trim_end();
        if matches!(normal(&last), "please" | "thanks") {
            rest = before.trim_end_matches(',');
        } else if last == "you"
            && let Some((before, _)) =
                before.rsplit_once(char::is_whitespace).filter(|(_, thank)| thank.eq_ignore_ascii_case("thank"))
        {
            rest = before.trim_end().trim_end_matches(',');
        } else {
            return rest;
        }
    }
}
