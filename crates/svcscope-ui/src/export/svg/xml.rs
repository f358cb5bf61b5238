//! Elements of a well-formed document, whatever the names in it are.

use egui::Color32;

use super::path::push_number;
use svcscope_model::inventory::plain::is_control_char;

/// An element that is being written: attributes, then an end.
pub(super) struct XmlElement<'a> {
    out: &'a mut String,
    name: &'static str,
}

impl<'a> XmlElement<'a> {
    /// Starts `<name`.
    pub fn new(out: &'a mut String, name: &'static str) -> Self {
        out.push('<');
        out.push_str(name);
        Self { out, name }
    }

    /// An attribute with a text.
    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_escaped(self.out, value, true);
        self.out.push('"');
        self
    }

    /// An attribute with a number.
    pub fn number(self, name: &str, value: f32) -> Self {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_number(self.out, value);
        self.out.push('"');
        self
    }

    /// Like [`Self::number`], left out where it is what a reader assumes.
    pub fn number_unless(self, name: &str, value: f32, assumed: f32) -> Self {
        if value == assumed {
            self
        } else {
            self.number(name, value)
        }
    }

    /// A paint and how much of it shows: `fill` or `stroke`.
    pub fn paint(self, name: &'static str, color: Color32) -> Self {
        let [red, green, blue, alpha] = color.to_srgba_unmultiplied();
        if alpha == 0 {
            return self.attribute(name, "none");
        }
        let with_color = self.attribute(name, &format!("#{red:02x}{green:02x}{blue:02x}"));
        let opacity = match name {
            "fill" => "fill-opacity",
            _ => "stroke-opacity",
        };
        with_color.number_unless(opacity, f32::from(alpha) / 255.0, 1.0)
    }

    /// Ends an element that holds nothing.
    pub fn end(self) {
        self.out.push_str("/>\n");
    }

    /// Ends an element that holds a text.
    pub fn end_with(self, text: &str) {
        self.out.push('>');
        push_escaped(self.out, text, false);
        self.out.push_str("</");
        self.out.push_str(self.name);
        self.out.push_str(">\n");
    }

    /// Ends the start of an element that holds others.
    pub fn open(self) {
        self.out.push_str(">\n");
    }
}

/// Appends a text so that it is read back as it is; what XML can't hold, and what commands
/// a terminal, becomes U+FFFD.
fn push_escaped(out: &mut String, text: &str, in_attribute: bool) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' | '\n' if !in_attribute => out.push(letter),
            // A reader would turn them into something else.
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(letter))),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter if is_control_char(letter) => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
}
