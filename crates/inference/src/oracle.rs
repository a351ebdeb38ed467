//! The crop that a picture tolerates, known by trying.

use std::sync::Arc;

use network::{Edges, Plan};

use crate::{Accelerator, Cost, Error};

/// One of the 16 crops of the paper, as a plan and what it costs.
#[derive(Clone, Debug)]
pub struct Crop {
    /// Edges that are cut.
    pub edges: Edges,
    /// The plan.
    pub plan: Plan,
    /// What a picture costs under it.
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

/// The place in `costs` of crops, whose first is no crop, of the one that costs least of those under which the answer
/// is right; no crop if the answer is wrong without one (AQuA section IV). `is_right` is asked from the cheapest crop
/// upwards.
///
/// # Errors
/// The first that `is_right` gives.
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
