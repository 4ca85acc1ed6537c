//! The table of tools: true to the contract, plain enough for strict clients, and as docs/mcp.md says.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value as Field};
use serde_json::{Value, json};
use todo_assistant::{Code, Failure, TABLE, Tool, call::result};

/// What the contract's own rules say of a rpc: whether it announces changes.
fn announces(tool: &Tool) -> bool {
    let options: DynamicMessage = tool.method().options();
    let rules = options.descriptor().parent_pool().get_extension_by_name("todo.v1.rules").unwrap();
    match options.get_extension(&rules).as_ref() {
        Field::Message(rules) => rules.get_field_by_name("announces").unwrap().as_bool().unwrap(),
        _ => false,
    }
}

#[test]
fn names_are_those_of_the_contract() {
    let names: BTreeSet<_> = TABLE.iter().map(|tool| tool.name).collect();
    let contract = [
        "add_task",
        "list_tasks",
        "get_task",
        "update_task",
        "complete_task",
        "reopen_task",
        "delete_task",
        "list_tags",
        "undo_change",
        "batch_change",
        "preview_occurrences",
    ];
    assert_eq!(names, BTreeSet::from(contract));
    for tool in TABLE {
        assert_eq!(Tool::named(tool.name).unwrap().name, tool.name);
        assert!(!tool.title.is_empty() && !tool.description.is_empty(), "{}", tool.name);
    }
}

#[test]
fn annotations_agree_with_the_rpcs() {
    for tool in TABLE {
        assert_eq!(tool.read_only, !announces(&tool), "{}", tool.name);
        assert!(!tool.destructive || !tool.read_only, "{}", tool.name);
    }
}

#[test]
fn schemas_are_valid_and_plain() {
    for tool in TABLE {
        let (input, output) = (tool.input_schema(), tool.output_schema());
        for schema in [&input, &output] {
            jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{}: {error}", tool.name));
            assert_eq!(schema["type"], "object", "{}", tool.name);
        }
        plain(&input, true, tool.name);
        plain(&output, false, tool.name);
        assert!(!input.to_string().contains("user_id"), "{} takes a user id", tool.name);
    }
}

/// Only what every client knows.
fn plain(schema: &Value, closed: bool, at: &str) {
    let known = ["type", "description", "properties", "required", "additionalProperties", "items", "enum"];
    for keyword in schema.as_object().unwrap().keys() {
        assert!(known.contains(&keyword.as_str()), "{at}: {keyword}");
    }
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema.get("additionalProperties"), closed.then_some(&json!(false)), "{at}");
        let required = schema["required"].as_array().unwrap();
        assert!(required.iter().all(|name| properties.contains_key(name.as_str().unwrap())), "{at}");
        for (name, property) in properties {
            plain(property, closed, &format!("{at}.{name}"));
        }
    }
    if let Some(items) = schema.get("items") {
        plain(items, closed, &format!("{at}[]"));
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        let nullable = schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
        assert!(value.is_string() || value.is_null() && nullable, "{at}: {value}");
    }
}

#[test]
fn every_field_and_filter_can_be_said() {
    let fields = |name: &str| -> BTreeSet<String> {
        let schema = Tool::named(name).unwrap().input_schema();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    let task = [
        "id",
        "title",
        "description",
        "status",
        "priority",
        "tags",
        "due_date",
        "due_all_day",
        "reminders",
        "recurrence",
    ];
    assert_eq!(fields("add_task"), set(&task));
    assert_eq!(fields("update_task"), set(&task));
    assert_eq!(
        fields("list_tasks"),
        set(&[
            "status",
            "priority",
            "tag",
            "search",
            "due_before",
            "due_after",
            "sort_by",
            "sort_order",
            "limit",
            "offset",
            "page_token",
        ])
    );
    assert_eq!(fields("batch_change"), set(&["ids", "action", "task", "confirm_token"]));
    assert_eq!(fields("preview_occurrences"), set(&["recurrence", "due_date", "limit"]));
    for tool in ["get_task", "complete_task", "reopen_task", "delete_task"] {
        assert_eq!(fields(tool), set(&["id"]), "{tool}");
    }
    let update = Tool::named("update_task").unwrap().input_schema();
    assert_eq!(update["properties"]["status"]["enum"], json!(["pending", "in_progress", null]));
    assert_eq!(update["required"], json!(["id"]));
    let add = Tool::named("add_task").unwrap().input_schema();
    assert_eq!(add["properties"]["status"]["enum"], json!(["pending"]));
    assert_eq!(Tool::named("add_task").unwrap().input_schema()["required"], json!(["title"]));
}

#[test]
fn an_error_is_a_result_of_the_schema() {
    for tool in TABLE {
        let schema = jsonschema::validator_for(&tool.output_schema()).unwrap();
        for code in Code::ALL {
            assert!(schema.is_valid(&result(&Err(Failure { code, message: "x".to_owned(), reason: None }))));
        }
        assert!(!schema.is_valid(&json!({ "success": false })));
    }
}

#[test]
fn the_page_has_the_table() {
    let row = |tool: &Tool| {
        let effect = match (tool.read_only, tool.destructive, tool.idempotent) {
            (true, ..) => "reads",
            (_, true, true) => "destructive, idempotent",
            (_, true, false) => "destructive",
            (_, _, true) => "idempotent",
            _ => "",
        };
        format!("| `{}` | {effect} | {:?} | {} |", tool.name, tool.rpc, tool.description)
    };
    let table = TABLE.iter().map(row).collect::<Vec<_>>().join("\n");
    let page = include_str!("../../../docs/mcp.md");
    assert!(page.contains(&table), "docs/mcp.md should say:\n{table}");
}
