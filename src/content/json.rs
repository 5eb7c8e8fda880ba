//! JSON with an exact form: the bytes of a manifest are the subject here, so no serialiser decides about them.

use serde_json::{Map, Value};

use super::graph::Form;

/// Writes the object of these members in `form`. With `form.escaped`, the letters of all strings (keys too) within members of the names in
/// `escapable` are written as `\uXXXX`.
pub(super) fn write(members: &Map<String, Value>, form: &Form, escapable: &[&str]) -> Vec<u8> {
    let mut writer = Writer { out: String::new(), form, escapable };
    writer.object(members, 0, false);
    if form.newline {
        writer.out.push('\n');
    }
    writer.out.into_bytes()
}

struct Writer<'a> {
    out: String,
    form: &'a Form,
    escapable: &'a [&'a str],
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize, escape: bool) {
        match value {
            Value::Object(members) => self.object(members, depth, escape),
            Value::Array(items) => {
                self.list('[', ']', items.iter().collect(), depth, |writer, item| {
                    writer.value(item, depth + 1, escape)
                });
            }
            Value::String(text) => self.string(text, escape),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.out.push_str(&value.to_string()),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize, escape: bool) {
        let mut members: Vec<_> = members.iter().collect();
        if self.form.reversed {
            members.reverse();
        }
        self.list('{', '}', members, depth, |writer, (key, value)| {
            writer.string(key, escape);
            writer.out.push_str(if writer.form.pretty { ": " } else { ":" });
            let escape = escape || (writer.form.escaped && writer.escapable.contains(&key.as_str()));
            writer.value(value, depth + 1, escape);
        });
    }

    fn list<T>(&mut self, open: char, close: char, items: Vec<T>, depth: usize, mut each: impl FnMut(&mut Self, T)) {
        self.out.push(open);
        let empty = items.is_empty();
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            each(self, item);
        }
        if !empty {
            self.line(depth);
        }
        self.out.push(close);
    }

    /// A new line, where the form has any: indented by three spaces a level, as docker's own manifests are.
    fn line(&mut self, depth: usize) {
        if self.form.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("   ", depth));
        }
    }

    fn string(&mut self, text: &str, escape: bool) {
        if !escape {
            self.out.push_str(&quoted(text));
            return;
        }
        self.out.push('"');
        // Letters by number; all else as serde_json writes it, without its quotes.
        for part in text.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
            let letter = part.chars().next_back().filter(char::is_ascii_alphabetic);
            let plain = quoted(&part[..part.len() - usize::from(letter.is_some())]);
            self.out.push_str(plain.get(1..plain.len() - 1).unwrap_or_default());
            if let Some(letter) = letter {
                self.out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
        }
        self.out.push('"');
    }
}

/// A JSON string. A text always is one.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(form: Form) -> String {
        let value = json!({"a": 1, "list": [], "annotations": {"k\"": "B-ü\n", "n": "1.0"}, "z": [{"x": null}, true]});
        String::from_utf8(write(value.as_object().expect("an object"), &form, &["annotations"])).expect("UTF-8")
    }

    #[test]
    fn compact() {
        assert_eq!(
            text(Form::default()),
            r#"{"a":1,"list":[],"annotations":{"k\"":"B-ü\n","n":"1.0"},"z":[{"x":null},true]}"#
        );
    }

    #[test]
    fn pretty_with_a_newline() {
        let expected = concat!(
            "{\n   \"a\": 1,\n   \"list\": [],\n   \"annotations\": {\n      \"k\\\"\": \"B-ü\\n\",\n      \"n\": \"1.0\"\n   },\n",
            "   \"z\": [\n      {\n         \"x\": null\n      },\n      true\n   ]\n}\n"
        );
        assert_eq!(text(Form { pretty: true, newline: true, ..Form::default() }), expected);
    }

    #[test]
    fn reversed_at_every_level_but_not_in_arrays() {
        assert_eq!(
            text(Form { reversed: true, ..Form::default() }),
            r#"{"z":[{"x":null},true],"annotations":{"n":"1.0","k\"":"B-ü\n"},"list":[],"a":1}"#
        );
    }

    #[test]
    fn escapes_letters_where_it_may_and_nothing_else() {
        assert_eq!(
            text(Form { escaped: true, ..Form::default() }),
            r#"{"a":1,"list":[],"annotations":{"\u006b\"":"\u0042-ü\n","\u006e":"1.0"},"z":[{"x":null},true]}"#
        );
    }

    #[test]
    fn every_form_means_the_same() {
        let plain: Value = serde_json::from_str(&text(Form::default())).expect("JSON");
        for bits in 0..16 {
            let form = Form {
                pretty: bits & 1 != 0,
                newline: bits & 2 != 0,
                reversed: bits & 4 != 0,
                escaped: bits & 8 != 0,
                ..Form::default()
            };
            let again: Value = serde_json::from_str(&text(form)).expect("JSON");
            assert_eq!(again, plain);
        }
    }
}
