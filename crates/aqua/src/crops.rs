//! The 16 crops of the paper (Table I): each of the four edges of the map is cut or not.
//!
//! Arrays over crops are in the order of Table I, from no crop to all four edges cut.

use network::Edges;

/// Number of crops.
pub const CROPS: usize = 16;

/// Number of sizes of a crop: 0 to 4 cuts.
pub const SIZES: usize = 5;

/// The crops, in the order of Table I.
pub fn crops() -> [Edges; CROPS] {
    Edges::all()
}

/// The crop as printed in Table I: top, bottom, left, right, 1 for an edge that is cut.
pub fn bits(edges: Edges) -> String {
    [edges.top, edges.bottom, edges.left, edges.right].map(|cut| if cut { '1' } else { '0' }).iter().collect()
}

/// The mean of `values`, one for each crop, over the crops of each size.
pub fn means_by_size(values: &[f64; CROPS]) -> [f64; SIZES] {
    let mut means = [0.0; SIZES];
    for (size, mean) in means.iter_mut().enumerate() {
        let of_size = crops().into_iter().zip(values).filter(|(edges, _)| edges.count() == size);
        let (sum, count) = of_size.fold((0.0, 0.0), |(sum, count), (_, value)| (sum + value, count + 1.0));
        *mean = sum / count;
    }
    means
}
