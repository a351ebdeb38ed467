//! The numbers of the papers, by simulation.

use arch::{Arch, Counts};
use chip::{Cause, Options};
use components::{Direction, Port, Routers};
use mapper::Layout;
use network::{Edges, Network, Plan};

use crate::support::{assert_near, isaac, network, paper_table, preset, run, run_layout, run_replicas};

/// Power in mW of each component group in the steady state of a one-layer network: what `rows` more rows of the map
/// cost in energy, over the time that they take.
fn steady_power(arch: &Arch, layers: impl Fn(u32) -> Network, rows: [u32; 2]) -> Vec<(String, f64)> {
    let of = |rows: u32| {
        let outcome = run_replicas(arch, &layers(rows), u64::from(arch.tile.imas), &Options::default());
        // The host writes the input image without taking the time of the eDRAM port.
        let mut counts = outcome.counts();
        counts.edram_bits_written -= counts.host_bits_written;
        (analysis::energy(arch, &counts), outcome.cycles)
    };
    let ((few, few_cycles), (many, many_cycles)) = (of(rows[0]), of(rows[1]));
    let ns = (many_cycles - few_cycles) as f64 * arch.cycle_ns;
    // pJ over ns is mW.
    many.iter().zip(&few).map(|(many, few)| (many.name.to_string(), (many.pj() - few.pj()) / ns)).collect()
}

/// A layer of 1 x 1 kernels that fills whole IMAs: `inputs` rows, `outputs` results.
fn pointwise(rows: u32, inputs: u32, outputs: u32, pool: bool) -> Network {
    let pool = if pool { "[[layers]]\nname = \"p\"\nkind = \"max_pool\"\nkernel = 2\nstride = 2\n" } else { "" };
    let layer = format!("[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 1\nchannels = {outputs}\n{pool}");
    network([rows, 24, inputs], &layer)
}

/// One tile is the whole machine, so that the mapper fills it.
fn one_tile(imas: &str) -> Arch {
    let board = [("board.chips", "1"), ("board.columns", "1"), ("chip.tile_columns", "1"), ("chip.tile_rows", "1")];
    let router = [("router.tile_columns", "1"), ("router.tile_rows", "1"), ("tile.imas", imas)];
    isaac(&[board.as_slice(), &router].concat())
}

fn printed_power(scope: &str, component: &str) -> f64 {
    let table = paper_table("isaac-table1.csv");
    let row = table.iter().find(|row| row["scope"] == scope && row["component"] == component);
    row.unwrap_or_else(|| panic!("ISAAC Table I has no {component}"))["power_mw"].parse().expect("a power")
}

fn assert_power(powers: &[(String, f64)], group: &str, scope: &str, component: &str, units: f64) {
    let (_, got) = powers.iter().find(|(name, _)| name == group).unwrap_or_else(|| panic!("no group {group}"));
    let printed = printed_power(scope, component);
    assert_near(&format!("ISAAC Table I, {component}, mW"), got / units, printed, 0.005 * printed);
}

#[test]
fn a_tile_in_which_every_ima_computes_draws_the_power_of_isaac_table_1() {
    // One row block and eight column blocks fill an IMA, twelve replicas the tile: 12 x 128 results in 16 cycles.
    let powers = steady_power(&one_tile("12"), |rows| pointwise(rows, 128, 128, true), [48, 96]);
    for group in ["adc", "dac", "crossbar", "sample_hold", "shift_add", "output_register"] {
        assert_power(&powers, group, "ima", group, 12.0);
    }
    assert_power(&powers, "tile_output_register", "tile", "output_register", 1.0);
    assert_power(&powers, "tile_shift_add", "tile", "shift_add", 1.0);
    assert_power(&powers, "sigmoid", "tile", "sigmoid", 1.0);
    assert_power(&powers, "max_pool", "tile", "max_pool", 1.0);
}

#[test]
fn an_ima_with_eight_row_blocks_draws_the_input_register_power_of_isaac_table_1() {
    let powers = steady_power(&one_tile("1"), |rows| pointwise(rows, 1024, 16, false), [12, 24]);
    assert_power(&powers, "input_register", "ima", "input_register", 1.0);
}

#[test]
fn a_tile_that_fills_its_bus_draws_the_bus_and_edram_power_of_isaac_table_1() {
    // Twelve IMAs of eight row blocks ask for 12 x 2 KB in 16 cycles, and the bus carries 16 KB.
    let powers = steady_power(&one_tile("12"), |rows| pointwise(rows, 1024, 16, false), [48, 96]);
    assert_power(&powers, "bus", "tile", "edram_to_ima_bus", 1.0);
    assert_power(&powers, "edram_buffer", "tile", "edram_buffer", 1.0);
}

#[test]
fn a_router_with_all_ports_full_draws_the_power_of_isaac_table_1() {
    let arch = isaac(&[]);
    // A flit each ns of a cycle of 100 ns.
    let (mut router, cycles, per_cycle) = (Routers::new(12, 1), 100u64, 100u32);
    let tiles = (0..4).map(Port::ToTile);
    let ports: Vec<Port> = tiles.chain(Direction::ALL.map(Port::Neighbour)).collect();
    for cycle in 1..=cycles {
        for &port in &ports {
            let start = cycle * u64::from(per_cycle);
            assert_eq!(router.pass(port.number(4), start, per_cycle), start + 1, "a full port had to wait");
        }
    }
    let flits = cycles * u64::from(per_cycle) * ports.len() as u64;
    let counts = Counts { router_flit_hops: flits, ..Counts::default() };
    let energy = analysis::energy(&arch, &counts);
    let pj = energy.iter().find(|group| group.name == "router").expect("a router group").pj();
    let printed = printed_power("router", "router");
    assert_near("ISAAC Table I, router, mW", pj / (cycles as f64 * arch.cycle_ns), printed, 0.005 * printed);
}

/// One window of a layer that one IMA holds.
fn one_window(bits: u32) -> chip::Outcome {
    let network = network([1, 1, 128], "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 128\n");
    run(&isaac(&[]), &network, &Plan::uniform(&network, 16, bits), &Options::default())
}

#[test]
fn one_operation_alone_takes_22_cycles_at_16_bits_and_14_at_8() {
    // ISAAC section VI: the 22-cycle pipeline; it is n + 6 for n iterations.
    assert_eq!((one_window(16).cycles, one_window(8).cycles), (22, 14));
}

#[test]
fn vgg16_has_the_counts_of_the_closed_form_in_every_layer() {
    let (arch, vgg16) = (isaac(&[]), preset("vgg16"));
    let plan = Plan::uniform(&vgg16, 16, 16);
    let layout = mapper::balance(&arch, &vgg16, &plan).expect("VGG16 fits ISAAC");
    let outcome = run_layout(&arch, &layout, &Options::default());
    let table = paper_table("vgg16-counts.csv");
    assert_eq!(table.len(), outcome.layers.len());
    for ((row, layer), laid) in table.iter().zip(&outcome.layers).zip(&layout.layers) {
        let column = |name: &str| row[name].parse::<u64>().expect("an integer");
        let name = &laid.layer.name;
        assert_eq!(&row["layer"], name);
        let geometry = &laid.geometry;
        assert_eq!(u64::from(geometry.row_blocks), column("row_blocks"), "{name}");
        assert_eq!(u64::from(geometry.col_blocks), column("col_blocks"), "{name}");
        assert_eq!(geometry.crossbars(), column("crossbars"), "{name}");
        assert_eq!(laid.replicas.len() as u64, column("replicas_balanced"), "{name}");
        assert_eq!(layer.counts.windows, column("windows"), "{name}");
        assert_eq!(layer.counts.crossbar_operations, column("crossbar_ops"), "{name}");
        assert_eq!(layer.counts.crossbar_reads, column("crossbar_reads"), "{name}");
        assert_eq!(layer.counts.adc_conversions, column("adc_conversions"), "{name}");
    }
    assert_eq!(outcome.counts().adc_conversions, 16_102_883_328);
    assert_eq!(layout.layers.iter().map(|layer| layer.geometry.crossbars()).sum::<u64>(), 67_576);
}

#[test]
fn without_contention_vgg16_finishes_an_image_every_3136_cycles() {
    let vgg16 = preset("vgg16");
    let plan = Plan::uniform(&vgg16, 16, 16);
    let options = Options { images: 8, uncontended: true, ..Options::default() };
    let outcome = run(&isaac(&[]), &vgg16, &plan, &options);
    // 196 windows of 16 reads.
    let pace = outcome.pace(3136.0).expect("it is settled");
    assert_eq!((pace.cycles_per_image, pace.error), (3136.0, 0.0));
}

/// ADC conversions and total dynamic energy of VGG16 under each crop, relative to none.
fn crops() -> Vec<(Edges, f64, f64)> {
    let (arch, vgg16) = (isaac(&[]), preset("vgg16"));
    let layout = |edges: Edges| {
        let plan = Plan::uniform(&vgg16, 16, 16).crop(&vgg16, edges).expect("VGG16 has crop sizes");
        mapper::balance(&arch, &vgg16, &plan).expect("VGG16 fits ISAAC")
    };
    let of = |layout: &Layout| {
        let counts = run_layout(&arch, layout, &Options::default()).counts();
        (counts.adc_conversions as f64, analysis::total_pj(&analysis::energy(&arch, &counts)))
    };
    let (conversions, energy) = of(&layout(Edges::NONE));
    let relative = |edges: Edges| {
        let cropped = of(&layout(edges));
        (edges, cropped.0 / conversions, cropped.1 / energy)
    };
    Edges::all().into_iter().map(relative).collect()
}

#[test]
fn crops_of_vgg16_save_what_aqua_table_1_prints() {
    let table = paper_table("aqua-table1.csv");
    for (row, (edges, conversions, energy)) in table.iter().zip(crops()) {
        let flags = [edges.top, edges.bottom, edges.left, edges.right].map(|cut| u8::from(cut).to_string());
        assert_eq!(["top", "bottom", "left", "right"].map(|side| row[side].clone()), flags);
        let opposite = edges.count() == 2 && edges.top == edges.bottom;
        // Opposite edges: the paper prints the figure of adjacent ones for the whole group and footnotes it.
        let (expected_conversions, printed) = match (edges.count(), opposite) {
            (2, true) => (None, 0.7223),
            (cuts, _) => {
                (Some([1.0, 0.8623, 0.7448, 0.6272, 0.5298][cuts]), row["relative_energy"].parse().expect("a number"))
            }
        };
        if let Some(expected) = expected_conversions {
            assert_near(&format!("AQuA Table I, {edges}, ADC conversions"), conversions, expected, 0.0001);
        }
        assert_near(&format!("AQuA Table I, {edges}, dynamic energy"), energy, printed, 0.006);
    }
}

/// ADC conversions of VGG16 under a plan.
fn conversions(plan: impl Fn(&Network) -> Plan) -> u64 {
    let vgg16 = preset("vgg16");
    run(&isaac(&[]), &vgg16, &plan(&vgg16), &Options::default()).counts().adc_conversions
}

#[test]
fn eight_bit_activations_halve_the_adc_energy_of_every_convolution() {
    // AQuA section III.
    let vgg16 = preset("vgg16");
    let at = |bits: u32| {
        let activations: Vec<u32> = (0..16).map(|layer| if layer < 13 { bits } else { 16 }).collect();
        let plan = Plan::uniform(&vgg16, 16, 16).with_activations(&activations);
        run(&isaac(&[]), &vgg16, &plan, &Options::default())
    };
    let (full, half) = (at(16), at(8));
    for (layer, name) in vgg16.layers.iter().map(|layer| &layer.name).enumerate().take(13) {
        let of = |outcome: &chip::Outcome| outcome.layers[layer].counts.adc_conversions;
        assert_eq!(of(&full), 2 * of(&half), "{name}");
    }
}

#[test]
fn fewer_weight_bits_save_the_conversions_of_model_section_7() {
    let of = |set: &'static str| {
        conversions(move |network| {
            Plan::uniform(network, 16, 16).with_weights(&network::parse_weights(set, network).expect("a weight set"))
        }) as f64
    };
    let full = of("16");
    assert_near("12 bits everywhere", of("12") / full, 0.75, 0.0001);
    assert_near("16-bit varied, classifiers at 16", of("varied") / full, 0.7974, 0.0001);
}

#[test]
fn every_ima_is_busy_196_times_16_cycles_in_every_convolution_of_vgg16() {
    let vgg16 = preset("vgg16");
    let outcome = run(&isaac(&[]), &vgg16, &Plan::uniform(&vgg16, 16, 16), &Options::default());
    for (layer, outcome) in vgg16.layers.iter().zip(&outcome.layers).take(13) {
        assert_eq!(outcome.stalls[Cause::Computing], outcome.imas * 196 * 16, "{}", layer.name);
    }
}
