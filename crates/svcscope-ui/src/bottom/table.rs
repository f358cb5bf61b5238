//! The one look of all tables down here. A frame costs the rows in view.

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column, TableBuilder, TableRow};

use crate::context::PanelContext;

const ROW: f32 = 24.0;

/// A column.
pub enum TableColumn {
    /// Its heading and its share of the width that is left.
    Share(&'static str, f32),
    /// Its heading and its width in points: what stands in it must not be cut.
    Fixed(&'static str, f32),
}

impl TableColumn {
    fn title(&self) -> &'static str {
        match self {
            Self::Share(title, _) | Self::Fixed(title, _) => title,
        }
    }
}

/// Draws a table of `rows` rows; `draw` fills a row's columns in their order.
pub fn table_ui(
    ui: &mut Ui,
    ctx: &PanelContext<'_>,
    name: &str,
    columns: &[TableColumn],
    rows: usize,
    mut draw: impl FnMut(&mut TableRow<'_, '_>),
) {
    let gaps = ui.spacing().item_spacing.x * columns.len() as f32;
    let room = (ui.available_width() - gaps - 12.0).max(0.0);
    let (mut shares, mut fixed) = (0.0, 0.0);
    for column in columns {
        match column {
            TableColumn::Share(_, share) => shares += share,
            TableColumn::Fixed(_, width) => fixed += width,
        }
    }
    let room = (room - fixed).max(0.0);
    let mut table = TableBuilder::new(ui)
        .id_salt(name)
        .auto_shrink(false)
        // Else a table asks for 200 points, and the map jumps when the panel grows for it.
        .min_scrolled_height(0.0)
        .cell_layout(Layout::left_to_right(Align::Center));
    for column in columns {
        let width = match column {
            TableColumn::Share(_, share) => room * share / shares,
            TableColumn::Fixed(_, width) => *width,
        };
        table = table.column(Column::exact(width).clip(true));
    }
    table
        .header(20.0, |mut header| {
            for column in columns {
                header.col(|ui| {
                    ui.label(RichText::new(column.title()).small().color(ctx.tokens.dim));
                });
            }
        })
        .body(|body| {
            body.rows(ROW, rows, |mut row| draw(&mut row));
        });
}
