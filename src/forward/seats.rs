//! Which candidate gets a connection, and how many each has.

use super::{Spread, choice::Candidate, status::PodInUse};

/// The pods that a forward leads to or led to.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    seats: Vec<Seat>,
    /// The pod of the last connection that reached one.
    last: Option<Candidate>,
    turns: u64,
}

#[derive(Debug)]
struct Seat {
    to: Candidate,
    /// Dials under way and open connections: what a burst is spread by.
    taken: u32,
    open: u32,
    /// When it was chosen last; a higher number is later.
    turn: u64,
}

impl Seats {
    /// Chooses among candidates of the best fitness that were not tried yet, and takes a seat
    /// there. A pod that terminates is so left as soon as another is ready.
    pub(crate) fn take(
        &mut self,
        spread: &Spread,
        candidates: &[Candidate],
        tried: &[Candidate],
    ) -> Option<Candidate> {
        let untried = || candidates.iter().filter(|one| !tried.contains(one));
        let best = untried().next()?;
        let mut fittest = untried().take_while(|one| one.fitness == best.fitness);
        let chosen = match spread {
            Spread::Balanced => fittest.min_by_key(|one| self.load(one)),
            Spread::Sticky | Spread::Pinned(_) => {
                fittest.find(|one| Some(*one) == self.last.as_ref())
            }
        };
        let chosen = chosen.unwrap_or(best).clone();
        self.turns += 1;
        let turn = self.turns;
        self.seats
            .retain(|seat| seat.taken > 0 || candidates.contains(&seat.to));
        match self.find(&chosen) {
            Some(seat) => {
                seat.taken += 1;
                seat.turn = turn;
            }
            None => self.seats.push(Seat {
                to: chosen.clone(),
                taken: 1,
                open: 0,
                turn,
            }),
        }
        Some(chosen)
    }

    /// The dial to a taken seat has succeeded.
    pub(crate) fn open(&mut self, to: &Candidate) {
        if let Some(seat) = self.find(to) {
            seat.open += 1;
        }
        self.last = Some(to.clone());
    }

    /// Gives a seat back; `opened` says whether its dial had succeeded.
    pub(crate) fn leave(&mut self, to: &Candidate, opened: bool) {
        if let Some(seat) = self.find(to) {
            seat.taken = seat.taken.saturating_sub(1);
            seat.open = seat.open.saturating_sub(u32::from(opened));
        }
    }

    /// The pod of the last connection that reached one.
    pub(crate) fn last(&self) -> Option<&Candidate> {
        self.last.as_ref()
    }

    /// How many connections are open.
    pub(crate) fn count(&self) -> u32 {
        self.seats.iter().map(|seat| seat.open).sum()
    }

    /// The pods that connections are open to, by name.
    pub(crate) fn in_use(&self) -> Vec<PodInUse> {
        let mut pods: Vec<_> = self
            .seats
            .iter()
            .filter(|seat| seat.open > 0)
            .map(|seat| PodInUse {
                pod: seat.to.pod.clone(),
                port: seat.to.port,
                open: seat.open,
            })
            .collect();
        pods.sort_by(|a, b| a.pod.cmp(&b.pod));
        pods
    }

    /// What a balanced choice goes by: the emptiest, then the one whose turn is longest ago.
    fn load(&self, to: &Candidate) -> (u32, u64) {
        self.seats
            .iter()
            .find(|seat| seat.to == *to)
            .map_or((0, 0), |seat| (seat.taken, seat.turn))
    }

    fn find(&mut self, to: &Candidate) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.to == *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{forward::choice::Fitness, inventory::ObjectKey};

    fn pod(name: &str, fitness: Fitness) -> Candidate {
        Candidate {
            pod: ObjectKey::new("shop", name),
            uid: Some(name.into()),
            port: 8080,
            fitness,
        }
    }

    fn three() -> Vec<Candidate> {
        ["a", "b", "c"].map(|name| pod(name, Fitness::Ready)).into()
    }

    fn names(seats: &mut Seats, spread: &Spread, from: &[Candidate], times: usize) -> String {
        (0..times)
            .map(|_| seats.take(spread, from, &[]).unwrap().pod.name.to_string())
            .collect()
    }

    #[test]
    fn balanced_takes_turns_whether_connections_stay_or_end() {
        let mut seats = Seats::default();
        assert_eq!(names(&mut seats, &Spread::Balanced, &three(), 6), "abcabc");
        // One that has become empty is next, whoever's turn it would be.
        let b = pod("b", Fitness::Ready);
        seats.leave(&b, false);
        seats.leave(&b, false);
        assert_eq!(names(&mut seats, &Spread::Balanced, &three(), 2), "bb");

        let mut seats = Seats::default();
        let mut order = String::new();
        for _ in 0..6 {
            let chosen = seats.take(&Spread::Balanced, &three(), &[]).unwrap();
            seats.open(&chosen);
            seats.leave(&chosen, true);
            order.push_str(&chosen.pod.name);
        }
        assert_eq!(order, "abcabc");
        assert_eq!(seats.count(), 0);
    }

    #[test]
    fn balanced_prefers_ready_pods_however_busy() {
        let mut seats = Seats::default();
        let pods = [pod("a", Fitness::Ready), pod("b", Fitness::Serving)];
        assert_eq!(names(&mut seats, &Spread::Balanced, &pods, 3), "aaa");
        let tried = [pods[0].clone()];
        let next = seats.take(&Spread::Balanced, &pods, &tried).unwrap();
        assert_eq!(&*next.pod.name, "b");
    }

    #[test]
    fn sticky_stays_where_the_last_connection_was() {
        let mut seats = Seats::default();
        let pods = three();
        let tried = [pods[0].clone()];
        let second = seats.take(&Spread::Sticky, &pods, &tried).unwrap();
        seats.open(&second);
        assert_eq!(names(&mut seats, &Spread::Sticky, &pods, 2), "bb");
        let without: Vec<_> = pods.into_iter().filter(|one| *one != second).collect();
        assert_eq!(names(&mut seats, &Spread::Sticky, &without, 1), "a");
    }

    #[test]
    fn pods_that_are_gone_are_forgotten_once_nobody_sits_there() {
        let mut seats = Seats::default();
        let all = three();
        let first = seats.take(&Spread::Balanced, &all, &[]).unwrap();
        seats.open(&first);
        seats.take(&Spread::Balanced, &all[1..2], &[]).unwrap();
        assert_eq!(seats.seats.len(), 2);
        assert_eq!(seats.in_use()[0].pod, first.pod);
        seats.leave(&first, true);
        seats.take(&Spread::Balanced, &all[1..2], &[]).unwrap();
        assert_eq!(seats.seats.len(), 1);
    }
}
