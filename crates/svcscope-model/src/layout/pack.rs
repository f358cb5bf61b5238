//! How districts are packed to about the shape of the window.

use std::cmp::Reverse;

use super::size::{PITCH, SERVICE_GROUP_GAP, width_of};

/// What is packed: how many columns of the map it is wide, and its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BlockSize {
    /// Width in units.
    pub span: usize,
    /// Height in map units.
    pub height: f32,
}

impl BlockSize {
    /// Width, and height in steps of double, so that a Service more or less rarely changes the order.
    fn rank(&self) -> (usize, i32) {
        (self.span, self.height.max(1.0).log2() as i32)
    }
}

/// Where parcels stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BlockPacking {
    /// For each parcel its unit from the left and its distance from the top.
    pub places: Vec<(usize, f32)>,
    /// Units in use.
    pub units: usize,
    /// The height of all.
    pub height: f32,
}

/// Packs parcels, the wide and the clearly taller ones first, each as high up as it fits.
pub(super) fn pack(parcels: &[BlockSize], aspect: f32) -> BlockPacking {
    let Some(widest) = parcels.iter().map(|parcel| parcel.span).max() else {
        return BlockPacking::default();
    };
    let area: f32 = parcels
        .iter()
        .map(|parcel| (parcel.span as f32 * PITCH) * (parcel.height + SERVICE_GROUP_GAP))
        .sum();
    let guess = ((area * aspect).sqrt() / PITCH).round() as usize;
    let candidates = guess.saturating_sub(1).max(widest)..=(guess + 2).max(widest);
    // The smaller the window of the wanted shape that holds all, the larger all is drawn in it.
    let need = |packed: &BlockPacking| (width_of(packed.units) / aspect).max(packed.height);
    candidates
        .map(|units| stack(parcels, units))
        .min_by(|a, b| need(a).total_cmp(&need(b)))
        .unwrap_or_default()
}

fn stack(parcels: &[BlockSize], units: usize) -> BlockPacking {
    let mut order: Vec<usize> = (0..parcels.len()).collect();
    order.sort_by_key(|&at| Reverse(parcels.get(at).map(BlockSize::rank)));
    let mut filled = vec![0.0_f32; units];
    let mut packed = BlockPacking {
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
            *level = y + parcel.height + SERVICE_GROUP_GAP;
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

    fn parcel(span: usize, height: f32) -> BlockSize {
        BlockSize { span, height }
    }

    #[test]
    fn a_small_map_is_one_column_where_that_draws_it_larger() {
        let parcels = [parcel(1, 214.0), parcel(1, 127.0), parcel(1, 624.0)];
        let packed = pack(&parcels, 1.6);
        assert_eq!(packed.units, 1);
        let wide = pack(&parcels, 4.0);
        assert_eq!(wide.units, 2);
        assert_eq!(wide.height, 624.0, "the tall one stands alone");
    }
}
