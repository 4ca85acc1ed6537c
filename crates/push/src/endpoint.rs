//! Where messages go: an address that a user gave us, and that we are to call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::{Uri, uri::Scheme};

/// Longest URL, in bytes.
const LONGEST: usize = 2_000;

/// The URL of a subscription at a push service. Who has it can send to that browser, though not what it would show.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.origin())
    }
}

impl Endpoint {
    /// Reads one.
    ///
    /// # Errors
    /// What it must be, when it is not.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("must have 2,000 characters at most");
        }
        let uri: Uri = text.parse().map_err(|_| "must be an https URL")?;
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Err("must be an https URL");
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        // Push services listen there, and what listens elsewhere is rather something else.
        if uri.port().is_some_and(|port| port.as_str() != "443") || authority.ends_with(':') {
            return Err("must have no port but 443");
        }
        if authority.contains('@') {
            return Err("must name no user");
        }
        let host = uri.host().unwrap_or_default();
        // A name ends with letters; everything else, however it is written, some resolver takes for an address.
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        if !host.contains('.') || !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err("must have the name of a public host");
        }
        Ok(Self(uri))
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    /// Whom a token is for (RFC 8292, section 2).
    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.host())
    }
}

/// Whether an address is one of the public internet, for a single host.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Not what the registry of special-purpose IPv4 addresses (RFC 6890) says is not globally reachable, nor multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Only global unicast (`2000::/3`), and of that nothing that is special or carries an IPv4 address: 6to4, Teredo, the
/// documentation's. NAT64, unique-local, link-local and mapped addresses lie outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    (0x2000..=0x3fff).contains(&a)
        && !matches!((a, b), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x2620, 0x4f) | (0x3fff, 0..=0xfff))
}
