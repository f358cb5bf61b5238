//! Moving single items of a column to where they cross least.

/// How far an item looks in either direction.
const REACH: usize = 16;

/// Moves each item to the best place near its own, where that saves crossings; says how many.
///
/// `ranks` has the place of each item, `lists` the sorted places of what each item is tied to,
/// `weights` how many things it stands for.
pub(super) fn sift(ranks: &mut [usize], lists: &[Vec<usize>], weights: &[usize]) -> usize {
    let mut order = vec![0; ranks.len()];
    for (item, &rank) in ranks.iter().enumerate() {
        if let Some(slot) = order.get_mut(rank) {
            *slot = item;
        }
    }
    let list = |item: &usize| lists.get(*item).map(Vec::as_slice).unwrap_or_default();
    let weight = |item: usize| weights.get(item).map_or(1, |weight| *weight as i64);
    let mut gain = 0;
    for item in order.clone() {
        let Some(from) = order.iter().position(|other| *other == item) else {
            continue;
        };
        let own = list(&item);
        let mut best = (0, from);
        let (above, below) = order.split_at(from);
        let mut saved = 0_i64;
        for (step, other) in above.iter().rev().take(REACH).enumerate() {
            let (other_first, own_first) = cross(list(other), own);
            saved += (other_first - own_first) * weight(*other);
            if saved > best.0 {
                best = (saved, from - step - 1);
            }
        }
        saved = 0;
        for (step, other) in below.iter().skip(1).take(REACH).enumerate() {
            let (own_first, other_first) = cross(own, list(other));
            saved += (own_first - other_first) * weight(*other);
            if saved > best.0 {
                best = (saved, from + step + 1);
            }
        }
        let (saved, to) = best;
        if saved > 0 {
            let moved = order.remove(from);
            order.insert(to, moved);
            gain += usize::try_from(saved * weight(item)).unwrap_or_default();
        }
    }
    for (rank, &item) in order.iter().enumerate() {
        if let Some(slot) = ranks.get_mut(item) {
            *slot = rank;
        }
    }
    gain
}

/// How many pairs of ties of two neighbours cross: with the first one above, and the other way.
fn cross(first: &[usize], second: &[usize]) -> (i64, i64) {
    let (mut above, mut below) = (0, 0);
    let (mut less, mut not_more) = (0, 0);
    for a in first {
        while second.get(less).is_some_and(|b| b < a) {
            less += 1;
        }
        while second.get(not_more).is_some_and(|b| b <= a) {
            not_more += 1;
        }
        above += less as i64;
        below += (second.len() - not_more) as i64;
    }
    (above, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_goes_to_where_it_crosses_nothing() {
        // The first item is tied to what is lowest, the others in order.
        let lists = vec![vec![3], vec![0], vec![1], vec![2, 2]];
        let mut ranks = vec![0, 1, 2, 3];
        assert_eq!(sift(&mut ranks, &lists, &[1; 4]), 4);
        assert_eq!(ranks, [3, 0, 1, 2]);
        assert_eq!(sift(&mut ranks, &lists, &[1; 4]), 0);
    }
}
