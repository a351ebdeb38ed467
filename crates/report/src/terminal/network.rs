//! Networks: their nodes, and the graph of these.

use network::{Network, NodeList, Operator, Origin, Shape};

use super::{paragraph, table};
use crate::format::grouped;

/// Returns a table with a line for each node of `list`, and totals. `crossbars` are those of one replica of each layer
/// of `network`, which `list` is lowered to.
pub fn network(list: &NodeList, network: &Network, crossbars: &[u64], machine: &str) -> String {
    let headings = ["node", "kind", "reads", "map", "windows", "crossbars", "MACs"];
    let mut table = table(&headings, &[0, 1, 2]).sparing(&[4]);
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
