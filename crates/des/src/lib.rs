//! A discrete-event kernel: time, calendars of messages, and components that exchange them.
//!
//! Three rules make a run independent of the order of messages within a cycle, and so of queues, buckets and threads:
//!
//! 1. every message is delivered at least one cycle after it was sent;
//! 2. [`Component::receive`] only records or forwards, and commutes with the other messages of its cycle;
//! 3. [`Component::evaluate`] runs after the last message of the cycle, at most once, and takes the decisions.
//!
//! Each kind of component has its own arena and its own [`Queue`], so that dispatch is static. The closed list of
//! kinds is stated once, with [`system!`].

mod calendar;
mod queue;
mod server;

pub use calendar::Calendar;
pub use queue::{Order, Queue, drive};
pub use server::Server;

/// An instant of simulated time, in cycles. The first cycle of a run is 1.
pub type Cycle = u64;

/// Whether a component asks to be evaluated at the end of the cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Call [`Component::evaluate`] once all messages of this cycle have been received.
    Evaluate,
    /// The message needs no decision.
    Sleep,
}

/// A block of hardware.
pub trait Component<C> {
    /// What it understands.
    type Message;

    /// Records or forwards one message. Must commute with the other messages of the cycle.
    fn receive(&mut self, message: Self::Message, context: &mut C) -> Wake;

    /// Decides, after all messages of the cycle.
    fn evaluate(&mut self, context: &mut C);
}

/// The clock, as components see it.
pub trait Clock {
    /// The cycle that is being simulated.
    fn now(&self) -> Cycle;
}

/// A context that carries messages of type `M` to the components of one kind.
pub trait Send<M>: Clock {
    /// Delivers `message` to component `to` of its kind, `delay` >= 1 cycles from now.
    fn send(&mut self, delay: Cycle, to: u32, message: M);
}

/// A context that lets something look on.
pub trait Probed {
    /// What looks on.
    type Probe;

    /// What looks on.
    fn probe(&mut self) -> &mut Self::Probe;
}

/// A context with a part that components of every kind may read and change.
///
/// The part must keep a rule of its own by which a cycle's evaluations do not depend on their order.
pub trait Shared<T> {
    /// The part.
    fn shared(&mut self) -> &mut T;
}

/// States the closed list of component kinds of a simulation.
///
/// `system! { pub struct Schedule of Parts { tiles: Tile<'a> [TileMessage], ... } }` defines
///
/// - `Parts`, the arenas: one `Vec` for each kind;
/// - `Schedule<P>`, the clock, one queue of messages for each kind and a probe that looks on. It implements [`Clock`],
///   [`Probed`] and, for each kind's message, [`Send`]; with `sharing name: Type`, also [`Shared`];
/// - `Schedule::step(&mut self, &mut Parts) -> bool`, which simulates the next cycle in which anything happens and
///   returns whether there was one.
#[macro_export]
macro_rules! system {
    (
        $(#[$schedule_doc:meta])* schedule $schedule:ident $(probed by $probe:path)? $(, sharing $shared:ident: $shared_kind:ty)?;
        $(#[$parts_doc:meta])* parts $parts:ident $(<$life:lifetime>)?;
        $($(#[$doc:meta])* $field:ident: $kind:ty [$message:ty]),+ $(,)?
    ) => {
        $(#[$parts_doc])*
        pub struct $parts $(<$life>)? {
            $($(#[$doc])* pub $field: Vec<$kind>,)+
        }

        $(#[$schedule_doc])*
        pub struct $schedule<P> {
            now: $crate::Cycle,
            /// Looks on.
            pub probe: P,
            $(/// Shared by all components.
            pub $shared: $shared_kind,)?
            $($field: $crate::Queue<$message>,)+
        }

        impl<P $(: $probe)?> $schedule<P> {
            /// Empty queues at cycle 0, sized for `parts`; messages of a cycle are delivered in `order`.
            pub fn new(parts: &$parts, order: $crate::Order, probe: P $(, $shared: $shared_kind)?) -> Self {
                Self { now: 0, probe, $($shared,)? $($field: $crate::Queue::new(parts.$field.len(), order),)+ }
            }

            /// Simulates the next cycle in which anything happens. False when no message is left.
            pub fn step(&mut self, parts: &mut $parts) -> bool {
                let next = [$(self.$field.next(self.now)),+].into_iter().flatten().min();
                let Some(next) = next else { return false };
                self.now = next;
                $($crate::drive(&mut parts.$field, self, |schedule| &mut schedule.$field, next);)+
                true
            }
        }

        impl<P> $crate::Probed for $schedule<P> {
            type Probe = P;

            #[inline]
            fn probe(&mut self) -> &mut P {
                &mut self.probe
            }
        }

        $(impl<P> $crate::Shared<$shared_kind> for $schedule<P> {
            #[inline]
            fn shared(&mut self) -> &mut $shared_kind {
                &mut self.$shared
            }
        })?

        impl<P> $crate::Clock for $schedule<P> {
            #[inline]
            fn now(&self) -> $crate::Cycle {
                self.now
            }
        }

        $(impl<P> $crate::Send<$message> for $schedule<P> {
            #[inline]
            fn send(&mut self, delay: $crate::Cycle, to: u32, message: $message) {
                self.$field.push(self.now, delay, to, message);
            }
        })+
    };
}
