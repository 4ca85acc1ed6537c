//! The refresh token in a cookie, for browsers: scripts of a page then cannot read it, and other sites cannot use it.
//!
//! A client that sends `X-Session: cookie` gets its refresh token that way, and `null` in the body. Where the body
//! of a request leaves `refresh_token` out, it is taken from the cookie, but only from a page of our own origin.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};

use crate::{contract::Rpc, peer::Peer, request::Draft, status::Failure};

/// The field that holds the token, in requests and answers alike.
const FIELD: &str = "refresh_token";
/// The name of the cookie.
const NAME: &str = "refresh_token";
/// Who gets to see it.
const PATH: &str = "/api/auth";
pub(crate) const HEADER: &str = "x-session";
/// These end the session of the cookie.
const ENDS: [&str; 3] =
    ["todo.v1.AuthService.SignOut", "todo.v1.AuthService.SignOutEverywhere", "todo.v1.AuthService.DeleteAccount"];

/// What a request has to do with the cookie.
#[derive(Debug, Default)]
pub(crate) struct Use {
    /// Give the token as a cookie.
    give: bool,
    /// Take the cookie away.
    clear: bool,
}

/// Whether a rpc's answer holds a refresh token.
pub(crate) fn gives(rpc: &Rpc) -> bool {
    holds(&rpc.output)
}

/// Whether a rpc takes a refresh token.
pub(crate) fn takes(rpc: &Rpc) -> bool {
    holds(&rpc.input)
}

fn holds(message: &MessageDescriptor) -> bool {
    message.get_field_by_name(FIELD).is_some_and(|field| field.kind() == Kind::String)
}

/// Fills the token in from the cookie where the body leaves it out.
///
/// # Errors
/// If the request comes from another origin.
pub(crate) fn take(
    rpc: &Rpc,
    headers: &HeaderMap,
    peer: &Peer,
    public_url: Option<&Uri>,
    draft: &mut Draft,
) -> Result<Use, Failure> {
    let mut found = Use::default();
    if gives(rpc)
        && let Some(wish) = headers.get(HEADER)
    {
        if wish.as_bytes().eq_ignore_ascii_case(b"cookie") {
            found.give = true;
        } else {
            draft.wrong("X-Session", "must be cookie");
        }
    }
    let cookie = read(headers);
    found.clear = cookie.is_some() && ENDS.contains(&rpc.descriptor.full_name());
    if takes(rpc)
        && !draft.has_text(FIELD)
        && let Some(token) = cookie
    {
        if !same_origin(headers, peer, public_url) {
            return Err(Failure::new(
                StatusCode::FORBIDDEN,
                "PERMISSION_DENIED",
                "the session's cookie is taken only from this origin: send its Origin, or the refresh_token itself",
            ));
        }
        draft.set_text(FIELD, token);
        found.give |= gives(rpc);
    }
    Ok(found)
}

impl Use {
    /// Moves the token from the answer into a cookie, if so asked, or takes the cookie away.
    pub(crate) fn settle(&self, rpc: &Rpc, answer: &mut Bytes, secure: bool, age: Duration) -> Option<HeaderValue> {
        let secure = if secure { "; Secure" } else { "" };
        let cookie = |token: &str, age: u64| {
            format!("{NAME}={token}; Path={PATH}; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
        };
        let text = if self.give {
            let mut message = DynamicMessage::decode(rpc.output.clone(), answer.as_ref()).ok()?;
            let token = message.get_field_by_name(FIELD)?.as_str()?.to_owned();
            message.clear_field_by_name(FIELD);
            *answer = prost::Message::encode_to_vec(&message).into();
            cookie(&token, age.as_secs())
        } else if self.clear {
            cookie("", 0)
        } else {
            return None;
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn read(headers: &HeaderMap) -> Option<&str> {
    let mut pairs = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, token)| *name == NAME && !token.is_empty()).map(|(_, token)| token)
}

/// Whether `Origin` is where this request went. A page of ours has the scheme of its own address, which a proxy may
/// hide from us, so only host and port are compared.
fn same_origin(headers: &HeaderMap, peer: &Peer, public_url: Option<&Uri>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(from) = origin.authority() else { return false };
    let https = origin.scheme_str() == Some("https");
    let port = |authority: &http::uri::Authority| authority.port_u16().unwrap_or(if https { 443 } else { 80 });
    let same = |to: &http::uri::Authority| to.host().eq_ignore_ascii_case(from.host()) && port(to) == port(from);
    let host = peer.host.as_deref().and_then(|host| host.parse().ok());
    host.as_ref().is_some_and(same) || public_url.and_then(Uri::authority).is_some_and(same)
}
