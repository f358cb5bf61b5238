//! The order from top to bottom inside a family of Services: few crossings, the same every time.

use super::{
    kin::{Kin, Link},
    sift,
};

/// How often both columns are sorted by the mean place of what they are tied to.
const SWEEPS: usize = 4;
/// How often single items look for a better place after that.
const SIFTS: usize = 2;

/// Sorts Services and stops so that ties run level and cross little. States play no part, so that a
/// pod that turns ready moves nothing.
pub(super) fn sort(kin: &mut Kin<'_>) {
    let rows = Rows::of(kin);
    let all_tied = kin.links.len() == rows.tied * kin.stops.len();
    if kin.stops.len() < 2 || (kin.services.len() == 1 && all_tied) {
        return;
    }
    let best = search(&rows, &rows.ties(&kin.links), kin.stops.len());
    for link in &mut kin.links {
        link.service = best.services.get(link.service).copied().unwrap_or_default();
        link.stop = best.stops.get(link.stop).copied().unwrap_or_default();
    }
    kin.links.sort_unstable();
    permute(&mut kin.services, &best.services);
    permute(&mut kin.stops, &best.stops);
}

/// The port rows of all Services, numbered through.
struct Rows {
    /// How many rows each Service has; one at least, which the alias of an ExternalName leaves from.
    of_service: Vec<usize>,
    /// The first row of each Service.
    first: Vec<usize>,
    /// How many rows have ties.
    tied: usize,
}

impl Rows {
    fn of(kin: &Kin<'_>) -> Self {
        let services = kin.services.iter();
        let of_service: Vec<usize> = services.map(|traffic| traffic.ports.len().max(1)).collect();
        let row = |link: &Link| (link.service, link.port);
        Self {
            first: starts(of_service.iter().copied()),
            of_service,
            tied: kin.links.chunk_by(|a, b| row(a) == row(b)).count(),
        }
    }

    /// A row and a stop for each link.
    fn ties(&self, links: &[Link]) -> Vec<Tie> {
        links
            .iter()
            .map(|link| Tie {
                service: link.service,
                row: self.first.get(link.service).copied().unwrap_or_default()
                    + link.port.unwrap_or_default(),
                stop: link.stop,
            })
            .collect()
    }

    /// The place of each row when the Services stand in this order.
    fn ranks(&self, services: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; services.len()];
        for (&rank, &rows) in services.iter().zip(&self.of_service) {
            if let Some(count) = counts.get_mut(rank) {
                *count = rows;
            }
        }
        let starts = starts(counts.into_iter());
        services
            .iter()
            .zip(&self.of_service)
            .flat_map(|(&rank, &rows)| {
                let start = starts.get(rank).copied().unwrap_or_default();
                start..start + rows
            })
            .collect()
    }
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

/// A link by numbers.
struct Tie {
    service: usize,
    row: usize,
    stop: usize,
}

/// The place of each Service and of each stop in its column.
#[derive(Clone, PartialEq)]
struct Ranks {
    services: Vec<usize>,
    stops: Vec<usize>,
}

/// Sweeps from the order of names until nothing moves, then sifts, where that crosses less.
fn search(rows: &Rows, ties: &[Tie], stop_count: usize) -> Ranks {
    let by_name = Ranks {
        services: (0..rows.of_service.len()).collect(),
        stops: (0..stop_count).collect(),
    };
    let mut now = by_name.clone();
    for _ in 0..SWEEPS {
        let before = now.clone();
        let row_ranks = rows.ranks(&now.services);
        let to_rows = pairs(ties, |tie| (tie.stop, at(&row_ranks, tie.row)));
        now.stops = level(&now.stops, row_ranks.len(), to_rows);
        let to_stops = pairs(ties, |tie| (tie.service, at(&now.stops, tie.stop)));
        now.services = level(&now.services, now.stops.len(), to_stops);
        if now == before {
            break;
        }
    }
    for _ in 0..SIFTS {
        let row_ranks = rows.ranks(&now.services);
        let to_rows = pairs(ties, |tie| (tie.stop, at(&row_ranks, tie.row)));
        let mut gain = sift::sift(&mut now.stops, &lists(stop_count, to_rows));
        let to_stops = pairs(ties, |tie| (tie.service, at(&now.stops, tie.stop)));
        let of_services = lists(now.services.len(), to_stops);
        gain += sift::sift(&mut now.services, &of_services);
        if gain == 0 {
            break;
        }
    }
    if crossings(rows, ties, &now) < crossings(rows, ties, &by_name) {
        now
    } else {
        by_name
    }
}

fn at(ranks: &[usize], item: usize) -> usize {
    ranks.get(item).copied().unwrap_or_default()
}

fn pairs<'a>(
    ties: &'a [Tie],
    pair: impl Fn(&Tie) -> (usize, usize) + 'a,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    ties.iter().map(pair)
}

/// For each item of a column the places of what it is tied to, sorted.
fn lists(count: usize, ties: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); count];
    for (item, rank) in ties {
        if let Some(list) = lists.get_mut(item) {
            list.push(rank);
        }
    }
    for list in &mut lists {
        list.sort_unstable();
    }
    lists
}

/// How many pairs of ties cross.
fn crossings(rows: &Rows, ties: &[Tie], ranks: &Ranks) -> usize {
    let row_ranks = rows.ranks(&ranks.services);
    let mut ends: Vec<(usize, usize)> = ties
        .iter()
        .map(|tie| (at(&row_ranks, tie.row), at(&ranks.stops, tie.stop)))
        .collect();
    ends.sort_unstable();
    let mut above = Above::new(ranks.stops.len());
    ends.iter()
        .enumerate()
        .map(|(seen, &(_, stop))| {
            let lower_or_level = above.up_to(stop);
            above.add(stop);
            seen - lower_or_level
        })
        .sum()
}

/// Counts of places, as a Fenwick tree.
struct Above(Vec<usize>);

impl Above {
    fn new(places: usize) -> Self {
        Self(vec![0; places + 1])
    }

    fn add(&mut self, place: usize) {
        let mut at = place + 1;
        while let Some(count) = self.0.get_mut(at) {
            *count += 1;
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

/// The new rank of each item of a column, by the mean rank of what it is tied to in the other
/// column, which has so many places.
fn level(own: &[usize], others: usize, ties: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut sums = vec![(0_usize, 0_usize); own.len()];
    for (item, rank) in ties {
        if let Some(sum) = sums.get_mut(item) {
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
                rank as f64 * others as f64 / own.len() as f64
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
