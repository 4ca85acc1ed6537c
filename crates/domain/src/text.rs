//! Text as it is kept and compared. A character is a Unicode scalar value; text is kept in normal form C (UAX 15).

use unicode_normalization::UnicodeNormalization as _;

use crate::error::Violation;

/// Normal form C, trimmed of Unicode white space.
#[must_use]
pub fn clean(text: &str) -> String {
    text.trim().nfc().collect()
}

/// Normal form C, white space kept.
#[must_use]
pub fn normal(text: &str) -> String {
    text.nfc().collect()
}

/// The key by which both databases sort, search and compare text, byte by byte: normal form C, lower case, normal
/// form C again.
///
/// Lower case is taken character by character, and the final sigma counts as a sigma, so that a part of a word folds
/// to the part of its folding.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

/// The length in characters.
#[must_use]
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// Cleans `text` and checks its length in characters after that.
///
/// # Errors
/// A violation of `field` for a wrong length, or for U+0000, which Postgres cannot store.
pub fn bounded(text: &str, field: &str, min: usize, max: usize) -> Result<String, Violation> {
    check(clean(text), field, min, max)
}

/// Like [`bounded`], with white space kept.
///
/// # Errors
/// As [`bounded`].
pub fn bounded_as_is(text: &str, field: &str, min: usize, max: usize) -> Result<String, Violation> {
    check(normal(text), field, min, max)
}

fn check(text: String, field: &str, min: usize, max: usize) -> Result<String, Violation> {
    let length = length(&text);
    if text.contains('\0') {
        Err(Violation::new(field, "must not contain the character U+0000"))
    } else if (min..=max).contains(&length) {
        Ok(text)
    } else if min == 0 {
        Err(Violation::new(field, format!("must be at most {max} characters, got {length}")))
    } else {
        Err(Violation::new(field, format!("must be {min} to {max} characters, got {length}")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn composed_and_decomposed_are_the_same_text() {
        assert_eq!(clean("  cafe\u{301}\u{a0}"), "café");
        assert_eq!(fold("CAFE\u{301}"), fold("café"));
        assert_eq!(length(&clean("cafe\u{301}")), 4);
    }

    #[test]
    fn a_part_of_a_word_is_found_in_its_folding() {
        assert!(fold("ΣΟΦΟΣΤΕΡΟΣ").contains(&fold("ΣΟΦΟΣ")));
        assert_eq!(fold("ΣΟΦΟΣ"), fold("σοφος"));
    }

    #[test]
    fn limits_count_characters_and_name_what_they_take() {
        let accepted = |length: usize| bounded(&"ü".repeat(length), "title", 1, 200).is_ok();
        assert!(accepted(1) && accepted(199) && accepted(200));
        assert_eq!(
            bounded(&"ü".repeat(201), "title", 1, 200).unwrap_err().to_string(),
            "title must be 1 to 200 characters, got 201"
        );
        assert_eq!(bounded(" \t", "title", 1, 200).unwrap_err().message, "must be 1 to 200 characters, got 0");
        assert_eq!(bounded("a\0b", "title", 1, 200).unwrap_err().message, "must not contain the character U+0000");
    }

    proptest! {
        #[test]
        fn cleaning_and_folding_are_done_once(text in any::<String>()) {
            prop_assert_eq!(clean(&clean(&text)), clean(&text));
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
            prop_assert_eq!(fold(&normal(&text)), fold(&text));
        }

        #[test]
        fn what_is_accepted_is_within_its_limits(text in any::<String>(), max in 1_usize..50) {
            if let Ok(kept) = bounded(&text, "tag", 1, max) {
                prop_assert!((1..=max).contains(&length(&kept)));
                prop_assert!(!kept.contains('\0'));
                prop_assert_eq!(bounded(&kept, "tag", 1, max), Ok(kept));
            }
        }
    }
}
