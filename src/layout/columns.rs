//! How the families of one namespace are divided into columns.

use super::size;

/// The families of a namespace in columns.
pub(super) struct Columns {
    /// For each family its column and its place from the top of the column.
    pub places: Vec<(usize, f32)>,
    /// How many columns.
    pub count: usize,
    /// The height of the tallest.
    pub height: f32,
}

/// Fills columns from the top in the given order, so that all are about as tall.
///
/// `before` is how many there were: it stays while it is not clearly wrong, so that one more
/// Service does not rearrange the whole namespace.
pub(super) fn wrap(heights: &[f32], aspect: f32, before: Option<usize>) -> Columns {
    let total: f32 = heights.iter().map(|height| height + size::ROW_GAP).sum();
    let wanted = (aspect * total / size::ROW_WIDTH).sqrt();
    let count = before
        .filter(|&before| (wanted - before as f32).abs() <= 0.8)
        .unwrap_or_else(|| wanted.round() as usize)
        .clamp(1, heights.len().max(1));
    let share = total / count as f32;
    let mut places = Vec::with_capacity(heights.len());
    let (mut column, mut y, mut tallest) = (0, 0.0_f32, 0.0_f32);
    for height in heights {
        if y > 0.0 && y + height / 2.0 > share && column + 1 < count {
            column += 1;
            y = 0.0;
        }
        places.push((column, y));
        tallest = tallest.max(y + height);
        y += height + size::ROW_GAP;
    }
    Columns {
        places,
        count: column + 1,
        height: tallest,
    }
}
