//! Steps of a forward pass around the products of windows and weights: checks of tensors, bias, ReLU and max-pool.
//! [`Model`](crate::Model) and [`mod@crate::reference`] share them, so that both differ in the products only.

use index::size;
use ndarray::{Array1, Array2, Array3, ArrayD, ArrayView3, CowArray, Ix2};
use network::{Kernel, Layer, LayerPlan, Network, Plan, Shape};

use crate::error::{Error, check_finite, check_shape};
use crate::tiles;

/// Channels and positions of a tile of a map.
const TILE: (usize, usize) = (64, 1024);

/// A layer's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// As torch has them: outputs x input channels x kernel height x kernel width, or outputs x inputs, where an
    /// input's index is (channel * height + y) * width + x.
    pub weights: ArrayD<f32>,
    /// One for each output.
    pub bias: Array1<f32>,
}

impl LayerWeights {
    /// Checks both tensors against `layer` and returns the weights as a matrix of outputs x rows.
    pub(crate) fn matrix(&self, layer: &Layer) -> Result<CowArray<'_, f32, Ix2>, Error> {
        let tensor = [layer.output.channels, layer.input.channels, layer.kernel.size.y, layer.kernel.size.x];
        let tensor = tensor.map(size);
        let (outputs, rows) = (tensor[0], size(layer.rows()));
        if self.weights.shape() != [outputs, rows] {
            check_shape("the weight tensor", self.weights.shape(), &tensor)?;
        }
        check_shape("the bias tensor", self.bias.shape(), &[outputs])?;
        check_finite("the weight tensor", &self.weights)?;
        check_finite("the bias tensor", &self.bias)?;
        let matrix = self.weights.to_shape((outputs, rows));
        Ok(matrix.expect("the shapes have as many elements"))
    }
}

/// Checks that `found` things are listed for a network, one for each layer.
pub(crate) fn check_layers(what: &'static str, found: usize, network: &Network) -> Result<(), Error> {
    let layers = network.layers.len();
    if found == layers {
        return Ok(());
    }
    Err(Error::LayerCount { what, found, layers })
}

/// Checks an image (channels x height x width) and a plan against a network.
pub(crate) fn check_inputs(network: &Network, plan: &Plan, image: ArrayView3<f32>) -> Result<(), Error> {
    check_layers("layer plans", plan.layers.len(), network)?;
    let Shape { height, width, channels } = network.input;
    let expected = [channels, height, width].map(size);
    check_shape("the image", image.shape(), &expected)?;
    check_finite("the image", image)
}

/// A layer's part of a forward pass, after the products.
pub(crate) struct Finish<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) plan: &'a LayerPlan,
    pub(crate) bias: &'a Array1<f32>,
    /// The last layer's results are scores, and negative ones remain.
    pub(crate) is_last: bool,
    pub(crate) threads: usize,
}

impl Finish<'_> {
    /// The map for the next layer (channels x height x width): bias, ReLU and max-pool on the products, which are given
    /// by window and output. The outputs of a cropped window are zero, whatever its products and the bias.
    pub(crate) fn map(&self, product: impl Fn(usize, usize) -> f32 + Sync) -> Array3<f32> {
        let Shape { height, width, .. } = self.layer.output;
        let positions = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
        let positions = positions.map(|(y, x)| self.plan.bits_at(y, x) != 0);
        let computed: Vec<bool> = positions.collect();
        let floor = if self.is_last { f32::NEG_INFINITY } else { 0.0 };
        let map = self.fill(self.layer.output, |channel, window| {
            if computed[window] { (product(window, channel) + self.bias[channel]).max(floor) } else { 0.0 }
        });
        match self.layer.pool {
            Some(pool) => self.max_pool(pool, map.view()),
            None => map,
        }
    }

    fn max_pool(&self, pool: Kernel, map: ArrayView3<f32>) -> Array3<f32> {
        let Shape { height, width, .. } = self.layer.output;
        let pooled_width = self.layer.pooled.width;
        self.fill(self.layer.pooled, |channel, position| {
            let position = u32::try_from(position).expect("a map has fewer than 2^32 positions");
            let mut most = f32::NEG_INFINITY;
            for y in pool.rows(position / pooled_width, height) {
                for x in pool.columns(position % pooled_width, width) {
                    most = most.max(map[(channel, size(y), size(x))]);
                }
            }
            most
        })
    }

    /// A map of this shape whose values are given by channel and position.
    fn fill(&self, shape: Shape, value: impl Fn(usize, usize) -> f32 + Sync) -> Array3<f32> {
        let Shape { height, width, channels } = shape;
        let [height, width, channels] = [height, width, channels].map(size);
        let mut map = Array2::zeros((channels, height * width));
        tiles::for_each(self.threads, map.view_mut(), TILE, |mut tile| {
            let (top, left) = (tile.top, tile.left);
            for ((row, column), to) in tile.values.indexed_iter_mut() {
                *to = value(top + row, left + column);
            }
        });
        let map = map.into_shape_with_order((channels, height, width));
        map.expect("the shapes have as many elements")
    }
}
