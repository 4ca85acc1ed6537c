//! The page: the files of its static export, each with its compressed forms, and for HTML the policy of its scripts.

use std::{collections::BTreeMap, io::Read as _, sync::OnceLock};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{HTML, tag};
use crate::{edge::Template, rest};

/// The export as `frontend/build/pack.mjs` leaves it, by path from `/`: of what it compresses only `.br` and `.gz`, and
/// beside HTML its `.csp`. Empty without the feature `ui`.
pub(super) const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// The name in its path changes with the content.
const HASHED: &str = "/_next/static/";
const NOT_FOUND: &str = "/404.html";

pub(super) struct Site(BTreeMap<&'static str, File>);

struct File {
    kind: &'static str,
    forms: Forms,
    policy: Option<HeaderValue>,
}

enum Forms {
    Plain(Form),
    Compressed {
        brotli: Form,
        gzip: Form,
        /// Hardly anybody asks for it.
        plain: OnceLock<Form>,
    },
}

struct Form {
    content: Bytes,
    tag: HeaderValue,
}

impl Site {
    pub(super) fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        let all: BTreeMap<_, _> = files.iter().copied().collect();
        let beside = |path: &str, ending: &str| all.get(format!("{path}.{ending}").as_str()).copied();
        let file = |(&path, &content): (&&'static str, &&'static [u8])| {
            let (path, forms) = match (path.strip_suffix(".br"), ending(path)) {
                (Some(path), _) => (path, Forms::compressed(content, beside(path, "gz")?)),
                (None, "gz" | "csp") => return None,
                (None, _) => (path, Forms::Plain(Form::new(content))),
            };
            let policy = beside(path, "csp").map(|text| HeaderValue::from_bytes(text).expect("a header's text"));
            Some((path, File { kind: kind(path), forms, policy }))
        };
        Self(all.iter().filter_map(file).collect())
    }

    /// Answers, if the path is one of the page's.
    pub(super) fn serve(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        let page = if path == "/" { "/index.html".to_owned() } else { format!("{path}.html") };
        let (name, file) = self.0.get_key_value(page.as_str()).or_else(|| self.0.get_key_value(path))?;
        Some(respond(name, file, StatusCode::OK, method, headers))
    }

    /// Answers a browser that asks to show a page, of which there is none at the path.
    pub(super) fn miss(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if *method != Method::GET || path.starts_with("/api/") || !accepts.contains("text/html") {
            return None;
        }
        let (name, file) = self.0.get_key_value(NOT_FOUND)?;
        Some(respond(name, file, StatusCode::NOT_FOUND, method, headers))
    }
}

fn respond(name: &'static str, file: &File, status: StatusCode, method: &Method, headers: &HeaderMap) -> Response {
    let mut response = match *method {
        Method::GET | Method::HEAD => file.respond(name, status, headers),
        _ => rest::not_allowed(method, "GET, HEAD, OPTIONS"),
    };
    response.extensions_mut().insert(Template(name.into()));
    if *method == Method::HEAD { rest::without_body(response) } else { response }
}

impl File {
    fn respond(&self, name: &str, status: StatusCode, asked: &HeaderMap) -> Response {
        let (form, encoding) = self.forms.choose(asked);
        let fresh = status == StatusCode::OK && asked.get(header::IF_NONE_MATCH) == Some(&form.tag);
        let mut response = Response::new(if fresh { Body::empty() } else { Body::from(form.content.clone()) });
        *response.status_mut() = if fresh { StatusCode::NOT_MODIFIED } else { status };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::ETAG, form.tag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let caching = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if let Some(policy) = &self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        response
    }
}

impl Forms {
    fn compressed(brotli: &'static [u8], gzip: &'static [u8]) -> Self {
        Self::Compressed { brotli: Form::new(brotli), gzip: Form::new(gzip), plain: OnceLock::new() }
    }

    fn choose(&self, asked: &HeaderMap) -> (&Form, Option<&'static str>) {
        let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accepts = |encoding: &str| {
            accepted.split(',').any(|one| {
                let (name, weight) = one.split_once(';').unwrap_or((one, ""));
                name.trim() == encoding && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
            })
        };
        match self {
            Self::Plain(form) => (form, None),
            Self::Compressed { brotli, .. } if accepts("br") => (brotli, Some("br")),
            Self::Compressed { gzip, .. } if accepts("gzip") => (gzip, Some("gzip")),
            Self::Compressed { gzip, plain, .. } => (plain.get_or_init(|| gzip.inflated()), None),
        }
    }
}

impl Form {
    fn new(content: &'static [u8]) -> Self {
        Self { content: Bytes::from_static(content), tag: tag(content) }
    }

    fn inflated(&self) -> Self {
        let mut content = Vec::new();
        GzDecoder::new(&*self.content).read_to_end(&mut content).expect("it was compressed with the page");
        Self { tag: tag(&content), content: content.into() }
    }
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn kind(path: &str) -> &'static str {
    match ending(path) {
        "html" => HTML,
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => super::JSON,
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(site: &Site, path: &str, headers: &[(&'static str, &'static str)]) -> Option<Response> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect::<HeaderMap>();
        site.serve(&Method::GET, path, &headers)
    }

    /// `let a`, compressed.
    const GZIP: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x49\x2d\x51\x48\x04\x00\x80\xdf\xd1\x6a\x05\x00\x00\x00";

    fn site() -> Site {
        Site::new(&[
            ("/index.html", b"start"),
            ("/index.html.csp", b"script-src 'self'"),
            ("/tasks.html", b"tasks"),
            ("/404.html", b"gone"),
            ("/_next/static/a.js.br", b"br"),
            ("/_next/static/a.js.gz", GZIP),
        ])
    }

    #[test]
    fn pages_are_asked_for_anew_and_hashed_files_kept() {
        let site = site();
        let page = get(&site, "/", &[]).unwrap();
        assert_eq!(page.headers()["cache-control"], "no-cache");
        assert_eq!(page.headers()["content-security-policy"], "script-src 'self'");
        assert_eq!(get(&site, "/tasks", &[]).unwrap().headers()["content-type"], "text/html; charset=utf-8");
        let script = get(&site, "/_next/static/a.js", &[]).unwrap();
        assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert!(get(&site, "/index.html.csp", &[]).is_none());
    }

    #[tokio::test]
    async fn each_form_has_its_own_tag() {
        let site = site();
        let ask = |accepted| get(&site, "/_next/static/a.js", &[("accept-encoding", accepted)]).unwrap();
        let encoding = |response: &Response| response.headers().get("content-encoding").cloned();
        let (plain, gzip, brotli) = (ask("br;q=0"), ask("deflate, gzip"), ask("gzip, br"));
        assert_eq!(encoding(&plain), None);
        assert_eq!(encoding(&gzip).unwrap(), "gzip");
        assert_eq!(encoding(&brotli).unwrap(), "br");
        assert_ne!(plain.headers()["etag"], gzip.headers()["etag"]);
        assert_ne!(gzip.headers()["etag"], brotli.headers()["etag"]);
        let plain = axum::body::to_bytes(plain.into_body(), usize::MAX).await.unwrap();
        assert_eq!(&*plain, b"let a");
    }

    #[test]
    fn what_is_held_is_not_sent_again() {
        let files = site();
        let etag = get(&files, "/tasks", &[]).unwrap().headers()["etag"].clone();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, etag);
        let answer = files.serve(&Method::GET, "/tasks", &headers).unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn only_browsers_that_show_pages_get_a_page_for_what_is_not_there() {
        let site = site();
        let miss = |path, accept| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            site.miss(&Method::GET, path, &headers).map(|response| response.status())
        };
        assert_eq!(miss("/nothing", "text/html,*/*"), Some(StatusCode::NOT_FOUND));
        assert_eq!(miss("/nothing", "application/json"), None);
        assert_eq!(miss("/api/nothing", "text/html,*/*"), None);
    }
}
