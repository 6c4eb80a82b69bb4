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
        collect(document.as_item(), &text, &mut values);
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

fn collect(item: &Item, file: &str, values: &mut Vec<String>) {
    match item {
        Item::None => {}
        Item::Value(value) => collect_value(value, file, values),
        Item::Table(table) => table
            .iter()
            .for_each(|(_, item)| collect(item, file, values)),
        Item::ArrayOfTables(tables) => {
            let items = tables.iter().flat_map(|table| table.iter());
            items.for_each(|(_, item)| collect(item, file, values));
        }
    }
}

fn collect_value(value: &Value, file: &str, values: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // As it stands in the file, with its escapes, and as it is. A message has one
            // line.
            let quoted = text.span().and_then(|span| file.get(span));
            let quoted = quoted.map(|quoted| quoted.trim_matches(['"', '\'']));
            let lines = text
                .value()
                .lines()
                .chain(quoted.unwrap_or_default().lines());
            values.extend(lines.map(str::to_owned));
        }
        Value::Array(array) => array
            .iter()
            .for_each(|value| collect_value(value, file, values)),
        Value::InlineTable(table) => {
            table
                .iter()
                .for_each(|(_, value)| collect_value(value, file, values));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_left_out_as_it_is_and_as_the_file_has_it() {
        let file = br#"a = "pass\"word""#;
        for message in [r#"cannot use pass"word"#, r#"cannot use "pass\"word""#] {
            let told = without_values(message, [&file[..]].into_iter());
            assert!(!told.contains("word"), "{told}");
            assert!(told.contains("cannot use"), "{told}");
        }
    }
}
