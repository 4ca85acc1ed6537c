//! Who calls: the client's address, and what only we may tell the backend.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use ipnet::IpNet;

/// Tells the backend the client's address.
const ADDRESS: HeaderName = HeaderName::from_static("x-client-address");

/// What a client must not tell the backend (see [`is_ours`]).
const OURS: [&str; 10] = [
    "x-client-address",
    "internal-token",
    "cookie",
    "host",
    "forwarded",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What we know of whoever sent a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// The client's address: the connection's, or what a trusted proxy says.
    pub(crate) address: Option<IpAddr>,
    /// The client speaks to us, or to a trusted proxy, by TLS.
    pub(crate) https: bool,
    /// The host and port the client meant.
    pub(crate) host: Option<String>,
}

impl Peer {
    /// Looks at a request.
    pub(crate) fn of(request: &Request, trusted: &[IpNet], public_url: Option<&Uri>) -> Self {
        let headers = request.headers();
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let by_proxy = connected.as_ref().is_some_and(is_trusted);

        let mut address = connected;
        if by_proxy {
            // Each hop appends whom it heard; from the right, the first that is none of ours is the client. What it
            // says further left is its own invention.
            for hop in list(headers, "x-forwarded-for").into_iter().rev() {
                let Some(hop) = parse(hop) else { break };
                address = Some(hop);
                if !is_trusted(&hop) {
                    break;
                }
            }
        }
        let forwarded = |name: &str| by_proxy.then(|| list(headers, name).last().copied()).flatten();
        let https = match forwarded("x-forwarded-proto") {
            Some(scheme) => scheme.eq_ignore_ascii_case("https"),
            None => {
                request.uri().scheme_str() == Some("https") || public_url.and_then(Uri::scheme_str) == Some("https")
            }
        };
        let host = forwarded("x-forwarded-host")
            .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))
            .or_else(|| headers.get(header::HOST)?.to_str().ok())
            .map(ToOwned::to_owned);
        Self { address, https, host }
    }

    /// Removes what a client must not tell the backend, and tells it the client's address.
    pub(crate) fn vouch(&self, headers: &mut HeaderMap) {
        let foreign: Vec<_> = headers.keys().filter(|name| is_ours(name.as_str())).cloned().collect();
        for name in foreign {
            headers.remove(name);
        }
        if let Some(address) = self.address.and_then(|address| HeaderValue::from_str(&address.to_string()).ok()) {
            headers.insert(ADDRESS, address);
        }
    }
}

/// Metadata that means something between our own services, and what speaks of the connection to us alone.
fn is_ours(name: &str) -> bool {
    OURS.contains(&name) || name.starts_with("dapr-") || name.starts_with("x-forwarded-")
}

fn list<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty()).collect()
}

/// An address, with a port or without.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn peer(from: &str, headers: &[(&'static str, &'static str)]) -> Peer {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 1)));
        Peer::of(&request, &["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()], None)
    }

    fn address(from: &str, forwarded: &'static str) -> String {
        peer(from, &[("x-forwarded-for", forwarded)]).address.unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address("192.0.2.1", "198.51.100.7"), "192.0.2.1");
        assert_eq!(address("10.0.0.1", "198.51.100.7"), "198.51.100.7");
        assert_eq!(address("::ffff:10.0.0.1", "198.51.100.7:4711"), "198.51.100.7");
        assert_eq!(address("::1", "[2001:db8::7]:4711"), "2001:db8::7");
    }

    #[test]
    fn the_right_most_stranger_is_the_client() {
        assert_eq!(address("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2"), "198.51.100.7");
        assert_eq!(address("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
        assert_eq!(address("10.0.0.1", "198.51.100.7, unknown"), "10.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_says_whether_it_is_https_and_which_host() {
        let headers = &[("x-forwarded-proto", "https"), ("x-forwarded-host", "todo.example"), ("host", "gateway:80")];
        let behind = peer("10.0.0.1", headers);
        assert!(behind.https);
        assert_eq!(behind.host.as_deref(), Some("todo.example"));
        let direct = peer("192.0.2.1", headers);
        assert!(!direct.https);
        assert_eq!(direct.host.as_deref(), Some("gateway:80"));
    }
}
