//! How districts are packed to about the shape of the window.

use std::cmp::Reverse;

use super::size::{DISTRICT_GAP, DISTRICT_WIDTH};

/// How much smaller all may be drawn before the map gets another number of units.
const KEEP: f32 = 1.25;

/// What is packed: how many units of [`DISTRICT_WIDTH`] it is wide, and its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parcel {
    /// Width in units.
    pub span: usize,
    /// Height in map units.
    pub height: f32,
}

impl Parcel {
    /// Width, and height in steps of double, so that a Service more or less rarely changes the order.
    fn rank(&self) -> (usize, i32) {
        (self.span, self.height.max(1.0).log2() as i32)
    }
}

/// Where parcels stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Packed {
    /// For each parcel its unit from the left and its distance from the top.
    pub places: Vec<(usize, f32)>,
    /// Units in use.
    pub units: usize,
    /// The height of all.
    pub height: f32,
}

/// The width of so many units with the gaps between them.
pub(super) fn width(units: usize) -> f32 {
    units as f32 * (DISTRICT_WIDTH + DISTRICT_GAP) - DISTRICT_GAP
}

/// Packs parcels, the wide and the clearly taller ones first, each as high up as it fits.
///
/// `before` is how many units wide the map was: it stays while the shape is not clearly wrong.
pub(super) fn pack(parcels: &[Parcel], aspect: f32, before: Option<usize>) -> Packed {
    let Some(widest) = parcels.iter().map(|parcel| parcel.span).max() else {
        return Packed::default();
    };
    let area: f32 = parcels
        .iter()
        .map(|parcel| (width(parcel.span) + DISTRICT_GAP) * (parcel.height + DISTRICT_GAP))
        .sum();
    let guess = ((area * aspect).sqrt() / (DISTRICT_WIDTH + DISTRICT_GAP)).round() as usize;
    let candidates = guess.saturating_sub(1).max(widest)..=(guess + 2).max(widest);
    // The smaller the window of the wanted shape that holds all, the larger all is drawn in it.
    let need = |packed: &Packed| (width(packed.units) / aspect).max(packed.height);
    let best = candidates
        .map(|units| stack(parcels, units))
        .min_by(|a, b| need(a).total_cmp(&need(b)))
        .unwrap_or_default();
    before
        .filter(|&before| before >= widest && before != best.units)
        .map(|before| stack(parcels, before))
        .filter(|kept| need(kept) <= need(&best) * KEEP)
        .unwrap_or(best)
}

fn stack(parcels: &[Parcel], units: usize) -> Packed {
    let mut order: Vec<usize> = (0..parcels.len()).collect();
    order.sort_by_key(|&at| Reverse(parcels.get(at).map(Parcel::rank)));
    let mut filled = vec![0.0_f32; units];
    let mut packed = Packed {
        places: vec![(0, 0.0); parcels.len()],
        units: 0,
        height: 0.0,
    };
    for at in order {
        let Some(parcel) = parcels.get(at) else {
            continue;
        };
        let (unit, y) = highest_place(&filled, parcel.span);
        if let Some(place) = packed.places.get_mut(at) {
            *place = (unit, y);
        }
        for level in filled.iter_mut().skip(unit).take(parcel.span) {
            *level = y + parcel.height + DISTRICT_GAP;
        }
        packed.units = packed.units.max(unit + parcel.span);
        packed.height = packed.height.max(y + parcel.height);
    }
    packed
}

fn highest_place(filled: &[f32], span: usize) -> (usize, f32) {
    filled
        .windows(span.max(1))
        .map(|levels| levels.iter().copied().fold(0.0, f32::max))
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(span: usize, height: f32) -> Parcel {
        Parcel { span, height }
    }

    #[test]
    fn a_small_map_is_one_column_where_that_draws_it_larger() {
        let parcels = [parcel(1, 214.0), parcel(1, 127.0), parcel(1, 624.0)];
        let packed = pack(&parcels, 1.6, None);
        assert_eq!(packed.units, 1);
        let wide = pack(&parcels, 4.0, None);
        assert_eq!(wide.units, 2);
        assert_eq!(wide.height, 624.0, "the tall one stands alone");
    }

    #[test]
    fn a_map_keeps_its_width_while_it_does_not_matter_much() {
        let mut parcels = vec![parcel(1, 600.0); 12];
        let before = pack(&parcels, 1.6, None);
        parcels.push(parcel(1, 600.0));
        assert_eq!(pack(&parcels, 1.6, Some(before.units)).units, before.units);
        parcels.extend(vec![parcel(1, 600.0); 40]);
        assert_ne!(pack(&parcels, 1.6, Some(before.units)).units, before.units);
    }
}
