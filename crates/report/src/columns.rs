//! Columns of tables: name, kind and value of each, in one place.
//!
//! The tables of a single run and those of a sweep are made of these lists, so that a quantity has one name. A name
//! ends with its unit, unless it is a number of things.

use std::borrow::Cow;

use analysis::{GroupEnergy, total_pj};
use arch::{BLOCKS, Counts};
use chip::Cause;

use crate::cell::{Cell, Kind};
use crate::{LayerReport, Report};

/// Column of a table whose rows are made of `Row`s.
pub struct Column<Row> {
    /// Heading.
    pub name: Cow<'static, str>,
    /// Kind of its cells.
    pub kind: Kind,
    value: Box<dyn Fn(&Row) -> Cell>,
}

impl<Row> Column<Row> {
    /// Makes a column of the name, kind and value of its cells.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: Kind, value: impl Fn(&Row) -> Cell + 'static) -> Self {
        Column { name: name.into(), kind, value: Box::new(value) }
    }

    /// Returns the cell of the column for `row`.
    pub fn cell(&self, row: &Row) -> Cell {
        (self.value)(row)
    }
}

/// Component group of a report.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// Dynamic energy.
    pub(crate) dynamic: &'a GroupEnergy,
    /// Fraction of the dynamic energy of all groups, 0 to 1; `None` if that is 0.
    pub(crate) dynamic_share: Option<f64>,
    /// Static energy, pJ; `None` if the group draws power only when it acts.
    pub(crate) static_pj: Option<f64>,
}

impl Report {
    /// Returns the component groups with all their energies.
    pub fn components(&self) -> impl Iterator<Item = Component<'_>> {
        let energy = &self.energy_pj;
        let total = energy.dynamic_total;
        energy.dynamic.iter().map(move |dynamic| Component {
            dynamic,
            dynamic_share: (total > 0.0).then(|| dynamic.pj() / total),
            static_pj: energy.statics.iter().find(|other| other.name == dynamic.name).map(|group| group.pj),
        })
    }
}

/// Returns the columns of a component group: counted action, count, dynamic and static energy.
pub fn components<'a>() -> Vec<Column<Component<'a>>> {
    type Of<'a> = Column<Component<'a>>;
    vec![
        Of::new("component", Kind::Text, |row| row.dynamic.name.into()),
        Of::new("counted", Kind::Text, |row| row.dynamic.action.into()),
        Of::new("count", Kind::Integer, |row| row.dynamic.actions.into()),
        Of::new("energy_per_count_pj", Kind::Real, |row| row.dynamic.pj_per_action.into()),
        Of::new("dynamic_energy_pj", Kind::Real, |row| row.dynamic.pj().into()),
        Of::new("dynamic_share", Kind::Real, |row| row.dynamic_share.into()),
        Of::new("static_energy_pj", Kind::Real, |row| row.static_pj.unwrap_or(0.0).into()),
    ]
}

/// Returns the columns of a layer: shape, cycles, counts, dynamic energy in total and by group.
pub fn layers() -> Vec<Column<LayerReport>> {
    type Of = Column<LayerReport>;
    let mut columns = vec![
        Of::new("layer", Kind::Text, |layer| layer.name.as_str().into()),
        Of::new("weight_bits", Kind::Integer, |layer| layer.weight_bits.into()),
        Of::new("activation_bits", Kind::Integer, |layer| layer.activation_bits.into()),
        Of::new("windows", Kind::Integer, |layer| layer.windows.into()),
        Of::new("windows_cropped", Kind::Integer, |layer| layer.windows_cropped.into()),
        Of::new("row_blocks", Kind::Integer, |layer| layer.row_blocks.into()),
        Of::new("col_blocks", Kind::Integer, |layer| layer.col_blocks.into()),
        Of::new("crossbars", Kind::Integer, |layer| layer.crossbars.into()),
        Of::new("replicas", Kind::Integer, |layer| layer.replicas.into()),
        Of::new("ima_rows", Kind::Integer, |layer| layer.ima_rows.into()),
        Of::new("ima_cols", Kind::Integer, |layer| layer.ima_cols.into()),
        Of::new("imas", Kind::Integer, |layer| layer.imas.into()),
        Of::new("first_cycle", Kind::Integer, |layer| layer.first_cycle.into()),
        Of::new("last_cycle", Kind::Integer, |layer| layer.last_cycle.into()),
        Of::new("macs", Kind::Integer, |layer| layer.macs.into()),
        Of::new("nominal_macs", Kind::Integer, |layer| layer.nominal_macs.into()),
    ];
    // Windows have a column above.
    let counts = Counts::default().entries().into_iter().enumerate().filter(|(_, (name, _))| *name != "windows");
    columns.extend(
        counts.map(|(index, (name, _))| {
            Of::new(name, Kind::Integer, move |layer| layer.counts.entries()[index].1.into())
        }),
    );
    columns.push(Of::new("dynamic_energy_pj", Kind::Real, |layer| total_pj(&layer.energy_pj).into()));
    columns.extend(BLOCKS.iter().enumerate().map(|(index, block)| {
        let name = format!("{}_energy_pj", block.name);
        Of::new(name, Kind::Real, move |layer| layer.energy_pj[index].pj().into())
    }));
    columns
}

/// Returns a column for each stall cause: the IMA-cycles of a layer that went to it.
pub fn stalls() -> Vec<Column<LayerReport>> {
    let columns = Cause::ALL.into_iter().map(|cause| {
        let name = format!("{}_ima_cycles", cause.name());
        Column::new(name, Kind::Integer, move |layer: &LayerReport| layer.stalls[cause].into())
    });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_layer_has_one_column_of_each_name() {
        let names: Vec<_> = layers().into_iter().chain(stalls()).map(|column| column.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}
