//! Errors in a caller's machine, tensors or plan, and the checks that find them.

use network::Network;

/// Error in a machine, a tensor or a plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A parameter of the machine that the bit-exact model does not cover.
    #[error("{parameter} = {value} is not between {least} and {most}")]
    Parameter {
        /// TOML key of the arch file, or field of [`NonIdealities`](crate::NonIdealities).
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// Smallest value that is covered.
        least: f64,
        /// Largest value that is covered.
        most: f64,
    },
    /// A precision outside 2 to 16 bits.
    #[error("{bits} bits for {what}: must be 2 to 16")]
    Precision {
        /// Quantity of this precision.
        what: &'static str,
        /// The precision requested.
        bits: u32,
    },
    /// A fixed-point value that does not fit its bits.
    #[error("{what} {value} does not fit in {bits} bits")]
    OutOfRange {
        /// Kind of value.
        what: &'static str,
        /// The value.
        value: i16,
        /// Bits that it must fit in.
        bits: u32,
    },
    /// A tensor of the wrong shape.
    #[error("{what} has the shape {found:?} where {expected:?} is needed")]
    Shape {
        /// The tensor.
        what: &'static str,
        /// The shape it has.
        found: Vec<usize>,
        /// The shape it must have.
        expected: Vec<usize>,
    },
    /// A NaN or an infinity.
    #[error("{what} holds a value that is not finite: {value}")]
    NotFinite {
        /// The tensor or number.
        what: &'static str,
        /// The first such value.
        value: f32,
    },
    /// A list that must have one entry per layer, and has not.
    #[error("{found} {what} for {layers} layers")]
    LayerCount {
        /// Kind of entries.
        what: &'static str,
        /// Entries of the list.
        found: usize,
        /// Layers of the network.
        layers: usize,
    },
    /// A plan whose weights are not those that were programmed.
    #[error("the plan has {plan}-bit weights where {programmed}-bit weights were programmed")]
    WeightBits {
        /// `N_W` of the plan.
        plan: u32,
        /// `N_W` on the crossbars.
        programmed: u32,
    },
    /// A merge without a range of its operand.
    #[error("there is no range for the operand of {node}")]
    MissingRange {
        /// Node of the network that is merged.
        node: String,
    },
    /// An error in the values of a stage.
    #[error("node {node}: {source}")]
    Node {
        /// Name of the network's node.
        node: String,
        /// Error of the node.
        source: Box<Error>,
    },
    /// An error in one layer of a network.
    #[error("layer {layer}: {source}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// Error of the layer.
        source: Box<Error>,
    },
}

impl Error {
    /// Adds the name of the layer in which the error lies.
    pub(crate) fn in_layer(self, layer: &str) -> Self {
        Self::Layer { layer: layer.to_owned(), source: Box::new(self) }
    }

    /// Adds the name of the node in whose values the error lies.
    pub(crate) fn in_node(self, node: &str) -> Self {
        Self::Node { node: node.to_owned(), source: Box::new(self) }
    }
}

/// Checks that a precision is one of the 2 to 16 bits that the model covers.
pub(crate) fn check_precision(what: &'static str, bits: u32) -> Result<(), Error> {
    if (2..=16).contains(&bits) { Ok(()) } else { Err(Error::Precision { what, bits }) }
}

/// Checks that every value fits in `bits` bits of two's complement.
pub(crate) fn check_range<'a>(
    what: &'static str,
    values: impl IntoIterator<Item = &'a i16>,
    bits: u32,
) -> Result<(), Error> {
    let spare = 16 - bits;
    let fits = |v: i16| v << spare >> spare == v;
    match values.into_iter().find(|&&v| !fits(v)) {
        None => Ok(()),
        Some(&value) => Err(Error::OutOfRange { what, value, bits }),
    }
}

/// Checks that `found` things are listed for a network, one for each layer.
pub(crate) fn check_layers(what: &'static str, found: usize, network: &Network) -> Result<(), Error> {
    let layers = network.layers.len();
    if found == layers { Ok(()) } else { Err(Error::LayerCount { what, found, layers }) }
}

/// Checks a tensor's shape.
pub(crate) fn check_shape(what: &'static str, found: &[usize], expected: &[usize]) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Shape { what, found: found.to_vec(), expected: expected.to_vec() })
}

/// Checks that no value is NaN or infinite.
pub(crate) fn check_finite<'a>(what: &'static str, values: impl IntoIterator<Item = &'a f32>) -> Result<(), Error> {
    match values.into_iter().find(|v| !v.is_finite()) {
        None => Ok(()),
        Some(&value) => Err(Error::NotFinite { what, value }),
    }
}
