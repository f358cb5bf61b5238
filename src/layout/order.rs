//! The order from top to bottom inside a family of Services: few crossings, the same every time.

use super::kin::Kin;

/// How often both columns are sorted by the mean place of what they are tied to.
const SWEEPS: usize = 4;

/// Sorts Services and stops so that ties run level. States play no part, so that a pod that turns
/// ready moves nothing.
pub(super) fn sort(kin: &mut Kin<'_>) {
    if kin.services.len() < 2 || kin.stops.len() < 2 {
        return;
    }
    let ties: Vec<(usize, usize)> = kin
        .links
        .iter()
        .map(|link| (link.service, link.stop))
        .collect();
    let back: Vec<(usize, usize)> = ties.iter().map(|&(a, b)| (b, a)).collect();
    let mut services = ranks(kin.services.len());
    let mut stops = ranks(kin.stops.len());
    for _ in 0..SWEEPS {
        stops = level(&stops, &services, &back);
        services = level(&services, &stops, &ties);
    }
    stops = level(&stops, &services, &back);
    for link in &mut kin.links {
        link.service = services.get(link.service).copied().unwrap_or_default();
        link.stop = stops.get(link.stop).copied().unwrap_or_default();
    }
    kin.links.sort_unstable();
    permute(&mut kin.services, &services);
    permute(&mut kin.stops, &stops);
}

fn ranks(count: usize) -> Vec<usize> {
    (0..count).collect()
}

/// The new rank of each item of a column whose `ties` lead to items of the other column.
fn level(own: &[usize], other: &[usize], ties: &[(usize, usize)]) -> Vec<usize> {
    let mut sums = vec![(0_usize, 0_usize); own.len()];
    for &(from, to) in ties {
        if let (Some(sum), Some(rank)) = (sums.get_mut(from), other.get(to)) {
            sum.0 += rank;
            sum.1 += 1;
        }
    }
    let mut items: Vec<_> = own
        .iter()
        .zip(sums)
        .enumerate()
        .map(|(item, (&rank, (sum, count)))| {
            // What is tied to nothing keeps its place in proportion.
            let mean = if count == 0 {
                rank as f64 * other.len() as f64 / own.len() as f64
            } else {
                sum as f64 / count as f64
            };
            (mean, rank, item)
        })
        .collect();
    items.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranks = vec![0; items.len()];
    for (rank, (_, _, item)) in items.into_iter().enumerate() {
        if let Some(slot) = ranks.get_mut(item) {
            *slot = rank;
        }
    }
    ranks
}

fn permute<T>(items: &mut Vec<T>, ranks: &[usize]) {
    let mut ranked: Vec<_> = ranks.iter().copied().zip(std::mem::take(items)).collect();
    ranked.sort_unstable_by_key(|(rank, _)| *rank);
    items.extend(ranked.into_iter().map(|(_, item)| item));
}
