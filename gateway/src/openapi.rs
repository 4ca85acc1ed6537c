//! The OpenAPI 3.1 document of the REST surface, from the same descriptors that it is served from.

mod answer;
mod schema;

use prost_reflect::Kind;
use serde_json::{Map, Value, json};
use todo_proto::{comments::Comments, json};

use crate::{
    contract::{self, Body},
    cookie, request,
    route::{Route, Table},
};

use answer::answers;
use schema::Schemas;

/// The document, as `/api/openapi.json` serves it.
#[must_use]
pub fn document() -> Value {
    let pool = json::pool();
    let routes = Table::new(&contract::rpcs(pool));
    let mut writer = Writer { comments: Comments::new(pool), schemas: Schemas::default() };

    let mut paths: Map<String, Value> = Map::new();
    for route in routes.routes() {
        let operation = writer.operation(route);
        let item = paths.entry(path(route)).or_insert_with(|| json!({}));
        item[route.method.as_str().to_lowercase()] = operation;
    }
    paths.extend(own_paths());

    let tags: Vec<_> = contract::services(pool)
        .map(|service| {
            let description = writer.comments.of(&service.parent_file(), service.path());
            json!({ "name": tag(service.name()), "description": description })
        })
        .chain([json!({ "name": "System", "description": "How this process is, and what it serves." })])
        .collect();

    let mut schemas = writer.schemas.finish(&writer.comments);
    schemas.extend(answer::schemas());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Todo",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": INTRODUCTION,
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access_token of a sign-up, sign-in or refresh.",
                },
            },
            "schemas": schemas,
        },
    })
}

const INTRODUCTION: &str = "A self-hosted, event-driven todo system. Names are in snake_case and enum values in lower \
    case; what is absent is null, and every field of an answer is present. Times are RFC 3339 in UTC; requests may use \
    any offset, and a time or date without one is read in your time zone. Unknown fields and parameters are refused by \
    name, and everything wrong with a request is said at once. Parameters with several values repeat their key. The \
    same services are served on this port as gRPC (with reflection) and gRPC-web.";

struct Writer<'a> {
    comments: Comments<'a>,
    schemas: Schemas,
}

impl Writer<'_> {
    fn operation(&mut self, route: &Route) -> Value {
        let rpc = &*route.rpc;
        let comment = self.comments.of(&rpc.descriptor.parent_file(), rpc.descriptor.path());
        let mut operation = json!({
            "operationId": rpc.descriptor.name(),
            "tags": [tag(rpc.descriptor.parent_service().name())],
            "summary": summary(&comment),
            "description": comment,
            "responses": answers(route, &mut self.schemas),
        });
        let mut parameters = self.path_parameters(route);
        parameters.extend(self.query_parameters(route));
        parameters.extend(header_parameters(route));
        if !parameters.is_empty() {
            operation["parameters"] = Value::from(parameters);
        }
        if let Some((schema, required)) = self.body(route) {
            operation["requestBody"] =
                json!({ "required": required, "content": { "application/json": { "schema": schema } } });
        }
        if rpc.rules.anonymous {
            operation["security"] = json!([]);
        }
        operation
    }

    fn path_parameters(&mut self, route: &Route) -> Vec<Value> {
        let uuids = route.rpc.rules.errors.iter().any(|reason| reason == "INVALID_ID_FORMAT");
        let parameter = |path: &Vec<String>| {
            let mut message = route.rpc.input.clone();
            let (last, parents) = path.split_last()?;
            for parent in parents {
                message = message.get_field_by_name(parent)?.kind().as_message()?.clone();
            }
            let field = message.get_field_by_name(last)?;
            let mut schema = schema::scalar(&field.kind());
            if field.kind() == Kind::String {
                schema["minLength"] = json!(1);
                if uuids {
                    schema["format"] = json!("uuid");
                }
            }
            let description = self.comments.of(&field.parent_file(), field.path());
            Some(json!({
                "name": last, "in": "path", "required": true, "description": description, "schema": schema,
            }))
        };
        route.variables.iter().filter_map(parameter).collect()
    }

    fn query_parameters(&mut self, route: &Route) -> Vec<Value> {
        let parameter = |field: prost_reflect::FieldDescriptor| {
            let mut schema = schema::scalar(&field.kind());
            if field.is_list() {
                schema = json!({ "type": "array", "items": schema });
            }
            json!({
                "name": field.name(),
                "in": "query",
                "required": json::behavior(&field).required,
                "style": "form",
                "explode": true,
                "description": self.comments.of(&field.parent_file(), field.path()),
                "schema": schema,
            })
        };
        request::parameters(route).map(parameter).collect()
    }

    /// The schema of a body, and whether there must be one.
    fn body(&mut self, route: &Route) -> Option<(Value, bool)> {
        let rpc = &*route.rpc;
        let own: Vec<&str> = route.variables.iter().filter_map(|path| path.last().map(String::as_str)).collect();
        match &route.body {
            Body::None => None,
            Body::Whole => {
                let required =
                    rpc.input.fields().any(|field| json::behavior(&field).required && !own.contains(&field.name()));
                Some((self.schemas.request(&rpc.input, &own), required))
            }
            Body::Field(name) => {
                let field = rpc.input.get_field_by_name(name)?;
                let message = field.kind().as_message()?.clone();
                let patches = rpc.input.get_field_by_name("update_mask").is_some();
                let required = !patches && message.fields().any(|field| json::behavior(&field).required);
                let schema = if patches { self.schemas.patch(&message, &own) } else { self.schemas.input(&message) };
                Some((schema, required))
            }
        }
    }
}

fn header_parameters(route: &Route) -> Vec<Value> {
    let rpc = &*route.rpc;
    let takes = |field: &str| rpc.input.get_field_by_name(field).is_some();
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let mut headers = Vec::new();
    if takes(request::REVISION) {
        headers.push(header(
            "If-Match",
            "The revision that the change is based on, as the ETag gives it; `*` for any. Refused with \
             REVISION_CONFLICT if the content changed since.",
            json!({ "type": "string", "minLength": 1, "pattern": "^(\\*|(W/)?\"[0-9]{1,18}\")$" }),
        ));
    }
    if rpc.gives_task() && route.method == http::Method::GET {
        headers.push(header(
            "If-None-Match",
            "ETags of what the client has; 304 if it still is so.",
            json!({ "type": "string" }),
        ));
    }
    if rpc.takes_key() {
        headers.push(header(
            "Idempotency-Key",
            "Makes the request safe to repeat for 24 hours; the same key with another request is \
             IDEMPOTENCY_CONFLICT.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
        ));
    }
    if rpc.streams() && takes(request::SINCE) {
        headers.push(header(
            "Last-Event-ID",
            "Resume after this event; wins over `since`.",
            json!({ "type": "integer", "format": "int64" }),
        ));
    }
    if cookie::gives(rpc) {
        headers.push(header(
            "X-Session",
            "`cookie`: the refresh token comes as an HttpOnly cookie, and is null in the body.",
            json!({ "type": "string", "enum": ["cookie"] }),
        ));
    }
    headers
}

/// What is served besides the contract.
fn own_paths() -> Map<String, Value> {
    let get = |id: &str, summary: &str, responses: Value| json!({ "get": { "operationId": id, "tags": ["System"], "summary": summary, "security": [], "responses": responses } });
    let health = |id| {
        get(
            id,
            "Says that the process lives.",
            json!({ "200": answer::plain("It does.", &json!({ "$ref": "#/components/schemas/Health" })) }),
        )
    };
    let ready = json!({ "$ref": "#/components/schemas/Readiness" });
    let mut paths = Map::new();
    paths.insert("/health".to_owned(), health("Health"));
    paths.insert("/api/health".to_owned(), health("ApiHealth"));
    paths.insert(
        "/ready".to_owned(),
        get(
            "Ready",
            "Says whether the process can serve, and how what it leans on is doing.",
            json!({
                "200": answer::plain("It can.", &ready),
                "503": answer::plain("It cannot; the checks say why.", &ready),
            }),
        ),
    );
    paths.insert(
        "/api/openapi.json".to_owned(),
        get(
            "OpenApi",
            "Gives this document.",
            json!({ "200": answer::plain("This document.", &json!({ "type": "object" })) }),
        ),
    );
    paths
}

/// A route's path with its variables named as its parameters are.
fn path(route: &Route) -> String {
    let mut path = route.template.to_string();
    for variable in &route.variables {
        if let Some(last) = variable.last() {
            path = path.replace(&format!("{{{}}}", variable.join(".")), &format!("{{{last}}}"));
        }
    }
    path
}

fn tag(service: &str) -> &str {
    service.strip_suffix("Service").unwrap_or(service)
}

/// The first clause of the first sentence.
fn summary(comment: &str) -> String {
    let first = comment.lines().next().unwrap_or_default();
    let end = [". ", " (AIP", "; ", ": "].into_iter().filter_map(|mark| first.find(mark)).min();
    first[..end.unwrap_or(first.len())].trim_end_matches('.').replace('`', "")
}
