//! A discrete-event kernel: a clock in cycles, and components that exchange messages.
//!
//! [`system!`] states the kinds of component of a simulation, once. It defines the arenas, one `Vec` for each kind, and
//! the schedule, which holds the clock and one [`Queue`] for each kind. A component is addressed by its index in the
//! arena of its kind. Dispatch is static: no message is boxed and no component is behind a trait object.
//!
//! Time is counted in cycles ([`Cycle`]); cycles without a message or a request for evaluation are skipped. In each other
//! cycle, kind by kind, all messages are received ([`Component::receive`]) and then the components that asked for it are
//! evaluated ([`Component::evaluate`]). Three rules make a run independent of the order of messages within a cycle:
//!
//! 1. a message is delivered at least one cycle after it was sent (an earlier one panics), so no component sees a
//!    decision of the same cycle;
//! 2. [`Component::receive`] only records or forwards, and commutes with the other messages of its cycle;
//! 3. [`Component::evaluate`] runs after the last message of the cycle, at most once, and takes the decisions.
//!
//! State that several components read and change ([`Shared`]) needs a rule of its own for the same purpose.
//! [`Order::Shuffled`] puts rule 2 to the test. [`Server`] models a resource with a capacity per cycle. A [`Fingerprint`]
//! shows that the state of a simulation recurs.
//!
//! # Example
//!
//! Two stations pass a token back and forth, three cycles for each hop.
//!
//! ```
//! use des::{Component, Cycle, Order, Send, Wake};
//!
//! struct Station {
//!     peer: u32,
//!     received: Vec<Cycle>,
//! }
//!
//! impl<C: Send<u32>> Component<C> for Station {
//!     type Message = u32;
//!
//!     fn receive(&mut self, hops_left: u32, context: &mut C) -> Wake {
//!         self.received.push(context.now());
//!         if hops_left > 0 {
//!             context.send(3, self.peer, hops_left - 1);
//!         }
//!         Wake::Sleep
//!     }
//!
//!     fn evaluate(&mut self, _: &mut C) -> Wake {
//!         Wake::Sleep
//!     }
//! }
//!
//! des::system! {
//!     /// The clock and the queue of tokens.
//!     schedule Schedule;
//!     /// The stations.
//!     parts Parts;
//!     /// Two stations.
//!     stations: Station [u32],
//! }
//!
//! let station = |peer| Station { peer, received: Vec::new() };
//! let mut parts = Parts { stations: vec![station(1), station(0)] };
//! let mut schedule = Schedule::new(&parts, Order::Sent, ());
//! schedule.send(1, 0, 2);
//! while schedule.step(&mut parts) {}
//! assert_eq!(parts.stations[0].received, [1, 7]);
//! assert_eq!(parts.stations[1].received, [4]);
//! ```

mod calendar;
mod fingerprint;
mod queue;
mod server;

pub use fingerprint::{Fingerprint, Recurrent};
pub use queue::{Order, Queue, drive};
pub use server::Server;

/// An instant of simulated time, in cycles. The first cycle of a run is 1.
pub type Cycle = u64;

/// Answer of a component: a request to be evaluated, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Call [`Component::evaluate`]: after a message in its own cycle, once all of them have been received; after an
    /// evaluation in the next cycle, whether a message comes or not.
    Evaluate,
    /// No decision is due.
    Sleep,
}

/// A block of hardware that receives messages of one type, in a context of type `C`.
pub trait Component<C> {
    /// Type of the messages that the component receives.
    type Message;

    /// Records or forwards one message. Must commute with the other messages of the cycle, whose order is not fixed.
    fn receive(&mut self, message: Self::Message, context: &mut C) -> Wake;

    /// Takes the decisions of the cycle, after its last message.
    fn evaluate(&mut self, context: &mut C) -> Wake;
}

/// A context with a clock.
pub trait Clock {
    /// The cycle that is being simulated.
    fn now(&self) -> Cycle;
}

/// A context that carries messages of type `M` to the components of one kind.
pub trait Send<M>: Clock {
    /// Delivers `message` to component `to` of the kind that receives `M`, `delay` >= 1 cycles from now.
    fn send(&mut self, delay: Cycle, to: u32, message: M);
}

/// A context with a probe, which observes the run.
pub trait Probed {
    /// Type of the probe.
    type Probe;

    /// The probe.
    fn probe(&mut self) -> &mut Self::Probe;
}

/// A context with state that components of every kind may read and change.
///
/// The state must keep a rule of its own by which the evaluations of a cycle do not depend on their order, for example
/// that a change is seen from the next cycle on.
pub trait Shared<T> {
    /// The shared state.
    fn shared(&mut self) -> &mut T;
}

/// States the closed list of component kinds of a simulation.
///
/// ```text
/// system! {
///     schedule Schedule probed by Probe, sharing name: Type;
///     parts Parts<'a, P: Policy>;
///     tiles: Tile<'a, P> [TileMessage],
///     meshes: Mesh [Packet],
/// }
/// ```
///
/// defines
///
/// - `Parts`, the arenas: one public `Vec` for each kind;
/// - `Schedule<O>`: the clock, one queue for each kind and the probe. It implements [`Clock`], [`Probed`] and, for the
///   message of each kind, [`Send`]. `probed by` bounds `O`; each `sharing` adds state of
///   its own type ([`Shared`]). Both are optional;
/// - `Schedule::step(&mut self, &mut Parts) -> bool`, which simulates the next cycle that has a message or a request for
///   evaluation and returns whether there was one;
/// - `Schedule::in_flight(&self, &mut Fingerprint, ..)`, which adds requests and the messages in flight to a fingerprint.
///   For each kind, a function adds what a message means to its receiver.
///
/// Message types must differ from kind to kind, since the type selects the queue.
#[macro_export]
macro_rules! system {
    (
        $(#[$schedule_doc:meta])* schedule $schedule:ident $(probed by $probe:path)? $(, sharing $shared:ident: $shared_kind:ty)*;
        $(#[$parts_doc:meta])* parts $parts:ident $(<$life:lifetime $(, $generic:ident: $bound:path)?>)?;
        $($(#[$doc:meta])* $field:ident: $kind:ty [$message:ty]),+ $(,)?
    ) => {
        $(#[$parts_doc])*
        pub struct $parts $(<$life $(, $generic: $bound)?>)? {
            $($(#[$doc])* pub $field: Vec<$kind>,)+
        }

        $(#[$schedule_doc])*
        pub struct $schedule<O> {
            now: $crate::Cycle,
            /// Observes the run.
            pub probe: O,
            $(/// Shared by all components.
            pub $shared: $shared_kind,)*
            $($field: $crate::Queue<$message>,)+
        }

        impl<O $(: $probe)?> $schedule<O> {
            /// A schedule at cycle 0 without messages, for `parts`; messages of a cycle are delivered in `order`.
            pub fn new $(<$life $(, $generic: $bound)?>)? (
                parts: &$parts $(<$life $(, $generic)?>)?,
                order: $crate::Order,
                probe: O
                $(, $shared: $shared_kind)*
            ) -> Self {
                Self { now: 0, probe, $($shared,)* $($field: $crate::Queue::new(parts.$field.len(), order),)+ }
            }

            /// Simulates the next cycle that has a message or a request for evaluation. Returns false if none is left.
            pub fn step $(<$life $(, $generic: $bound)?>)? (
                &mut self,
                parts: &mut $parts $(<$life $(, $generic)?>)?,
            ) -> bool {
                let next = [$(self.$field.next(self.now)),+].into_iter().flatten().min();
                let Some(next) = next else { return false };
                self.now = next;
                $($crate::drive(&mut parts.$field, self, |schedule| &mut schedule.$field, next);)+
                true
            }

            /// Adds requests for evaluation in the next cycle and the messages in flight to a fingerprint: what each message
            /// means to its receiver, in any order.
            pub fn in_flight(
                &self,
                print: &mut $crate::Fingerprint,
                $($field: impl Fn(u32, &$message, &mut $crate::Fingerprint)),+
            ) {
                $(print.numbers(self.$field.requests().iter().copied());)+
                $(print.unordered(self.$field.in_flight(self.now), |(at, to, message), print| {
                    print.cycle(at);
                    print.number(to);
                    $field(to, message, print);
                });)+
            }
        }

        impl<O> $crate::Probed for $schedule<O> {
            type Probe = O;

            #[inline]
            fn probe(&mut self) -> &mut O {
                &mut self.probe
            }
        }

        $(impl<O> $crate::Shared<$shared_kind> for $schedule<O> {
            #[inline]
            fn shared(&mut self) -> &mut $shared_kind {
                &mut self.$shared
            }
        })*

        impl<O> $crate::Clock for $schedule<O> {
            #[inline]
            fn now(&self) -> $crate::Cycle {
                self.now
            }
        }

        $(impl<O> $crate::Send<$message> for $schedule<O> {
            #[inline]
            fn send(&mut self, delay: $crate::Cycle, to: u32, message: $message) {
                self.$field.push(self.now, delay, to, message);
            }
        })+
    };
}
