//! Events a second of the kernel alone: a chain of stages, each of which hands a message on.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use des::{Component, Order, Send, Wake};

struct Stage {
    next: u32,
    handled: u64,
}

struct Pass;

impl<C: Send<Pass>> Component<C> for Stage {
    type Message = Pass;

    #[inline]
    fn receive(&mut self, _: Pass, context: &mut C) -> Wake {
        self.handled += 1;
        context.send(1, self.next, Pass);
        Wake::Sleep
    }

    fn evaluate(&mut self, _: &mut C) -> Wake {
        Wake::Sleep
    }
}

des::system! {
    /// The clock and the queue of stages.
    schedule Schedule;
    /// The stages.
    parts Parts;
    /// A ring of stages.
    stages: Stage [Pass],
}

const STAGES: u32 = 1024;
const CYCLES: u64 = 1000;

fn chain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(u64::from(STAGES) * CYCLES));
    let mut parts = Parts { stages: (0..STAGES).map(|id| Stage { next: (id + 1) % STAGES, handled: 0 }).collect() };
    let mut schedule = Schedule::new(&parts, Order::Sent, ());
    for id in 0..STAGES {
        schedule.send(1, id, Pass);
    }
    group.bench_function("chain of 1024 stages", |bencher| {
        bencher.iter(|| {
            for _ in 0..CYCLES {
                schedule.step(&mut parts);
            }
            parts.stages[0].handled
        });
    });
    group.finish();
}

criterion_group!(benches, chain);
criterion_main!(benches);
