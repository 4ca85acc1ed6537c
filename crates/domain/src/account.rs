//! What an account is made of.

use std::fmt;

use email_address::{EmailAddress, Options};

use crate::{
    error::Violation,
    limits, text,
    zone::{self, Tz},
};

/// An e-mail address: valid, at most 254 characters, and in lower case, so that equal means the same account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address (RFC 5321 and 5322, without display name, comments or domain literals; the domain has a dot).
    ///
    /// # Errors
    /// A violation of `email`.
    pub fn parse(address: &str) -> Result<Self, Violation> {
        let address = text::bounded(address, "email", 1, limits::EMAIL_MAX)?;
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        EmailAddress::parse_with_options(&address, options)
            .map_err(|_| Violation::new("email", "must be an e-mail address such as ada@example.com"))?;
        let address = text::clean(&address.to_lowercase());
        if address.len() > limits::EMAIL_MAX {
            return Err(Violation::new("email", format!("must be at most {} bytes", limits::EMAIL_MAX)));
        }
        Ok(Self(address))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password that may be set: 8 to 128 characters, in normal form C, so that it is the same from every keyboard
/// (NIST SP 800-63B, section 3.1.1.2). It never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Reads a password; `field` names it in the violation (`password`, `new_password`).
    ///
    /// # Errors
    /// A violation of `field`, which does not repeat the password.
    pub fn parse(password: &str, field: &str) -> Result<Self, Violation> {
        let password = text::normal(password);
        let length = text::length(&password);
        if (limits::PASSWORD_MIN..=limits::PASSWORD_MAX).contains(&length) {
            Ok(Self(password))
        } else {
            let (min, max) = (limits::PASSWORD_MIN, limits::PASSWORD_MAX);
            Err(Violation::new(field, format!("must be {min} to {max} characters, got {length}")))
        }
    }

    /// What is hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A display name: 1 to 100 characters after trimming.
///
/// # Errors
/// A violation of `display_name`.
pub fn display_name(name: &str) -> Result<String, Violation> {
    text::bounded(name, "display_name", 1, limits::DISPLAY_NAME_MAX)
}

/// The name of a personal access token: 1 to 100 characters after trimming.
///
/// # Errors
/// A violation of `name`.
pub fn token_name(name: &str) -> Result<String, Violation> {
    text::bounded(name, "name", 1, limits::TOKEN_NAME_MAX)
}

/// What a token is good for. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading everything but the account's secrets.
    Read,
    /// Changing tasks and notifications.
    Write,
    /// Changing the account itself: what no personal access token can.
    Account,
}

/// An account's time zone, by its IANA name.
///
/// # Errors
/// A violation of `time_zone`.
pub fn zone(name: &str) -> Result<Tz, Violation> {
    zone::parse(name, "time_zone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_in_any_case_is_the_same_account() {
        assert_eq!(Email::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "a b@example.com",
            "Ada <ada@example.com>",
            "a@b@c.de",
            "ada@[127.0.0.1]",
            "ada@exa\0mple.com",
            "ada@example..com",
        ] {
            assert_eq!(Email::parse(address).map_err(|violation| violation.field), Err("email".into()), "{address}");
        }
    }

    #[test]
    fn an_address_has_at_most_254_characters() {
        let label = "d".repeat(63);
        let address = |local: usize| format!("{}@{label}.{label}.{}.com", "a".repeat(local), "d".repeat(57));
        assert_eq!(address(64).len(), 254);
        assert!(Email::parse(&address(64)).is_ok());
        assert!(Email::parse(&format!("{}x", address(64))).is_err());
    }

    #[test]
    fn passwords_are_counted_in_characters_and_never_shown() {
        assert!(Password::parse(&"ü".repeat(7), "password").is_err());
        assert!(Password::parse(&"ü".repeat(8), "password").is_ok());
        assert!(Password::parse(&"ü".repeat(128), "password").is_ok());
        let violation = Password::parse(&"ü".repeat(129), "new_password").unwrap_err();
        assert_eq!(violation.to_string(), "new_password must be 8 to 128 characters, got 129");
        assert_eq!(format!("{:?}", Password::parse("hunter2hunter2", "password").unwrap()), "Password(..)");
    }

    #[test]
    fn display_names_are_trimmed() {
        assert_eq!(display_name("  Ada ").unwrap(), "Ada");
        assert!(display_name(&"a".repeat(100)).is_ok());
        assert!(display_name(&"a".repeat(101)).is_err());
        assert!(display_name(" ").is_err());
        assert!(zone("UTC").is_ok() && zone("CEST+1").is_err());
    }
}
