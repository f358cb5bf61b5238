//! Fields to type in.

use egui::{Margin, Response, TextEdit, WidgetInfo, WidgetType};

/// A line to type in, as all of them look.
pub fn text_field(text: &mut String) -> TextEdit<'_> {
    TextEdit::singleline(text).margin(Margin::symmetric(8, 5))
}

/// Says what a field is called to those who listen, and what stands in it.
pub fn named_field(response: &Response, name: &str, text: &str) {
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::TextEdit, true, name);
        info.current_text_value = Some(text.to_owned());
        info
    });
}
