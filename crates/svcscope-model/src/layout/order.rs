//! The order from top to bottom inside a family of Services: few crossings, the same every time.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    connected::{BackendEdge, ServiceComponent},
    sift,
};

/// How often both columns are sorted by the mean place of what they are tied to.
const SWEEPS: usize = 4;
/// How often single items look for a better place after that.
const SIFTS: usize = 4;

/// Sorts Services and stops so that ties run level and cross little. States play no part, so that a
/// pod that turns ready moves nothing.
pub(super) fn sort(component: &mut ServiceComponent<'_>) {
    let rows = PortRowIndex::of(component);
    let all_tied = component.edges.len() == rows.tied * component.backends.len();
    if component.backends.len() < 2 || (component.services.len() == 1 && all_tied) {
        return;
    }
    let bundles = BackendBundles::of(component, &rows);
    let best = minimize_crossings(&rows, &bundles);
    let stops = bundles.stop_ranks(&best.bundles);
    for link in &mut component.edges {
        link.service = at(&best.services, link.service);
        link.backend = at(&stops, link.backend);
    }
    component.edges.sort_unstable();
    permute(&mut component.services, &best.services);
    permute(&mut component.backends, &stops);
}

/// Stops that are tied to the same rows: they stand together in the order in which they came.
struct BackendBundles {
    /// The bundle of each stop.
    of_stop: Vec<usize>,
    /// How many stops each has.
    sizes: Vec<usize>,
    /// The rows of all bundles.
    ties: Vec<BundleEdge>,
}

/// A row and a bundle that is tied to it.
struct BundleEdge {
    service: usize,
    row: usize,
    bundle: usize,
}

impl BackendBundles {
    fn of(component: &ServiceComponent<'_>, rows: &PortRowIndex) -> Self {
        let mut of_stop: Vec<Vec<(usize, usize)>> = vec![Vec::new(); component.backends.len()];
        for link in &component.edges {
            let row = at(&rows.first, link.service) + link.port.unwrap_or_default();
            if let Some(tied) = of_stop.get_mut(link.backend) {
                tied.push((link.service, row));
            }
        }
        let mut known: HashMap<&[(usize, usize)], usize, FixedState> = HashMap::default();
        let mut bundles = Self {
            of_stop: Vec::with_capacity(of_stop.len()),
            sizes: Vec::new(),
            ties: Vec::new(),
        };
        for tied in &of_stop {
            let bundle = *known.entry(tied).or_insert_with(|| {
                let bundle = bundles.sizes.len();
                bundles.sizes.push(0);
                let ties = tied.iter().map(|&(service, row)| BundleEdge {
                    service,
                    row,
                    bundle,
                });
                bundles.ties.extend(ties);
                bundle
            });
            if let Some(size) = bundles.sizes.get_mut(bundle) {
                *size += 1;
            }
            bundles.of_stop.push(bundle);
        }
        bundles
    }

    /// The place of each stop when the bundles stand in this order.
    fn stop_ranks(&self, bundles: &[usize]) -> Vec<usize> {
        let mut next = run_starts(bundles, &self.sizes);
        self.of_stop
            .iter()
            .map(|&bundle| {
                let Some(next) = next.get_mut(bundle) else {
                    return 0;
                };
                *next += 1;
                *next - 1
            })
            .collect()
    }

    /// For each row of a bundle its Service, its row and the weight and place of the bundle.
    fn weighted<'a>(&'a self, bundles: &'a [usize]) -> impl Iterator<Item = WeightedEdge> + 'a {
        let starts = run_starts(bundles, &self.sizes);
        self.ties.iter().map(move |tie| {
            let weight = at(&self.sizes, tie.bundle);
            WeightedEdge {
                service: tie.service,
                row: tie.row,
                weight,
                // In half places, so that the middle is a whole number.
                middle: 2 * at(&starts, tie.bundle) + weight,
            }
        })
    }
}

/// A tie with how many stops it stands for, and where the middle of them is.
struct WeightedEdge {
    service: usize,
    row: usize,
    weight: usize,
    middle: usize,
}

/// The port rows of all Services, numbered through.
struct PortRowIndex {
    /// How many rows each Service has; one at least, which the alias of an ExternalName leaves from.
    of_service: Vec<usize>,
    /// The first row of each Service.
    first: Vec<usize>,
    /// How many rows have ties.
    tied: usize,
}

impl PortRowIndex {
    fn of(component: &ServiceComponent<'_>) -> Self {
        let services = component.services.iter();
        let of_service: Vec<usize> = services.map(|traffic| traffic.ports.len().max(1)).collect();
        let row = |link: &BackendEdge| (link.service, link.port);
        Self {
            first: starts(of_service.iter().copied()),
            of_service,
            tied: component.edges.chunk_by(|a, b| row(a) == row(b)).count(),
        }
    }

    /// The place of each row when the Services stand in this order.
    fn ranks(&self, services: &[usize]) -> Vec<usize> {
        run_starts(services, &self.of_service)
            .into_iter()
            .zip(&self.of_service)
            .flat_map(|(start, &rows)| start..start + rows)
            .collect()
    }
}

/// Where the run of each item begins, when items of these lengths stand in an order of ranks.
fn run_starts(ranks: &[usize], lengths: &[usize]) -> Vec<usize> {
    let mut in_order = vec![0; ranks.len()];
    for (&rank, &length) in ranks.iter().zip(lengths) {
        if let Some(slot) = in_order.get_mut(rank) {
            *slot = length;
        }
    }
    let starts = starts(in_order.into_iter());
    ranks.iter().map(|&rank| at(&starts, rank)).collect()
}

/// Where each of several runs of these lengths begins.
fn starts(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    lengths
        .scan(0, |end, length| {
            let start = *end;
            *end += length;
            Some(start)
        })
        .collect()
}

/// The place of each Service and of each bundle in its column.
#[derive(Clone, PartialEq)]
struct ColumnOrder {
    services: Vec<usize>,
    bundles: Vec<usize>,
}

/// Sweeps from the order of names until nothing moves, then sifts, where that crosses less.
fn minimize_crossings(rows: &PortRowIndex, bundles: &BackendBundles) -> ColumnOrder {
    let by_name = ColumnOrder {
        services: (0..rows.of_service.len()).collect(),
        bundles: (0..bundles.sizes.len()).collect(),
    };
    let to_rows = |services: &[usize]| {
        let ranks = rows.ranks(services);
        let ties = bundles.ties.iter();
        ties.map(move |tie| (tie.bundle, at(&ranks, tie.row), 1))
    };
    let mut now = by_name.clone();
    for _ in 0..SWEEPS {
        let before = now.clone();
        now.bundles = barycenter_order(&now.bundles, to_rows(&now.services));
        let to_stops = bundles.weighted(&now.bundles);
        let to_stops = to_stops.map(|tie| (tie.service, tie.middle, tie.weight));
        now.services = barycenter_order(&now.services, to_stops);
        if now == before {
            break;
        }
    }
    for _ in 0..SIFTS {
        let lists_of_bundles = lists(bundles.sizes.len(), to_rows(&now.services));
        let mut gain = sift::sift(&mut now.bundles, &lists_of_bundles, &bundles.sizes);
        let to_stops = bundles.weighted(&now.bundles);
        let to_stops = to_stops.map(|tie| (tie.service, tie.middle, tie.weight));
        let lists_of_services = lists(now.services.len(), to_stops);
        let ones = vec![1; now.services.len()];
        gain += sift::sift(&mut now.services, &lists_of_services, &ones);
        if gain == 0 {
            break;
        }
    }
    if crossings(rows, bundles, &now) < crossings(rows, bundles, &by_name) {
        now
    } else {
        by_name
    }
}

fn at(ranks: &[usize], item: usize) -> usize {
    ranks.get(item).copied().unwrap_or_default()
}

/// For each item of a column the places of what it is tied to, sorted, as often as they weigh.
fn lists(count: usize, ties: impl Iterator<Item = (usize, usize, usize)>) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); count];
    for (item, place, weight) in ties {
        if let Some(list) = lists.get_mut(item) {
            list.extend(std::iter::repeat_n(place, weight));
        }
    }
    for list in &mut lists {
        list.sort_unstable();
    }
    lists
}

/// How many pairs of ties cross.
fn crossings(rows: &PortRowIndex, bundles: &BackendBundles, ranks: &ColumnOrder) -> usize {
    let row_ranks = rows.ranks(&ranks.services);
    let weighted = bundles.weighted(&ranks.bundles);
    let mut ends: Vec<_> = weighted
        .map(|tie| (at(&row_ranks, tie.row), tie.middle, tie.weight))
        .collect();
    ends.sort_unstable();
    let mut above = FenwickTree::new(2 * bundles.of_stop.len());
    let mut seen = 0;
    ends.iter()
        .map(|&(_, middle, weight)| {
            let crossed = seen - above.up_to(middle);
            above.add(middle, weight);
            seen += weight;
            crossed * weight
        })
        .sum()
}

/// Counts of places, as a Fenwick tree.
struct FenwickTree(Vec<usize>);

impl FenwickTree {
    fn new(places: usize) -> Self {
        Self(vec![0; places + 2])
    }

    fn add(&mut self, place: usize, weight: usize) {
        let mut at = place + 1;
        while let Some(count) = self.0.get_mut(at) {
            *count += weight;
            at += at & at.wrapping_neg();
        }
    }

    /// How many were added at this place or before it.
    fn up_to(&self, place: usize) -> usize {
        let mut at = place + 1;
        let mut sum = 0;
        while at > 0 {
            sum += self.0.get(at).copied().unwrap_or_default();
            at &= at - 1;
        }
        sum
    }
}

/// The new rank of each item of a column, by the weighted mean of the places that it is tied to. An
/// item without ties goes on standing below the one that it stood below.
fn barycenter_order(
    own: &[usize],
    ties: impl Iterator<Item = (usize, usize, usize)>,
) -> Vec<usize> {
    let mut sums = vec![(0_usize, 0_usize); own.len()];
    for (item, place, weight) in ties {
        if let Some(sum) = sums.get_mut(item) {
            sum.0 += place * weight;
            sum.1 += weight;
        }
    }
    let mut items: Vec<_> = own.iter().zip(sums).zip(0..).collect();
    items.sort_unstable_by_key(|((rank, _), _)| **rank);
    let mut last = 0.0;
    let mut means: Vec<(f64, usize)> = items
        .into_iter()
        .map(|((_, (sum, weight)), item)| {
            if weight > 0 {
                last = sum as f64 / weight as f64;
            }
            (last, item)
        })
        .collect();
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0; means.len()];
    for (rank, (_, item)) in means.into_iter().enumerate() {
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
