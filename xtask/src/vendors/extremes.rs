//! Answers that a vendor may give as well, by its own schema: without what is optional, with null where that is allowed, with
//! words that an enumeration does not have yet, with other offsets and the largest numbers, with no entry and with many.

use serde_json::{Value, json};

/// How deep fields are looked at.
const DEEPEST: usize = 4;

/// A place in an answer: names of fields, and 0 for the first entry of a list.
type Place = Vec<String>;

/// The variants of `answer`, each with what is different.
pub fn of(schema: &Value, answer: &Value) -> Vec<(String, Value)> {
    let mut variants = Vec::new();
    visit(schema, schema, answer, &mut Vec::new(), &mut |place, what, value| {
        let mut variant = answer.clone();
        change(&mut variant, place, value);
        variants.push((format!("{what} {}", place.join(".")), variant));
    });
    variants
}

/// Names of the fields of an answer's entries, or of its own.
pub fn fields(answer: &Value) -> Vec<String> {
    entry(answer).as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn entry(answer: &Value) -> &Value {
    let inner = answer.get("result").filter(|_| answer.get("success").is_some()).unwrap_or(answer);
    inner.as_array().map_or(inner, |all| all.first().unwrap_or(inner))
}

/// The answer with one field less in each entry.
pub fn without(answer: &Value, field: &str) -> Value {
    let mut less = answer.clone();
    let inner = if less.get("success").is_some() { &mut less["result"] } else { &mut less };
    match inner {
        Value::Array(all) => all.iter_mut().filter_map(Value::as_object_mut).for_each(|it| drop(it.remove(field))),
        Value::Object(own) => drop(own.remove(field)),
        _ => {}
    }
    less
}

/// Sets a place to a value; none removes it.
fn change(answer: &mut Value, place: &[String], value: Option<Value>) {
    let Some((last, before)) = place.split_last() else {
        *answer = value.unwrap_or_default();
        return;
    };
    let mut at = answer;
    for name in before {
        let Some(next) = (match at {
            Value::Array(all) => all.first_mut(),
            Value::Object(own) => own.get_mut(name),
            _ => None,
        }) else {
            return;
        };
        at = next;
    }
    match (at, value) {
        (Value::Object(own), Some(value)) => drop(own.insert(last.clone(), value)),
        (Value::Object(own), None) => drop(own.remove(last)),
        (Value::Array(all), Some(value)) if !all.is_empty() => all[0] = value,
        _ => {}
    }
}

/// What a schema's reference leads to.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    root.pointer(&reference[1..].replace("%3C", "<").replace("%3E", ">")).map_or(schema, |to| resolved(root, to))
}

/// The alternatives of a schema.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let schema = resolved(root, schema);
    let all = ["anyOf", "oneOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    let all: Vec<_> = all.flat_map(|it| alternatives(root, it)).collect();
    if all.is_empty() { vec![schema] } else { all }
}

type Found<'f> = &'f mut dyn FnMut(&Place, &str, Option<Value>);

fn visit(root: &Value, schema: &Value, value: &Value, place: &mut Place, found: Found<'_>) {
    let all = alternatives(root, schema);
    for schema in &all {
        match value {
            Value::Object(own) => visit_object(root, schema, own, place, found),
            Value::Array(entries) => {
                if !place.is_empty() || root["type"] == "array" {
                    found(place, "no entry in", Some(json!([])));
                    let many: Vec<_> = entries.iter().cycle().take(entries.len() * 40).cloned().collect();
                    found(place, "many entries in", Some(many.into()));
                }
                if let Some(first) = entries.first().filter(|_| place.len() < DEEPEST) {
                    place.push("0".to_owned());
                    visit(root, &schema["items"], first, place, found);
                    place.pop();
                }
            }
            _ => visit_leaf(schema, value, place, found),
        }
    }
}

fn visit_object(
    root: &Value,
    schema: &Value,
    own: &serde_json::Map<String, Value>,
    place: &mut Place,
    found: Found<'_>,
) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        place.push(name.clone());
        let is_null =
            |it: &&Value| it["type"] == "null" || it["type"].as_array().is_some_and(|all| all.contains(&json!("null")));
        if !required.contains(&name.as_str()) && own.contains_key(name) {
            found(place, "without", None);
        }
        if alternatives(root, field).iter().any(is_null) {
            found(place, "null in", Some(Value::Null));
        }
        if let Some(value) = own.get(name).filter(|_| place.len() < DEEPEST) {
            visit(root, field, value, place, found);
        }
        place.pop();
    }
}

fn visit_leaf(schema: &Value, value: &Value, place: &Place, found: Found<'_>) {
    if schema["enum"].as_array().is_some_and(|all| all.iter().any(Value::is_string)) {
        found(place, "a new word in", Some(json!("OF_NEXT_YEAR")));
    }
    match value {
        Value::String(text) if text.contains('T') && text.ends_with('Z') => {
            found(place, "an offset in", Some(json!(text.replace('Z', "+02:00"))));
        }
        Value::Number(_) if schema["type"] == "integer" || schema["type"] == "number" => {
            // What a JavaScript client can still count to.
            found(place, "the largest number in", Some(json!(9_007_199_254_740_991_i64)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_liberty_of_a_schema_is_taken() {
        let schema = json!({
            "type": "array", "items": {"$ref": "#/components/one"},
            "components": {"one": {
                "type": "object", "required": ["id"],
                "properties": {"id": {"type": "integer"}, "state": {"anyOf": [{"enum": ["A"]}, {"type": "null"}]}, "at": {"type": "string"}},
            }},
        });
        let answer = json!([{"id": 1, "state": "A", "at": "2026-01-01T00:00:00Z"}]);
        let all = of(&schema, &answer);
        let what: Vec<_> = all.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(
            what,
            [
                "no entry in ",
                "many entries in ",
                "the largest number in 0.id",
                "without 0.state",
                "null in 0.state",
                "a new word in 0.state",
                "without 0.at",
                "an offset in 0.at",
            ]
        );
        assert_eq!(all[3].1, json!([{"id": 1, "at": "2026-01-01T00:00:00Z"}]));
        assert_eq!(all[7].1[0]["at"], "2026-01-01T00:00:00+02:00");
    }
}
