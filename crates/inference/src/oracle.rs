//! The oracle of AQuA: the cheapest crop that a picture tolerates, found by trying all.

use std::sync::Arc;

use network::{Edges, Plan};

use crate::{Accelerator, Cost, Error};

/// One of the 16 crops of the paper, as a plan and its cost.
#[derive(Clone, Debug)]
pub struct Crop {
    /// Edges that are cut.
    pub edges: Edges,
    /// The plan.
    pub plan: Plan,
    /// Cost of a picture under it.
    pub cost: Arc<Cost>,
}

/// The 16 crops in the order of AQuA Table I, each added to `base`.
///
/// # Errors
/// If the network does not state crop sizes, or does not fit the machine.
pub fn crops(accelerator: &Accelerator, base: &Plan) -> Result<Vec<Crop>, Error> {
    let crop = |edges| {
        let plan = base.clone().crop(accelerator.network(), edges)?;
        Ok(Crop { edges, cost: accelerator.cost(&plan)?, plan })
    };
    Edges::all().into_iter().map(crop).collect()
}

/// Energies of crops.
pub fn energies(crops: &[Crop]) -> Vec<f64> {
    crops.iter().map(|crop| crop.cost.dynamic_pj).collect()
}

/// Returns the index in `costs` of the cheapest crop under which the answer is right (AQuA, section IV). Index 0 is no
/// crop, and the result if the answer is wrong without a crop. `is_right` is called for index 0, then from the cheapest
/// crop upwards.
///
/// # Errors
/// The first error of `is_right`.
pub fn oracle<E>(costs: &[f64], mut is_right: impl FnMut(usize) -> Result<bool, E>) -> Result<usize, E> {
    if !is_right(0)? {
        return Ok(0);
    }
    let mut order: Vec<usize> = (1..costs.len()).collect();
    order.sort_by(|&a, &b| costs[a].total_cmp(&costs[b]));
    for crop in order {
        if is_right(crop)? {
            return Ok(crop);
        }
    }
    Ok(0)
}
