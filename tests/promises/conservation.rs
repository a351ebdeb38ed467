//! Nothing is lost: bits, cycles, windows and energy.

use chip::{Cause, Options};
use network::{LayerId, Plan};

use crate::support::{isaac, machine, network, preset, run};

#[test]
fn the_cycles_of_all_imas_add_up_to_units_times_cycles() {
    let (arch, vgg16) = (isaac(&[]), preset("vgg16"));
    let outcome = run(&arch, &vgg16, &Plan::uniform(&vgg16, 16, 16), &Options { images: 2, ..Options::default() });
    for (layer, name) in outcome.layers.iter().zip(vgg16.layers.iter().map(|layer| &layer.name)) {
        let sum: u64 = Cause::ALL.iter().map(|&cause| layer.stalls[cause]).sum();
        assert_eq!(sum, layer.imas * outcome.cycles, "{name}");
    }
}

#[test]
fn bits_that_are_sent_are_written_and_every_result_is_sent() {
    let (arch, tiny) = (machine("tiny", &[]), preset("tiny"));
    let outcome = run(&arch, &tiny, &Plan::uniform(&tiny, 16, 16), &Options::default());
    for layer in &outcome.layers {
        let counts = &layer.counts;
        assert_eq!(counts.result_bits_sent + counts.host_bits_written, counts.edram_bits_written);
    }
    let (last, classes) = (outcome.layers.last().expect("layers"), tiny.layers.last().expect("layers").output.channels);
    assert_eq!(last.counts.edram_bits_written, u64::from(classes * arch.tile.partial_sum_bits));
}

#[test]
fn a_chain_in_one_tile_each_writes_and_reads_what_its_shapes_say() {
    // One replica of each of two layers with 1 x 1 kernels: every value is written once and read once by each IMA.
    let pair = network(
        [4, 4, 8],
        "[[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 1\nchannels = 16\n\
         [[layers]]\nname = \"b\"\nkind = \"convolution\"\nkernel = 1\nchannels = 4\n",
    );
    let outcome = run(&isaac(&[]), &pair, &Plan::uniform(&pair, 16, 16), &Options::default());
    let (a, b) = (&outcome.layers[0].counts, &outcome.layers[1].counts);
    assert_eq!((a.host_bits_written, a.edram_bits_read), (16 * 8 * 16, 16 * 8 * 16));
    assert_eq!((a.result_bits_sent, b.edram_bits_read), (16 * 16 * 16, 16 * 16 * 16));
    assert_eq!(b.result_bits_sent, 16 * 4 * 16);
    assert_eq!(a.bus_bits, a.edram_bits_read + 16 * 16 * 16);
    assert_eq!((a.sigmoids, b.sigmoids), (16 * 16, 16 * 4));
}

#[test]
fn energy_is_counts_times_coefficients() {
    let (arch, tiny) = (machine("tiny", &[]), preset("tiny"));
    let counts = run(&arch, &tiny, &Plan::uniform(&tiny, 16, 16), &Options::default()).counts();
    let energy = analysis::energy(&arch, &counts);
    let of = |name: &str| energy.iter().find(|group| group.name == name).unwrap_or_else(|| panic!("no {name}")).pj();
    let e = &arch.energy;
    assert_eq!(of("dac"), counts.dac_activations as f64 * e.dac.dac_row.pj);
    assert_eq!(
        of("adc"),
        counts.adc_conversions as f64 * (e.adc.adc_conversion_8_bits.pj * arch::adc_energy_scale(arch.adc.bits))
    );
    assert_eq!(of("edram_buffer"), (counts.edram_bits_read + counts.edram_bits_written) as f64 * e.edram.edram_bit.pj);
    assert_eq!(of("router"), counts.router_flit_hops as f64 * e.router.router_flit.pj);
}

#[test]
fn a_cropped_window_costs_nothing_and_reads_as_zero() {
    let tiny = preset("tiny");
    let mut plan = Plan::uniform(&tiny, 16, 16);
    let all = tiny.layers[LayerId(0)].output;
    plan.layers[LayerId(0)].regions =
        vec![network::Region { top: 0, left: 0, height: all.height, width: all.width, bits: 0 }];
    let outcome = run(&machine("tiny", &[]), &tiny, &plan, &Options::default());
    let (first, second) = (&outcome.layers[0].counts, &outcome.layers[1].counts);
    assert_eq!((first.windows, first.adc_conversions, first.edram_bits_read, first.result_bits_sent), (0, 0, 0, 0));
    assert_eq!(second.edram_bits_read, 0, "zeros were read");
    assert!(second.adc_conversions > 0, "the layer behind has its windows all the same");
}

#[test]
fn a_layer_without_activation_bits_is_cropped_as_a_whole() {
    let tiny = preset("tiny");
    let mut plan = Plan::uniform(&tiny, 16, 16);
    plan.layers[LayerId(1)].activation_bits = 0;
    let outcome = run(&machine("tiny", &[]), &tiny, &plan, &Options::default());
    assert_eq!((outcome.layers[1].counts.windows, outcome.layers[0].counts.result_bits_sent), (0, 0));
}
