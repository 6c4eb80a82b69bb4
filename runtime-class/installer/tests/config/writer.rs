//! Writes a tree of settings as TOML, in every notation that TOML has for a table.

use serde_json::{Map, Value};

/// Writes a tree. Wherever TOML allows a choice, the tape decides.
pub struct Writer {
    tape: Vec<u8>,
    at: usize,
    newline: &'static str,
}

impl Writer {
    pub fn new(tape: Vec<u8>) -> Self {
        let newline = if tape[0] < 80 { "\r\n" } else { "\n" };
        Self {
            tape,
            at: 0,
            newline,
        }
    }

    fn choose(&mut self, among: u8) -> u8 {
        self.at = (self.at + 1) % self.tape.len();
        self.tape[self.at] % among
    }

    pub fn write(mut self, version: Option<u8>, tree: &Map<String, Value>) -> String {
        let mut root = String::new();
        let mut headers = Vec::new();
        if let Some(version) = version {
            root += &self.line(&format!("version = {version}"));
        }
        self.table(&mut root, &mut headers, &[], &[], tree);
        let turn = usize::from(self.choose(8)) % headers.len().max(1);
        headers.rotate_left(turn);
        let mut text = root + &headers.concat();
        match self.choose(4) {
            // The last line may have no ending, or be blank.
            0 => text.truncate(text.trim_end_matches(['\r', '\n']).len()),
            1 => text += self.newline,
            _ => {}
        }
        if self.choose(16) == 0 {
            text.insert(0, '\u{feff}');
        }
        text
    }

    /// Writes the keys of the table whose header is `header`, below which the
    /// keys begin with `prefix`; tables with a header of their own go to `headers`.
    fn table(
        &mut self,
        lines: &mut String,
        headers: &mut Vec<String>,
        header: &[&str],
        prefix: &[&str],
        table: &Map<String, Value>,
    ) {
        for (key, value) in table {
            let prefixed = [prefix, &[key.as_str()]].concat();
            let choice = if prefix.is_empty() { self.choose(6) } else { 1 };
            match value {
                Value::Object(inner) if choice == 0 => {
                    let inline = self.inline(inner);
                    *lines += &self.key_value(&prefixed, &inline);
                }
                Value::Object(inner) if choice == 1 => {
                    self.table(lines, headers, header, &prefixed, inner);
                }
                Value::Object(inner) => {
                    let path = [header, &prefixed].concat();
                    let mut own = String::new();
                    self.table(&mut own, headers, &path, &[], inner);
                    // A table that has only tables needs no header.
                    if !own.is_empty() || self.choose(2) == 0 {
                        let name = self.dotted(&path);
                        let space = ["", " "][usize::from(self.choose(2))];
                        let line = self.line(&format!("[{space}{name}{space}]"));
                        headers.push(line + &own);
                    }
                }
                scalar => *lines += &self.key_value(&prefixed, &scalar.to_string()),
            }
        }
    }

    fn inline(&mut self, table: &Map<String, Value>) -> String {
        let space = ["", " "][usize::from(self.choose(2))];
        let entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let mut path = vec![key.as_str()];
                let mut value = value;
                // A single entry may be written with a dotted key.
                while let Value::Object(inner) = value {
                    if inner.len() != 1 || self.choose(2) == 0 {
                        break;
                    }
                    let (key, only) = inner.iter().next().unwrap();
                    path.push(key);
                    value = only;
                }
                let value = match value {
                    Value::Object(inner) => self.inline(inner),
                    scalar => scalar.to_string(),
                };
                format!("{} = {value}", self.dotted(&path))
            })
            .collect();
        format!("{{{space}{}{space}}}", entries.join(&format!(",{space}")))
    }

    fn key_value(&mut self, path: &[&str], value: &str) -> String {
        let sign = [" = ", "=", "\t=  "][usize::from(self.choose(3))];
        let indent = ["", "  ", "\t"][usize::from(self.choose(3))];
        let key = self.dotted(path);
        self.line(&format!("{indent}{key}{sign}{value}"))
    }

    fn dotted(&mut self, path: &[&str]) -> String {
        let dot = [".", ".", " . "][usize::from(self.choose(3))];
        let keys: Vec<_> = path
            .iter()
            .map(|key| match self.choose(3) {
                0 => format!("'{key}'"),
                1 => format!("\"{key}\""),
                _ if key.contains('.') => format!("\"{key}\""),
                _ => (*key).to_owned(),
            })
            .collect();
        keys.join(dot)
    }

    /// A line, with comments and spaces around it.
    fn line(&mut self, content: &str) -> String {
        let newline = self.newline;
        match self.choose(8) {
            0 => format!("# [plugins] of the node{newline}{content}{newline}"),
            1 => format!("{content}  # spin = {{}}{newline}"),
            2 => format!("{newline}{content}\t{newline}"),
            _ => format!("{content}{newline}"),
        }
    }
}
