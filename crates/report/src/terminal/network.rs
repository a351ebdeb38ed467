//! Networks: their nodes, and the graph of these.

use arch::Arch;
use network::{Network, NodeList, Operator, Origin, Plan, Shape};

use super::{paragraph, table};
use crate::format::grouped;

/// Returns a table with a line for each node of `list`, and totals. `crossbars` are those of one replica of each layer
/// of `network`, which `list` is lowered to.
pub fn network(list: &NodeList, network: &Network, crossbars: &[u64], machine: &str) -> String {
    let headings = ["node", "kind", "reads", "map", "windows", "crossbars", "MACs"];
    let mut table = table(&headings, &[0, 1, 2]).sparing(&[4, 1]);
    let mut layers = network.layers.iter().zip(crossbars);
    for node in &list.nodes {
        let reads: Vec<&str> = node.inputs.iter().map(|origin| name_of(list, *origin)).collect();
        let layer = if node.operator.is_crossbar() { layers.next() } else { None };
        let number = |number: Option<u64>| number.map(grouped).unwrap_or_default();
        table.add_row([
            node.name.clone(),
            node.operator.kind().replace('_', " "),
            reads.join(", "),
            layer.map(|(layer, _)| shape(layer.output)).unwrap_or_default(),
            number(layer.map(|(layer, _)| layer.windows())),
            number(layer.map(|(_, crossbars)| *crossbars)),
            number(layer.map(|(layer, _)| layer.windows() * layer.macs_per_window())),
        ]);
    }
    let macs = network.layers.iter().map(|layer| layer.windows() * layer.macs_per_window()).sum();
    let totals = format!(
        "{}: image {}, {} crossbar layers, {} maps travel, {} multiply-accumulates\n\
         one replica of each layer needs {} crossbars of {machine}\n",
        network.name,
        shape(network.input),
        grouped(index::count(network.layers.len())),
        grouped(index::count(network.maps.len())),
        grouped(macs),
        grouped(crossbars.iter().sum()),
    );
    format!("{}\n\n{}", table.trim_fmt(), paragraph(&totals))
}

/// Returns a table with the bits of each layer on the crossbars of `arch`, from its inputs to the sums that registers
/// hold.
pub fn bits(network: &Network, plan: &Plan, plan_name: &str, arch: &Arch) -> String {
    let headings = ["node", "inputs", "reads", "weights", "columns", "rows", "ADC needs", "shift", "sum", "kept"];
    let mut table = table(&headings, &[0]);
    for (layer, precision) in network.layers.iter().zip(&plan.layers) {
        let (inputs, weights) = (precision.stored_bits(layer), precision.weight_bits);
        let (reads, columns) = (arch.iterations(inputs), arch.columns_per_weight(weights));
        let rows = layer.rows().min(arch.crossbar.rows);
        let (cell, dac) = (arch.crossbar.cell_bits, arch.dac.bits);
        let needed = arch::column_sum_bits(rows.into(), cell, dac, arch.adc.flipped_encoding);
        let sum = sum_bits(layer.rows(), inputs, weights);
        let row = [inputs, reads, weights, columns, rows, needed, (reads.max(1) - 1) * dac + (columns - 1) * cell, sum];
        let kept = sum.min(arch.tile.partial_sum_bits);
        table.add_row(
            [layer.name.clone()].into_iter().chain(row.into_iter().chain([kept]).map(|bits| bits.to_string())),
        );
    }
    format!(
        "{}\n\n{}, {plan_name}, on {}: bits, but for reads, columns of a weight and rows of a column\n\
         ADCs have {} bits. The largest shift aligns the last read with the highest column. Registers and packets hold the \
         bits kept of a sum, and time and energy count these; `aquasim infer` computes with whole sums.\n",
        table.trim_fmt(),
        network.name,
        arch.name,
        arch.adc.bits,
    )
}

/// Returns the bits of the largest sum of `rows` products, with its sign. Formats are symmetric: n bits hold numbers up
/// to 2^(n-1) - 1.
fn sum_bits(rows: u32, inputs: u32, weights: u32) -> u32 {
    let largest = |bits: u32| (1_u128 << bits.saturating_sub(1)) - 1;
    let sum = u128::from(rows) * largest(inputs) * largest(weights);
    u128::BITS - sum.leading_zeros() + 1
}

/// Returns the nodes of `list` and what they read as a Mermaid flowchart: crossbar nodes as boxes, tile nodes with round
/// corners, wiring as dots.
pub fn flowchart(list: &NodeList) -> String {
    let mut text = "flowchart TD\n  input([input])\n".to_owned();
    for (index, node) in list.nodes.iter().enumerate() {
        // Quotation marks would end the label.
        let label = node.name.replace('"', "'");
        text += &match &node.operator {
            operator if operator.is_crossbar() => format!("  n{index}[\"{label}\"]\n"),
            operator if operator.is_wiring() => format!("  n{index}((\"{label}\"))\n"),
            Operator::Add => format!("  n{index}{{\"{label}\"}}\n"),
            _ => format!("  n{index}(\"{label}\")\n"),
        };
        for origin in &node.inputs {
            text += &match origin {
                Origin::Image => format!("  input --> n{index}\n"),
                Origin::Node(before) => format!("  n{before} --> n{index}\n"),
            };
        }
    }
    text
}

/// Returns a table of the networks that are built in, each with its name as a preset.
pub fn networks(networks: &[(&str, Network)]) -> String {
    let mut table = table(&["preset", "network", "image", "layers", "MACs", "weights"], &[0, 1]).sparing(&[1]);
    for (preset, network) in networks {
        let sum = |figure: fn(&network::Layer) -> u64| network.layers.iter().map(figure).sum::<u64>();
        table.add_row([
            (*preset).to_owned(),
            network.name.clone(),
            shape(network.input),
            grouped(index::count(network.layers.len())),
            grouped(sum(|layer| layer.windows() * layer.macs_per_window())),
            grouped(sum(network::Layer::macs_per_window)),
        ]);
    }
    table.trim_fmt() + "\n"
}

fn name_of(list: &NodeList, origin: Origin) -> &str {
    match origin {
        Origin::Image => "input",
        Origin::Node(node) => &list.nodes[node].name,
    }
}

fn shape(Shape { height, width, channels }: Shape) -> String {
    format!("{height} x {width} x {channels}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_a_sum_hold_its_largest_value_and_no_more_are_needed() {
        // Two's complement of n bits holds up to 2^(n-1) - 1: 127 x 127 = 16,129, and three of them 48,387.
        assert_eq!((sum_bits(1, 8, 8), sum_bits(2, 8, 8), sum_bits(3, 8, 8)), (15, 16, 17));
        assert_eq!(sum_bits(4608, 16, 16), 44);
    }

    #[test]
    fn bits_of_a_layer_follow_from_its_rows_and_precision() {
        let (network, arch) = (network::load("vgg16").expect("built in"), arch::load("isaac-ce").expect("built in"));
        let table = bits(&network, &Plan::uniform(&network, 16, 8), "plan", &arch);
        let cells = |name: &str| {
            let line = table.lines().find(|line| line.trim_start().starts_with(name)).expect("the layer has a line");
            line.split_whitespace().skip(1).map(|cell| cell.parse().expect("a number")).collect::<Vec<u32>>()
        };
        // 27 rows of 2-bit cells sum to 81, half of it with flipped encoding: 6 bits. Eight columns of a 16-bit weight.
        assert_eq!(cells("conv1_1"), [8, 8, 16, 8, 27, 6, 7 + 14, 28, 16]);
        // 128 of 4,608 rows in a crossbar.
        assert_eq!(cells("conv5_3"), [8, 8, 16, 8, 128, 8, 7 + 14, 36, 16]);
    }
}
