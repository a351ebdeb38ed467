//! A small system: a ring of stations that pass tokens on.

use des::{Component, Cycle, Order, Send, Wake};

struct Token {
    hops_left: u32,
}

struct Station {
    next: u32,
    seen: Vec<(Cycle, u32)>,
    tokens: u32,
    /// Evaluations to ask for.
    evaluations: u32,
}

impl<C: Send<Token>> Component<C> for Station {
    type Message = Token;

    fn receive(&mut self, token: Token, context: &mut C) -> Wake {
        self.tokens += 1;
        if token.hops_left > 0 {
            context.send(Cycle::from(token.hops_left), self.next, Token { hops_left: token.hops_left - 1 });
        }
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) -> Wake {
        self.seen.push((context.now(), self.tokens));
        self.evaluations = self.evaluations.saturating_sub(1);
        if self.evaluations > 0 { Wake::Evaluate } else { Wake::Sleep }
    }
}

des::system! {
    /// The clock and the queue of tokens.
    schedule Schedule;
    /// The stations.
    parts Parts;
    /// A ring.
    stations: Station [Token],
}

fn run(order: Order) -> Vec<Vec<(Cycle, u32)>> {
    let stations =
        (0..5).map(|id| Station { next: (id + 1) % 5, seen: Vec::new(), tokens: 0, evaluations: 0 }).collect();
    let mut parts = Parts { stations };
    let mut schedule = Schedule::new(&parts, order, ());
    for start in 0..40 {
        schedule.send(1, start % 5, Token { hops_left: 300 + start % 3 });
    }
    while schedule.step(&mut parts) {}
    parts.stations.into_iter().map(|station| station.seen).collect()
}

#[test]
fn a_component_is_evaluated_as_long_as_it_asks_without_a_message_and_once_where_one_comes() {
    let station = |evaluations| Station { next: 1, seen: Vec::new(), tokens: 0, evaluations };
    let mut parts = Parts { stations: vec![station(4), station(0)] };
    let mut schedule = Schedule::new(&parts, Order::Sent, ());
    schedule.send(5, 0, Token { hops_left: 2 });
    while schedule.step(&mut parts) {}
    assert_eq!(parts.stations[0].seen, [(5, 1), (6, 1), (7, 1), (8, 1)]);
    // The token goes from station 0 to 1 and stays there.
    assert_eq!(parts.stations[1].seen, [(7, 1), (8, 2)]);
}

#[test]
fn a_component_is_evaluated_once_a_cycle_after_all_its_messages() {
    let seen = run(Order::Sent);
    for station in &seen {
        assert!(station.is_sorted_by(|a, b| a.0 < b.0), "evaluated twice in a cycle");
    }
    assert_eq!(seen[0][0], (1, 8));
}

#[test]
fn the_order_of_messages_within_a_cycle_does_not_matter() {
    assert_eq!(run(Order::Sent), run(Order::Shuffled(1)));
    assert_eq!(run(Order::Sent), run(Order::Shuffled(2)));
}
