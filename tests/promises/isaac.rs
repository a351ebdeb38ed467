//! ISAAC's own figures.

use arch::Scope;
use arch::derived::{Derived, derived};
use chip::{Fidelity, Options};
use network::{Kernel, Layer, LayerKind, Plan};

use crate::support::{network, paper_table, preset, run};

const TABLE_1: &str = include_str!("../data/isaac-table1.csv");
const RESULTS: &str = include_str!("../data/isaac-results.csv");

fn isaac() -> Derived {
    derived(&arch::load("isaac-ce").unwrap())
}

fn assert_close(what: &str, value: f64, paper: f64, tolerance: f64) {
    let error = (value / paper - 1.0).abs();
    assert!(error <= tolerance, "{what}: {value}, and the paper has {paper}");
}

/// The first number of a row of the results.
fn result(quantity: &str) -> f64 {
    let row = RESULTS.lines().find(|row| row.starts_with(quantity));
    let row = row.unwrap_or_else(|| panic!("no row {quantity}"));
    row.split(',').nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_group_of_isaac_ce_has_the_count_power_and_area_of_table_1() {
    let derived = isaac();
    let rows = TABLE_1.lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut seen = 0;
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let [scope, component, count, .., power_mw, area_mm2] = fields[..] else {
            panic!("{row}");
        };
        let (scope, name) = match (scope, component) {
            ("tile", "edram_to_ima_bus") => (Scope::Tile, "bus"),
            ("tile", "shift_add") => (Scope::Tile, "tile_shift_add"),
            ("tile", "output_register") => (Scope::Tile, "tile_output_register"),
            ("tile", name) => (Scope::Tile, name),
            ("ima", name) => (Scope::Ima, name),
            ("router", name) => (Scope::Router, name),
            ("chip", name) => (Scope::Chip, name),
            _ => panic!("{row}"),
        };
        let group = derived.groups.iter().find(|group| group.name == name && group.scope == scope);
        let group = group.unwrap_or_else(|| panic!("no group for {row}"));
        assert_eq!(group.units.to_string(), count, "{row}");
        assert_close(row, group.power_mw, power_mw.parse().unwrap(), 0.005);
        assert_close(row, group.area_mm2, area_mm2.parse().unwrap(), 0.005);
        seen += 1;
    }
    assert_eq!(seen, derived.groups.len());
}

#[test]
fn tiles_and_chips_have_the_power_and_area_that_isaac_prints() {
    let derived = isaac();
    assert_close("tile power", derived.tile.power_mw, result("tile power"), 0.005);
    assert_close("tile area", derived.tile.area_mm2, result("tile area"), 0.005);
    assert_close("chip power", derived.chip.power_mw / 1000.0, result("chip power"), 0.005);
    assert_close("chip area", derived.chip.area_mm2, result("chip area"), 0.005);
}

#[test]
fn a_chip_of_isaac_ce_has_the_imas_and_routers_that_isaac_prints() {
    let isaac = arch::load("isaac-ce").unwrap();
    let per_chip = |scope: Scope| scope.per_chip(&isaac);
    assert_eq!([Scope::Ima, Scope::Tile, Scope::Router, Scope::Chip].map(per_chip), [2016.0, 168.0, 42.0, 1.0]);
}

#[test]
fn adcs_have_the_share_of_a_tile_that_isaac_prints() {
    let derived = isaac();
    let points = |share: f64, row| (share * 100.0 - result(row)).abs();
    assert!(points(derived.adc_power_share, "ADC share of tile power") <= 1.0);
    assert!(points(derived.adc_area_share, "ADC share of tile area") <= 1.0);
}

#[test]
fn isaac_ce_has_the_peak_throughput_and_efficiencies_that_isaac_prints() {
    let derived = isaac();
    assert_close("peak", derived.peak_gops, result("peak throughput"), 0.005);
    assert_close("PE", derived.gops_per_watt, result("PE of ISAAC-CE"), 0.005);
    assert_close("CE", derived.gops_per_mm2, result("CE of ISAAC-CE"), 0.01);
    assert_close("SE", derived.mb_per_mm2, result("SE of ISAAC-CE"), 0.005);
}

#[test]
fn adc_energy_of_other_resolutions_follows_isaacs_rule() {
    // 0.19543 n + 0.000414 x 2^n, over its 1.669424 pJ at 8 bits.
    for (bits, pj) in [(4, 0.788_344), (6, 1.199_076), (8, 1.669_424), (9, 1.970_838), (12, 4.040_904)] {
        assert_close("scale", arch::adc_energy_scale(bits), pj / 1.669_424, 1e-9);
    }
}

#[test]
fn adc_area_of_other_resolutions_follows_a_rule_of_its_own() {
    // 81.727 n + 2.13353 x 2^n um2, over its 1199.99968 um2 at 8 bits.
    for (bits, um2) in
        [(4, 361.04448), (6, 626.90792), (7, 845.18084), (8, 1199.99968), (9, 1827.91036), (12, 9719.66288)]
    {
        assert_close("scale", arch::adc_area_scale(bits), um2 / 1199.99968, 1e-9);
    }
    let area = |bits: u32| {
        let mut machine = arch::load("isaac-ce").unwrap();
        machine.adc.bits = bits;
        derived(&machine).groups.iter().find(|group| group.name == "adc").unwrap().area_mm2
    };
    // Table I's 8 ADCs take 0.0096 mm2.
    for (bits, relative) in [(7, 0.704), (8, 1.0), (9, 1.523)] {
        assert!((area(bits) / 0.0096 - relative).abs() < 0.0005, "{bits} bits");
    }
}

/// Peak throughput per area of ISAAC-CE with some fields changed, its rows fitted to its 8-bit ADCs.
fn efficiency_at_8_bits(key: &str, bits: u32) -> f64 {
    let text = arch::text("isaac-ce").unwrap().0;
    let with = |rows: u32| {
        let changes = [(key, bits.into()), ("crossbar.rows", rows.into()), ("ima.output_register_bytes", 512.into())];
        arch::with_overrides(&text, "isaac-ce.toml", &changes).unwrap()
    };
    let rows = [8, 16, 32, 64, 128, 256, 512].into_iter().rev().find(|&rows| arch::lossless_adc_bits(&with(rows)) <= 8);
    derived(&with(rows.expect("few enough rows fit"))).gops_per_mm2
}

#[test]
fn at_an_8_bit_adc_dacs_of_one_bit_and_cells_of_two_are_best() {
    let best = |key: &str, bits: &[u32]| {
        let of = |bits: &u32| efficiency_at_8_bits(key, *bits);
        *bits.iter().max_by(|a, b| of(a).total_cmp(&of(b))).unwrap()
    };
    assert_eq!(best("dac.bits", &[1, 2, 3, 4]), 1);
    assert_eq!(best("crossbar.cell_bits", &[1, 2, 3, 4]), 2);
}

#[test]
fn lossless_adcs_have_the_bits_of_isaacs_formula() {
    let text = arch::text("isaac-ce").unwrap().0;
    // ISAAC section V: v + w + log2 R bits, one less if v = 1 or w = 1, and one less with flipped encoding.
    for (rows, cell_bits, dac_bits, bits) in
        [(128, 2, 1, 8), (256, 2, 1, 9), (128, 1, 1, 7), (128, 2, 2, 10), (64, 4, 1, 9)]
    {
        let overrides = [
            ("crossbar.rows", rows.into()),
            ("crossbar.cell_bits", cell_bits.into()),
            ("dac.bits", dac_bits.into()),
            ("ima.output_register_bytes", 2048.into()),
        ];
        let machine = arch::with_overrides(&text, "isaac-ce.toml", &overrides).unwrap();
        assert_eq!(arch::lossless_adc_bits(&machine), bits, "{rows} rows, {cell_bits}-bit cells, {dac_bits}-bit DACs");
    }
}

#[test]
fn isaacs_networks_leave_an_image_every_3136_cycles_without_contention() {
    // Section IV: as many replicas as keep pace with the last convolution, of 196 windows of 16 reads.
    let isaac = arch::load("isaac-ce").unwrap();
    for name in aqua::isaac::NETWORKS {
        let network = preset(name);
        let options = Options { images: 8, uncontended: true, ..Options::default() };
        let pace = run(&isaac, &network, &Plan::uniform(&network, 16, 16), &options).pace(3136.0);
        assert_eq!(pace.map(|pace| pace.cycles_per_image), Ok(3136.0), "{name}");
    }
}

#[test]
fn vgg_d_is_vgg16_by_another_name() {
    let isaac = arch::load("isaac-ce").unwrap();
    let digest = |name| {
        let network = preset(name);
        run(&isaac, &network, &Plan::uniform(&network, 16, 16), &Options::default()).digest
    };
    assert_eq!(digest("vgg-d"), digest("vgg16"));
}

#[test]
fn an_operation_takes_a_cycle_for_each_bit_up_to_32() {
    // Section VI: a cycle before the reads, and five after them.
    let isaac = arch::load("isaac-ce").unwrap();
    let one = network([1, 1, 128], "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 64\n");
    for (bits, cycles) in [(8, 14), (16, 22), (32, 38)] {
        let at = |fidelity| {
            let options = Options { fidelity, ..Options::default() };
            run(&isaac, &one, &Plan::uniform(&one, bits, bits), &options)
        };
        let outcome = at(Fidelity::Operation);
        assert_eq!(outcome, at(Fidelity::Iteration));
        assert_eq!(outcome.cycles, cycles, "{bits} bits");
        // Each of 64 weights of a row takes a column for two bits, and is converted once for each bit of the input.
        assert_eq!(outcome.counts().adc_conversions, u64::from(64 * bits / 2 * bits), "{bits} bits");
    }
}

#[test]
fn isaacs_networks_have_the_layers_of_the_table() {
    let table = paper_table("isaac-networks.csv");
    for name in aqua::isaac::NETWORKS {
        let network = preset(name);
        // Kernel, stride, padding and channels of a layer, and its pool.
        let mut expected: Vec<([u32; 4], Option<[u32; 3]>)> = Vec::new();
        for row in table.iter().filter(|row| row["network"] == network.name) {
            let number = |key: &str| row[key].parse().unwrap_or(0);
            let window = [number("kernel"), number("stride"), number("padding")];
            match row["kind"].as_str() {
                "max_pool" => expected.last_mut().expect("a pool follows a layer").1 = Some(window),
                "convolution" => expected.push(([window[0], window[1], window[2], number("channels")], None)),
                _ => expected.push(([0, 0, 0, number("channels")], None)),
            }
        }
        let layers = network.layers.iter().map(|layer| {
            let Layer { kernel, output, pool, .. } = layer;
            let sizes_of = |kernel: &Kernel| {
                assert!(kernel.is_square(), "{name}");
                [kernel.size.y, kernel.stride.y, kernel.padding.top]
            };
            let sizes = match layer.kind {
                LayerKind::Convolution => {
                    let [kernel, stride, padding] = sizes_of(kernel);
                    [kernel, stride, padding, output.channels]
                }
                LayerKind::FullyConnected => [0, 0, 0, output.channels],
            };
            (sizes, pool.as_ref().map(sizes_of))
        });
        assert_eq!(layers.collect::<Vec<_>>(), expected, "{name}");
    }
}
