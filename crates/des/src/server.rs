use crate::{Cycle, Fingerprint, Recurrent};

/// A shared resource that serves requests one after another with a fixed capacity per cycle: a bus, a port, a link.
///
/// Requests may share a cycle. A request larger than the remaining capacity of a cycle continues in the next. Capacity
/// of idle cycles is lost. The caller chooses the unit, for example bits.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Units per cycle; `u64::MAX` serves everything at once.
    capacity: u64,
    /// Cycle in which the last unit of the latest request is served.
    busy_until: Cycle,
    /// Units served in cycle `busy_until`.
    used: u64,
}

impl Server {
    /// An idle server of `capacity` >= 1 units per cycle; `None` is no limit.
    pub fn new(capacity: Option<u64>) -> Self {
        assert_ne!(capacity, Some(0), "a resource without capacity serves nobody");
        Self { capacity: capacity.unwrap_or(u64::MAX), busy_until: 0, used: 0 }
    }

    /// Queues a request of `amount` units in cycle `now` and returns the cycle in which its last unit is served.
    #[inline]
    pub fn serve(&mut self, now: Cycle, amount: u64) -> Cycle {
        if self.busy_until < now {
            (self.busy_until, self.used) = (now, 0);
        }
        self.used += amount;
        // Most requests end in this cycle or the next, and divisions are slow.
        if self.used > self.capacity {
            self.busy_until += 1;
            self.used -= self.capacity;
            if self.used > self.capacity {
                let cycles = (self.used - 1) / self.capacity;
                self.busy_until += cycles;
                self.used -= cycles * self.capacity;
            }
        }
        self.busy_until
    }
}

impl Recurrent for Server {
    fn state(&self, print: &mut Fingerprint) {
        let Self { capacity: _, busy_until, used } = *self;
        // What an idle server served last does not matter.
        if busy_until > print.now() {
            print.cycle(busy_until);
            print.number(used);
        } else {
            print.number(0u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_request_ends_in_the_cycle_of_its_last_unit(
            requests in prop::collection::vec((0u64..4, 1u64..500), 1..30),
        ) {
            let (mut bus, mut now, mut cycle, mut used) = (Server::new(Some(100)), 1, 0, 0);
            for (pause, amount) in requests {
                now += pause;
                if cycle < now {
                    (cycle, used) = (now, 0);
                }
                for _ in 0..amount {
                    (cycle, used) = if used == 100 { (cycle + 1, 1) } else { (cycle, used + 1) };
                }
                prop_assert_eq!(bus.serve(now, amount), cycle);
            }
        }
    }

    #[test]
    fn a_request_that_fits_ends_in_its_own_cycle_and_one_unit_more_does_not() {
        assert_eq!(Server::new(Some(8192)).serve(5, 8192), 5);
        assert_eq!(Server::new(Some(8192)).serve(5, 8193), 6);
    }

    #[test]
    fn requests_share_a_cycle_until_it_is_full() {
        let mut bus = Server::new(Some(100));
        assert_eq!((bus.serve(1, 60), bus.serve(1, 40), bus.serve(1, 1)), (1, 1, 2));
    }

    #[test]
    fn capacity_of_idle_cycles_is_lost() {
        let mut bus = Server::new(Some(100));
        assert_eq!(bus.serve(1, 10), 1);
        assert_eq!((bus.serve(3, 100), bus.serve(3, 100)), (3, 4));
    }

    #[test]
    fn a_busy_server_is_in_another_state_than_an_idle_one_whatever_that_served() {
        let print = |amounts: &[u64]| {
            let mut bus = Server::new(Some(100));
            for &amount in amounts {
                _ = bus.serve(4, amount);
            }
            let mut print = Fingerprint::new(5, 0);
            bus.state(&mut print);
            print.hash()
        };
        assert_eq!(print(&[150]), print(&[]), "busy until now");
        let prints = [print(&[]), print(&[250]), print(&[260]), print(&[350])];
        assert!((0..4).all(|at| !prints[..at].contains(&prints[at])), "{prints:?}");
    }

    #[test]
    fn without_a_limit_everything_is_served_at_once() {
        let mut bus = Server::new(None);
        assert_eq!((bus.serve(9, 1 << 62), bus.serve(9, 1 << 62)), (9, 9));
    }
}
