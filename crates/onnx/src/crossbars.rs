//! Operators with weights: convolutions and matrix products.

use std::sync::Arc;

use network::{Axes, Kernel, Operator, Shape, Sides};

use crate::draft::{Affine, Parameters, Weights};
use crate::format::{Node, narrowed};
use crate::operators::{Inputs, constant, map, padded_map};
use crate::reader::{Form, Map, Reader, Result, Value, refuse, windows};
use crate::tensor::{Tensor, Values};

impl Reader<'_> {
    pub(crate) fn convolution(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let tensor = match inputs.get(1) {
            Some(Some(Value::Constant(tensor))) => tensor.clone(),
            _ => return refuse("has weights that are computed", "the weights of a convolution must be constants"),
        };
        let &[outputs, in_group, height, width] = &tensor.dims[..] else {
            let axes = tensor.dims.len().saturating_sub(2);
            return refuse(format!("is a convolution along {axes} axes"), "only rows and columns are known");
        };
        let input = padded_map(inputs, 0)?;
        if input.form != Form::Channels {
            return refuse("reads a map that is not ordered as N x C x H x W", "transpose it before");
        }
        let shape = self.shape(input.origin);
        let groups = node.int("group").unwrap_or(1);
        let groups = u32::try_from(groups).ok().filter(|groups| *groups > 0 && shape.channels.is_multiple_of(*groups));
        let outputs = u32::try_from(outputs).ok().filter(|outputs| *outputs > 0);
        let (Some(groups), Some(outputs)) = (groups, outputs) else {
            return refuse(format!("cannot cut {} channels into its groups", shape.channels), "correct the model");
        };
        if index::size(shape.channels / groups) != in_group || !outputs.is_multiple_of(groups) {
            return refuse(
                format!("has weights for {in_group} channels and reads {} in {groups} groups", shape.channels),
                "correct the model",
            );
        }
        let mut kernel = kernel_of(node, [height, width], shape)?;
        let before = input.padding;
        kernel.padding = Sides {
            top: kernel.padding.top + before.top,
            left: kernel.padding.left + before.left,
            bottom: kernel.padding.bottom + before.bottom,
            right: kernel.padding.right + before.right,
        };
        let output = windows(&kernel, shape, outputs)?;
        let bias = match inputs.get(2) {
            Some(Some(_)) => {
                let bias = constant(inputs, 2)?;
                self.note(&bias);
                let floats = bias.as_floats();
                if bias.len() != index::size(outputs) {
                    return refuse("has a bias of another size than its outputs", "correct the model");
                }
                floats
            }
            _ => Some(vec![0.0; index::size(outputs)]),
        };
        self.note(&tensor);
        let outer = Affine { factor: Some(vec![1.0; index::size(outputs)]), offset: bias };
        let weights = Weights { tensor, is_transposed: false, outer, inner: None };
        let operator = Operator::Convolution { kernel, channels: outputs, groups };
        let origin = self.add(node, vec![input.origin], operator, output, Parameters::Weights(weights));
        Ok(Value::Map(Map::new(origin, Form::Channels)))
    }

    pub(crate) fn gemm(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        if node.int("transA").unwrap_or(0) != 0 {
            return refuse("transposes what it reads", "export the model with transA = 0");
        }
        let input = map(inputs, 0)?;
        let is_transposed = node.int("transB").unwrap_or(0) == 0;
        let (alpha, beta) = (node.float("alpha").unwrap_or(1.0), node.float("beta").unwrap_or(1.0));
        let outputs = outputs_of(inputs, is_transposed)?;
        let offset = match inputs.get(2) {
            Some(Some(_)) => {
                let bias = constant(inputs, 2)?;
                self.note(&bias);
                let floats = match bias.scalar() {
                    Some(bias) => Some(vec![bias; outputs]),
                    None if bias.is_missing() => None,
                    None => bias.as_floats().filter(|bias| bias.len() == outputs),
                };
                if floats.is_none() && !bias.is_missing() {
                    return refuse("has a bias of another size than its outputs", "correct the model");
                }
                floats.map(|bias| bias.into_iter().map(|bias| bias * f64::from(beta)).collect())
            }
            _ => Some(vec![0.0; outputs]),
        };
        let outer = Affine { factor: Some(vec![alpha.into(); outputs]), offset };
        self.fully_connected(node, input, inputs, is_transposed, outer)
    }

    pub(crate) fn matrix_product(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        if !matches!(inputs.get(1), Some(Some(Value::Constant(_)))) {
            return refuse("multiplies two things that are computed", "one factor of a product must be weights");
        }
        let input = map(inputs, 0)?;
        let outputs = outputs_of(inputs, true)?;
        let outer = Affine { factor: Some(vec![1.0; outputs]), offset: Some(vec![0.0; outputs]) };
        self.fully_connected(node, input, inputs, true, outer)
    }

    fn fully_connected(
        &mut self,
        node: &Node,
        input: Map,
        inputs: Inputs,
        is_transposed: bool,
        outer: Affine,
    ) -> Result<Value> {
        let tensor = constant(inputs, 1)?;
        let outputs = outputs_of(inputs, is_transposed)?;
        if !matches!(input.form, Form::Flat | Form::FlatChannelsLast) {
            return refuse("reads a map that is not flattened", "flatten it before");
        }
        let values = self.dims(input)[1];
        let rows = tensor.dims[usize::from(!is_transposed)];
        if rows != values {
            return refuse(
                format!("has weights for {rows} inputs and reads {values}"),
                "correct the model, or give another image size with --input-size",
            );
        }
        self.note(&tensor);
        let tensor = match input.form {
            Form::FlatChannelsLast => channels_first(&tensor, self.shape(input.origin), is_transposed),
            _ => tensor,
        };
        let channels = u32::try_from(outputs).expect("outputs have been checked");
        let shape = Shape { height: 1, width: 1, channels };
        let parameters = Parameters::Weights(Weights { tensor, is_transposed, outer, inner: None });
        let origin = self.add(node, vec![input.origin], Operator::FullyConnected { channels }, shape, parameters);
        Ok(Value::Map(Map::new(origin, Form::Flat)))
    }
}

/// Returns a matrix whose inputs are in the order of rows, columns and channels of `map` with these in the order of
/// channels, rows and columns. Inputs are the rows of the matrix, or its columns unless `is_transposed`.
fn channels_first(matrix: &Arc<Tensor>, map: Shape, is_transposed: bool) -> Arc<Tensor> {
    let (channels, positions) = (index::size(map.channels), index::size(map.height) * index::size(map.width));
    let Some(values) = matrix.as_floats() else { return matrix.clone() };
    let order = (0..channels).flat_map(|channel| (0..positions).map(move |position| position * channels + channel));
    let order: Vec<usize> = order.collect();
    let columns = matrix.dims[1];
    let moved = |(row, column): (usize, usize)| {
        let from = if is_transposed { (order[row], column) } else { (row, order[column]) };
        narrowed(values[from.0 * columns + from.1])
    };
    let places = (0..matrix.dims[0]).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Arc::new(Tensor { values: Values::Floats(places.map(moved).collect()), ..(**matrix).clone() })
}

/// Returns the kernel of size `size` that the attributes of `node` describe, over `map`.
pub(crate) fn kernel_of(node: &Node, size: [usize; 2], map: Shape) -> Result<Kernel> {
    let number = |value: i64| u32::try_from(value).ok().filter(|value| *value <= 1024);
    let pair = |name: &str| -> Option<Axes> {
        match node.ints(name) {
            None => Some(Axes::both(1)),
            Some(&[y, x]) => Some(Axes { y: number(y)?, x: number(x)? }),
            Some(_) => None,
        }
    };
    let size = size.map(|size| i64::try_from(size).ok().and_then(number));
    let ([Some(y), Some(x)], Some(stride), Some(dilation)) = (size, pair("strides"), pair("dilations")) else {
        return refuse("has a kernel, stride or dilation above 1024, or not along two axes", "correct the model");
    };
    let size = Axes { y, x };
    if [size, stride, dilation].iter().any(|axes| axes.y == 0 || axes.x == 0) {
        return refuse("has a kernel, stride or dilation of 0", "correct the model");
    }
    let padding = match node.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" | "" => match node.ints("pads") {
            None => Some(Sides::default()),
            Some(&[top, left, bottom, right]) => (|| {
                Some(Sides { top: number(top)?, left: number(left)?, bottom: number(bottom)?, right: number(right)? })
            })(),
            Some(_) => None,
        },
        "VALID" => Some(Sides::default()),
        same @ ("SAME_UPPER" | "SAME_LOWER") => {
            let along = |length: u32, size: u32, stride: u32, dilation: u32| {
                let total = ((length.div_ceil(stride) - 1) * stride + dilation * (size - 1) + 1).saturating_sub(length);
                let (less, more) = (total / 2, total - total / 2);
                if same == "SAME_UPPER" { (less, more) } else { (more, less) }
            };
            let (top, bottom) = along(map.height, size.y, stride.y, dilation.y);
            let (left, right) = along(map.width, size.x, stride.x, dilation.x);
            Some(Sides { top, left, bottom, right })
        }
        _ => None,
    };
    match padding {
        Some(padding) => Ok(Kernel { size, stride, dilation, padding }),
        None => refuse("has negative padding, or more than 1024, or not on four sides", "correct the model"),
    }
}

/// Returns the number of outputs of a matrix product.
fn outputs_of(inputs: Inputs, is_transposed: bool) -> Result<usize> {
    let tensor = constant(inputs, 1)?;
    let &[first, second] = &tensor.dims[..] else {
        return refuse("has weights that are no matrix", "correct the model");
    };
    let outputs = if is_transposed { second } else { first };
    if outputs == 0 || outputs > 65_536 {
        return refuse(format!("has {outputs} outputs"), "give it 1 to 65536");
    }
    Ok(outputs)
}
