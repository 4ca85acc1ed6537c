//! What is served besides the contract: health, the description, pages about the API that need no network, and the
//! page itself when it is built in.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use todo_runtime::health::Health;

use crate::{Options, edge::Template, openapi, rest};

mod site;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// Fixed pages, by path.
pub(crate) struct Pages {
    files: BTreeMap<&'static str, Page>,
    site: site::Site,
    /// Written when first asked for: a start should not wait for it.
    description: LazyLock<Page>,
}

struct Page {
    kind: &'static str,
    text: Bytes,
    /// Changes with the text.
    tag: HeaderValue,
}

impl Pages {
    pub(crate) fn new() -> Self {
        let start = include_str!("page/start.html").replace("{version}", env!("CARGO_PKG_VERSION"));
        let files = BTreeMap::from([
            ("/", Page::new(HTML, start)),
            ("/api/docs", Page::new(HTML, include_str!("page/docs.html"))),
            ("/api/docs.js", Page::new("text/javascript; charset=utf-8", include_str!("page/docs.js"))),
            ("/api/docs.css", Page::new("text/css; charset=utf-8", include_str!("page/docs.css"))),
        ]);
        let description = || Page::new(JSON, serde_json::to_vec(&openapi::document()).expect("a JSON tree is JSON"));
        let site = site::Site::new(site::FILES);
        Self { files, site, description: LazyLock::new(description) }
    }

    /// Answers, if the path is one of these.
    pub(crate) fn serve(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        options: &Options,
    ) -> Option<Response> {
        if let Some(response) = self.site.serve(method, path, headers) {
            return Some(response);
        }
        let (name, page) = match path {
            "/health" | "/api/health" | "/ready" => (path, None),
            "/api/openapi.json" => (path, Some(&*self.description)),
            path => match self.files.get_key_value(path) {
                Some((name, page)) => (*name, Some(page)),
                None => return self.site.miss(method, path, headers),
            },
        };
        let mut response = match *method {
            Method::GET | Method::HEAD => match page {
                Some(page) => page.respond(headers),
                None if name == "/ready" => options.health.ready(),
                None => Health::alive(),
            },
            _ => rest::not_allowed(method, "GET, HEAD, OPTIONS"),
        };
        response.extensions_mut().insert(Template(template(name).into()));
        Some(if *method == Method::HEAD { rest::without_body(response) } else { response })
    }
}

/// What log and metrics call a path: the files that make up the pages, which are hundreds, have one name.
fn template(name: &str) -> &str {
    match name.rsplit_once('.') {
        None | Some((_, "html")) => name,
        Some(_) if name.starts_with("/api") => name,
        Some(_) => "/*",
    }
}

impl Page {
    fn new(kind: &'static str, text: impl Into<Bytes>) -> Self {
        let text = text.into();
        let tag = tag(&text);
        Self { kind, text, tag }
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let fresh = headers.get(header::IF_NONE_MATCH) == Some(&self.tag);
        let mut response = Response::new(if fresh { Body::empty() } else { Body::from(self.text.clone()) });
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::ETAG, self.tag.clone());
        response
    }
}

/// An entity tag that changes with the text.
fn tag(text: &[u8]) -> HeaderValue {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    HeaderValue::from_str(&format!("\"{:x}\"", hasher.finish())).expect("hex in quotes")
}
