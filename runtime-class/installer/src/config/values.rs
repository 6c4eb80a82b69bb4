//! Keeps the values of a configuration out of messages, since one may be a password.

use toml_edit::{Item, Value};

use super::parse;

/// The message of containerd about a configuration, without any text that is a value of
/// `files`. For a file that is not TOML, it is the reason that the installer's own parser
/// gives, which quotes nothing.
#[must_use]
pub fn without_values<'f>(message: &str, files: impl Iterator<Item = &'f [u8]>) -> String {
    let mut message = without_converted(message);
    for file in files {
        let text = String::from_utf8_lossy(file);
        let document = match parse(&text) {
            Ok(document) => document,
            Err(error) => return format!("{error:#}"),
        };
        let mut values = Vec::new();
        collect(document.as_item(), &mut values);
        // A value may contain another one.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in values.iter().filter(|value| !value.is_empty()) {
            message = message.replace(value, "[a value]");
        }
    }
    message
}

/// The message of containerd 1.x about a value of a wrong type, which may be a number:
/// `(3, 1): Can't convert 123(int64) to string`.
fn without_converted(message: &str) -> String {
    const BEFORE: &str = "Can't convert ";
    match message.split_once(BEFORE) {
        Some((start, rest)) => {
            let end = rest.rfind('(').and_then(|at| rest.get(at..));
            format!("{start}{BEFORE}[a value]{}", end.unwrap_or_default())
        }
        None => message.to_owned(),
    }
}

fn collect(item: &Item, values: &mut Vec<String>) {
    match item {
        Item::None => {}
        Item::Value(value) => collect_value(value, values),
        Item::Table(table) => table.iter().for_each(|(_, item)| collect(item, values)),
        Item::ArrayOfTables(tables) => {
            let items = tables.iter().flat_map(|table| table.iter());
            items.for_each(|(_, item)| collect(item, values));
        }
    }
}

fn collect_value(value: &Value, values: &mut Vec<String>) {
    match value {
        // A message has one line.
        Value::String(text) => values.extend(text.value().lines().map(str::to_owned)),
        Value::Array(array) => array.iter().for_each(|value| collect_value(value, values)),
        Value::InlineTable(table) => {
            table
                .iter()
                .for_each(|(_, value)| collect_value(value, values));
        }
        _ => {}
    }
}
