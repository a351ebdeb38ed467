//! How replicas are cut into IMAs.

use mapper::{Fabric, Geometry};
use network::Plan;

fn geometries(ima_rows: u32, ima_cols: u32) -> Vec<Geometry> {
    let arch = arch::load("isaac-ce").expect("the preset is built in");
    let network = network::load("vgg16").expect("the preset is built in");
    let plan = Plan::uniform(&network, 16, 16);
    let layers = network.layers.iter().zip(&plan.layers);
    layers
        .map(|(layer, plan)| Geometry::new(&Fabric::new(&arch), layer, plan.weight_bits, ima_rows, ima_cols))
        .collect()
}

#[test]
fn every_part_of_a_replica_is_in_one_ima() {
    for (ima_rows, ima_cols) in [(1, 8), (2, 4), (8, 1)] {
        for geometry in geometries(ima_rows, ima_cols) {
            for ima in 0..geometry.imas_per_replica() {
                let (row_group, col_group) = geometry.groups_of(ima);
                assert!(row_group < geometry.row_groups && col_group < geometry.col_groups);
                assert_eq!(geometry.ima_at(row_group, col_group), ima);
            }
        }
    }
}

#[test]
fn each_cell_of_a_replica_is_in_one_crossbar() {
    let arch = arch::load("isaac-ce").expect("the preset is built in");
    for (ima_rows, ima_cols) in [(1, 8), (2, 4), (8, 1)] {
        for geometry in geometries(ima_rows, ima_cols) {
            let imas = (0..geometry.imas_per_replica()).map(|ima| geometry.ima(ima));
            for ima in imas.clone() {
                let widest = ima.crossbars(&arch).map(|(_, columns)| columns).max();
                assert_eq!(widest, Some(ima.widest(arch.crossbar.columns)));
            }
            let crossbars = imas.flat_map(|ima| ima.crossbars(&arch));
            assert_eq!(crossbars.clone().count() as u64, geometry.crossbars());
            assert!(
                crossbars.clone().all(|(rows, columns)| rows <= arch.crossbar.rows && columns <= arch.crossbar.columns)
            );
            let cells: u64 = crossbars.map(|(rows, columns)| u64::from(rows) * u64::from(columns)).sum();
            assert_eq!(cells, u64::from(geometry.rows) * u64::from(geometry.columns));
        }
    }
}

#[test]
fn neighbours_share_inputs_where_that_saves_more_than_it_costs_in_partial_sums() {
    let geometries = geometries(1, 8);
    // conv4_2 has 36 row groups: a tile of 12 of one column group leaves two partial sums of each output to send, and
    // sends every input to 4 tiles; any other shape of a tile sends more.
    assert_eq!((geometries[8].groups_of(0), geometries[8].groups_of(1)), ((0, 0), (1, 0)));
    // fc6 has 196 row groups and 32 column groups: in tiles of 3 x 4, inputs go to 8 tiles instead of 32.
    assert_eq!((geometries[13].groups_of(3), geometries[13].groups_of(4)), ((0, 3), (1, 0)));
}
