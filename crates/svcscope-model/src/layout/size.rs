//! The sizes of everything on the map, in map units on a grid of 4.

/// Height of a row of pods, and of the text that stands where no pod is.
pub(super) const POD_HEIGHT: f32 = 28.0;
/// Width of a pod, a group or the far end of an ExternalName.
pub(super) const POD_WIDTH: f32 = 272.0;
/// Between two pods of a column.
pub(super) const POD_GAP: f32 = 4.0;
/// Height of a group with up to two rows of [`GROUP_DOTS`] dots.
pub(super) const GROUP_HEIGHT: f32 = 44.0;
/// Dots in a row of a group.
pub(super) const GROUP_DOTS: usize = 12;
/// Height of each further row of dots in a group.
pub(super) const GROUP_ROW: f32 = 12.0;
/// More rows of dots than this are not given room: the words say how many.
pub(super) const GROUP_ROWS: usize = 6;

/// Width of a Service card.
pub(super) const CARD_WIDTH: f32 = 240.0;
/// Height of a card's name, type, address and state.
pub(super) const CARD_HEADER: f32 = 44.0;
/// Height of a port's row in a card.
pub(super) const PORT_HEIGHT: f32 = 22.0;
/// Below the last row of a card.
pub(super) const CARD_FOOT: f32 = 4.0;

/// Width of a way in.
pub(super) const ENTRY_POINT_WIDTH: f32 = 152.0;
/// Height of a way in.
pub(super) const ENTRY_POINT_HEIGHT: f32 = 36.0;
/// Between two ways in.
pub(super) const ENTRY_POINT_GAP: f32 = 8.0;

/// From the ways in to the card.
pub(super) const ENTRY_POINT_TO_CARD: f32 = 64.0;
/// From the card to the pods: room for the words on an edge.
pub(super) const CARD_TO_POD: f32 = 208.0;
/// Between two Services: room for a line of what is wrong.
pub(super) const ROW_GAP: f32 = 20.0;

/// Height of a Service with one port: the room that is kept for the next one.
pub(super) const SERVICE_ROOM: f32 = 72.0;

/// Width of a Service with all that belongs to it.
pub(super) const ROW_WIDTH: f32 =
    ENTRY_POINT_WIDTH + ENTRY_POINT_TO_CARD + CARD_WIDTH + CARD_TO_POD + POD_WIDTH;

/// Around what a district holds.
pub(super) const SERVICE_GROUP_PADDING: f32 = 20.0;
/// Height of a district's name.
pub(super) const SERVICE_GROUP_HEADER: f32 = 36.0;
/// Between two districts.
pub(super) const SERVICE_GROUP_GAP: f32 = 16.0;
/// Width of a district with one column of Services.
pub(super) const SERVICE_GROUP_WIDTH: f32 = ROW_WIDTH + 2.0 * SERVICE_GROUP_PADDING;

/// From one column of Services to the next, and from one district to the next.
pub(super) const PITCH: f32 = SERVICE_GROUP_WIDTH + SERVICE_GROUP_GAP;

/// From one column of pods to the next in a family of very many.
pub(super) const BACKEND_PITCH: f32 = POD_WIDTH + 40.0;
/// From one column of cards to the next in a family of very many, entry points included.
pub(super) const CARD_PITCH: f32 = ENTRY_POINT_WIDTH + ENTRY_POINT_TO_CARD + CARD_WIDTH + 64.0;
/// Cards or pods that would stand taller than this are divided into columns.
pub(super) const MAX_COLUMN_HEIGHT: f32 = 1440.0;

/// The width of so many districts of one column with the gaps between them.
pub(super) fn width_of(units: usize) -> f32 {
    (units as f32 * PITCH - SERVICE_GROUP_GAP).max(0.0)
}

/// How many columns of the map something so wide takes.
pub(super) fn units(width: f32) -> usize {
    ((width + SERVICE_GROUP_GAP) / PITCH).ceil().max(1.0) as usize
}

/// How many columns of its district a family takes.
pub(super) fn columns(family_width: f32) -> usize {
    units(family_width + 2.0 * SERVICE_GROUP_PADDING)
}

/// Rounds up to the grid.
pub(super) fn on_grid(length: f32) -> f32 {
    (length / 4.0).ceil() * 4.0
}
