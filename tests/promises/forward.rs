//! A run that leaves images out because its state recurs has the outcome of the full run, to the bit.

use std::cell::Cell;

use chip::{Fidelity, Forward, Options, Outcome};
use network::{Network, Plan};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::any::{any_bits, any_machine, any_network, plan_of};
use crate::support::{machine, preset, run};

/// Generated cases, of which about seven in ten can be mapped. `PROPTEST_CASES` asks for more.
const CASES: u32 = 2000;

/// The outcome without the note of which images were simulated.
fn as_simulated(outcome: Outcome) -> Outcome {
    Outcome { recurrence: None, ..outcome }
}

#[test]
fn whatever_recurs_is_forwarded_to_the_outcome_of_the_full_run() {
    let fidelity = prop_oneof![Just(Fidelity::Operation), Just(Fidelity::Iteration)];
    let options = (2u32..=80, any::<bool>(), fidelity);
    let cases = (any_machine(), any::<bool>(), any_network(), any_bits(), options);
    let (mapped, forwarded) = (Cell::new(0u32), Cell::new(0u32));
    let mut runner = TestRunner::new(Config {
        cases: CASES.max(Config::default().cases),
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&cases, |(mut arch, multicast, network, bits, (images, uncontended, fidelity))| {
        arch.router.multicast = multicast;
        let Ok(layout) = mapper::balance(&arch, &network, &plan_of(&network, &bits)) else { return Ok(()) };
        let at = |forward| {
            let options = Options { images, uncontended, fidelity, forward, ..Options::default() };
            chip::run(&arch, &layout, &options).expect("it runs")
        };
        // Panics if a state that recurred does not go on to recur.
        let full = at(Forward::Check);
        prop_assert_eq!(full.recurrence, None);
        let outcome = at(Forward::Recurring);
        mapped.set(mapped.get() + 1);
        forwarded.set(forwarded.get() + u32::from(outcome.recurrence.is_some()));
        prop_assert_eq!(as_simulated(outcome), full);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (mapped, forwarded) = (mapped.get(), forwarded.get());
    println!("{forwarded} of {mapped} runs were forwarded");
    assert!(4 * forwarded > mapped, "only {forwarded} of {mapped} runs were forwarded");
}

fn run_tiny(network: &Network, options: &Options) -> Outcome {
    run(&machine("tiny", &[]), network, &Plan::uniform(network, 16, 16), options)
}

#[test]
fn the_longest_run_costs_a_few_images() {
    let outcome = run_tiny(&preset("tiny"), &Options { images: chip::MOST_IMAGES, ..Options::default() });
    let recurrence = outcome.recurrence.expect("the state recurs");
    assert!(recurrence.simulated < 20, "{recurrence:?}");
    assert_eq!(outcome.images.len(), 10_000);
    assert!(outcome.pace(256.0).is_ok());
}

#[test]
fn every_image_is_simulated_if_that_is_asked_for() {
    let options = |forward| Options { images: 40, forward, ..Options::default() };
    let forwarded = run_tiny(&preset("tiny"), &options(Forward::Recurring));
    let full = run_tiny(&preset("tiny"), &options(Forward::Never));
    assert!(forwarded.recurrence.is_some() && full.recurrence.is_none());
    assert_eq!(as_simulated(forwarded), full);
}
