//! CSV tables (RFC 4180) for spreadsheets and scripts.
//!
//! Each table has one line of headings, which name the units, and one record for each layer or component group.

use analysis::total_pj;
use chip::Cause;

use crate::Report;

/// Returns one record for each layer: shape, cycles, counts, dynamic energy in total and by group.
pub fn layers(report: &Report) -> String {
    let mut headings: Vec<String> = [
        "layer",
        "weight_bits",
        "activation_bits",
        "windows",
        "windows_cropped",
        "row_blocks",
        "col_blocks",
        "crossbars",
        "replicas",
        "ima_rows",
        "ima_cols",
        "imas",
        "first_cycle",
        "last_cycle",
        "macs",
        "nominal_macs",
    ]
    .map(str::to_owned)
    .into();
    // Windows have a column above.
    let counts = report.counts.entries().map(|(name, _)| name).filter(|name| *name != "windows");
    headings.extend(counts.map(str::to_owned));
    headings.push("dynamic_energy_pj".to_owned());
    headings.extend(report.energy_pj.dynamic.iter().map(|group| format!("{}_energy_pj", group.name)));

    let cycle = |cycle: Option<u64>| cycle.map_or(String::new(), |cycle| cycle.to_string());
    let records = report.layers.iter().map(|layer| {
        let mut record = vec![
            layer.name.clone(),
            layer.weight_bits.to_string(),
            layer.activation_bits.to_string(),
            layer.windows.to_string(),
            layer.windows_cropped.to_string(),
            layer.row_blocks.to_string(),
            layer.col_blocks.to_string(),
            layer.crossbars.to_string(),
            layer.replicas.to_string(),
            layer.ima_rows.to_string(),
            layer.ima_cols.to_string(),
            layer.imas.to_string(),
            cycle(layer.first_cycle),
            cycle(layer.last_cycle),
            layer.macs.to_string(),
            layer.nominal_macs.to_string(),
        ];
        let counts = layer.counts.entries().filter(|(name, _)| *name != "windows");
        record.extend(counts.map(|(_, count)| count.to_string()));
        record.push(total_pj(&layer.energy_pj).to_string());
        record.extend(layer.energy_pj.iter().map(|group| group.pj().to_string()));
        record
    });
    csv(headings, records)
}

/// Returns one record for each component group: counted action, count, dynamic and static energy.
pub fn components(report: &Report) -> String {
    let headings = [
        "component",
        "counted",
        "count",
        "energy_per_count_pj",
        "dynamic_energy_pj",
        "dynamic_share",
        "static_energy_pj",
    ];
    let energy = &report.energy_pj;
    let records = energy.dynamic.iter().map(|group| {
        let statics = energy.statics.iter().find(|other| other.name == group.name);
        vec![
            group.name.to_owned(),
            group.action.to_owned(),
            group.actions.to_string(),
            group.pj_per_action.to_string(),
            group.pj().to_string(),
            if energy.dynamic_total > 0.0 { (group.pj() / energy.dynamic_total).to_string() } else { String::new() },
            statics.map_or(0.0, |group| group.pj).to_string(),
        ]
    });
    csv(headings.map(str::to_owned).into(), records)
}

/// Returns one record for each layer: IMA-cycles by stall cause. They add up to its IMAs times the cycles of the run.
pub fn stalls(report: &Report) -> String {
    let causes = Cause::ALL.map(|cause| format!("{}_ima_cycles", cause.name()));
    let headings = ["layer".to_owned(), "imas".to_owned(), "cycles".to_owned()].into_iter().chain(causes).collect();
    let records = report.layers.iter().map(|layer| {
        let name = [layer.name.clone(), layer.imas.to_string(), report.cycles.to_string()];
        name.into_iter().chain(Cause::ALL.map(|cause| layer.stalls[cause].to_string())).collect()
    });
    csv(headings, records)
}

fn csv(headings: Vec<String>, records: impl Iterator<Item = Vec<String>>) -> String {
    let lines = std::iter::once(headings).chain(records).map(|record| {
        let fields: Vec<String> = record.iter().map(|field| quoted(field)).collect();
        fields.join(",") + "\n"
    });
    lines.collect()
}

/// Quotes a field where RFC 4180 requires it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        assert_eq!(["conv1", "a,b", "5\" disk"].map(quoted), ["conv1", "\"a,b\"", "\"5\"\" disk\""]);
    }
}
