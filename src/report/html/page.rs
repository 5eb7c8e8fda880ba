//! A tiny writer: text goes in as text and comes out escaped; only tags and attribute names are literals of ours.

use crate::report::clean;

/// A page, or a part of one.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// The text so far.
    pub fn finish(self) -> String {
        self.0
    }

    /// Markup of ours. `&'static str`: what a registry or an author wrote cannot get in.
    pub fn raw(&mut self, markup: &'static str) -> &mut Page {
        self.0.push_str(markup);
        self
    }

    /// Text.
    pub fn text(&mut self, text: &str) -> &mut Page {
        self.0.push_str(&clean::html(text));
        self
    }

    /// `<tag attribute="value">`, values escaped.
    pub fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) -> &mut Page {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push_str(&format!(" {name}=\"{}\"", clean::html(value)));
        }
        self.0.push('>');
        self
    }

    /// `</tag>` and a line's end.
    pub fn close(&mut self, tag: &'static str) -> &mut Page {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push_str(">\n");
        self
    }

    /// An element with text.
    pub fn element(&mut self, tag: &'static str, attributes: &[(&'static str, &str)], text: &str) -> &mut Page {
        self.open(tag, attributes).text(text).close(tag)
    }

    /// A term and its text within a list of definitions.
    pub fn fact(&mut self, term: &str, text: &str) -> &mut Page {
        self.element("dt", &[], term).element("dd", &[], text)
    }

    /// A table's head.
    pub fn head(&mut self, caption: &str, columns: &[&str]) -> &mut Page {
        self.element("caption", &[], caption).open("thead", &[]).open("tr", &[]);
        for column in columns {
            self.element("th", &[("scope", "col")], column);
        }
        self.close("tr").close("thead")
    }
}
