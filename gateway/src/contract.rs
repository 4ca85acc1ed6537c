//! What the descriptors say of each public rpc.

use std::sync::Arc;

use http::{Method, StatusCode, uri::PathAndQuery};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, ServiceDescriptor, Value};
use todo_proto::v1::MethodRules;

/// One rpc of a public service.
#[derive(Debug)]
pub(crate) struct Rpc {
    pub(crate) descriptor: MethodDescriptor,
    /// Its gRPC path: `/todo.v1.TaskService/GetTask`.
    pub(crate) path: PathAndQuery,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    /// HTTP status of success.
    pub(crate) success: StatusCode,
    pub(crate) rules: MethodRules,
    /// Its REST routes, from `google.api.http`.
    pub(crate) http: Vec<Http>,
}

/// A `google.api.HttpRule`.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) method: Method,
    pub(crate) template: String,
    pub(crate) body: Body,
}

/// What a request's body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// It has none.
    None,
    /// The request message, except what the path gives.
    Whole,
    /// A field of the request message.
    Field(String),
}

impl Rpc {
    /// Whether it answers with a stream.
    pub(crate) fn streams(&self) -> bool {
        self.descriptor.is_server_streaming()
    }

    /// Whether it only reads.
    pub(crate) fn reads(&self) -> bool {
        self.http.iter().any(|http| http.method == Method::GET)
    }

    /// Whether an `idempotency-key` makes it safe to repeat.
    pub(crate) fn takes_key(&self) -> bool {
        self.can_fail_by("IDEMPOTENCY_CONFLICT")
    }

    /// Whether it creates something that may have an id of the client's.
    pub(crate) fn takes_id(&self) -> bool {
        self.can_fail_by("ID_CONFLICT")
    }

    fn can_fail_by(&self, reason: &str) -> bool {
        self.rules.errors.iter().any(|known| known == reason)
    }

    /// Whether it answers with nothing.
    pub(crate) fn empty(&self) -> bool {
        self.output.full_name() == "google.protobuf.Empty"
    }

    /// Whether it answers with a task, whose revision is its entity tag.
    pub(crate) fn gives_task(&self) -> bool {
        self.output.full_name() == "todo.v1.Task" && !self.streams()
    }

    fn new(descriptor: MethodDescriptor, service: &ServiceDescriptor) -> Self {
        let rules = rules(&descriptor);
        let output = descriptor.output();
        let success = match u16::try_from(rules.success) {
            Ok(0) if output.full_name() == "google.protobuf.Empty" => StatusCode::NO_CONTENT,
            Ok(0) | Err(_) => StatusCode::OK,
            Ok(code) => StatusCode::from_u16(code).expect("MethodRules.success is an HTTP status"),
        };
        Self {
            path: format!("/{}/{}", service.full_name(), descriptor.name())
                .parse()
                .expect("protobuf names are fit for paths"),
            input: descriptor.input(),
            output,
            success,
            http: https(&descriptor),
            rules,
            descriptor,
        }
    }
}

/// Every rpc of every public service of the contract.
pub(crate) fn rpcs(pool: &DescriptorPool) -> Vec<Arc<Rpc>> {
    let mut rpcs = Vec::new();
    for service in services(pool) {
        rpcs.extend(service.methods().map(|method| Arc::new(Rpc::new(method, &service))));
    }
    rpcs
}

/// The services that are served on the public port.
pub(crate) fn services(pool: &DescriptorPool) -> impl Iterator<Item = ServiceDescriptor> + '_ {
    pool.services().filter(|service| !is_internal(service))
}

fn is_internal(service: &ServiceDescriptor) -> bool {
    let internal = option(&service.options(), "todo.v1.internal");
    // Without the option in the pool nothing could be told apart, so nothing is public.
    internal.is_none_or(|internal| internal == Value::Bool(true))
}

fn option(options: &DynamicMessage, name: &str) -> Option<Value> {
    use prost_reflect::ReflectMessage as _;
    let extension = options.descriptor().parent_pool().get_extension_by_name(name)?;
    Some(options.get_extension(&extension).into_owned())
}

fn rules(method: &MethodDescriptor) -> MethodRules {
    match option(&method.options(), "todo.v1.rules") {
        Some(Value::Message(rules)) => rules.transcode_to().expect("generated from the same annotations.proto"),
        _ => MethodRules::default(),
    }
}

fn https(method: &MethodDescriptor) -> Vec<Http> {
    let options = method.options();
    let Some(Value::Message(rule)) = option(&options, "google.api.http") else { return Vec::new() };
    let more = match rule.get_field_by_name("additional_bindings").as_deref() {
        Some(Value::List(more)) => more.iter().filter_map(Value::as_message).filter_map(Http::new).collect(),
        _ => Vec::new(),
    };
    Http::new(&rule).into_iter().chain(more).collect()
}

impl Http {
    fn new(rule: &DynamicMessage) -> Option<Self> {
        let methods = [
            ("get", Method::GET),
            ("put", Method::PUT),
            ("post", Method::POST),
            ("delete", Method::DELETE),
            ("patch", Method::PATCH),
        ];
        let text = |name: &str| {
            let value = rule.has_field_by_name(name).then(|| rule.get_field_by_name(name))??;
            value.as_str().map(ToOwned::to_owned)
        };
        let (template, method) = methods.into_iter().find_map(|(name, method)| Some((text(name)?, method)))?;
        let body = match text("body").as_deref() {
            None | Some("") => Body::None,
            Some("*") => Body::Whole,
            Some(field) => Body::Field(field.to_owned()),
        };
        Some(Self { method, template, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_services_are_not_public() {
        let names: Vec<_> = services(todo_proto::json::pool()).map(|service| service.full_name().to_owned()).collect();
        assert!(names.contains(&"todo.v1.TaskService".to_owned()));
        assert!(!names.iter().any(|name| name.contains("DueService") || name.contains("SchedulerService")));
    }

    #[test]
    fn what_is_annotated_is_known() {
        let rpcs = rpcs(todo_proto::json::pool());
        let find = |name: &str| rpcs.iter().find(|rpc| rpc.descriptor.name() == name).unwrap();
        let create = find("CreateTask");
        assert_eq!(create.path.as_str(), "/todo.v1.TaskService/CreateTask");
        assert_eq!(create.success, StatusCode::CREATED);
        assert_eq!(create.http[0].method, Method::POST);
        assert_eq!(create.http[0].body, Body::Field("task".to_owned()));
        assert!(create.rules.announces && create.gives_task());
        assert_eq!(find("DeleteTask").success, StatusCode::NO_CONTENT);
        assert_eq!(find("SignIn").success, StatusCode::OK);
        assert!(find("SignIn").rules.anonymous);
        assert!(find("Watch").streams());
    }
}
