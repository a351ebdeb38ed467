//! Pools.

use network::{Axes, Kernel, Operator, Shape, Sides};

use crate::crossbars::kernel_of;
use crate::draft::Parameters;
use crate::format::Node;
use crate::operators::{Inputs, integers, map};
use crate::reader::{Form, Map, Reader, Result, Value, refuse, windows};

impl Reader<'_> {
    pub(crate) fn pool(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let input = map(inputs, 0)?;
        let Some(&[height, width]) = node.ints("kernel_shape") else {
            return refuse("has no kernel along two axes", "only rows and columns are known");
        };
        if input.form != Form::Channels {
            return refuse("reads a map that is not ordered as N x C x H x W", "transpose it before");
        }
        let shape = self.shape(input.origin);
        let size = [height, width].map(|size| usize::try_from(size).unwrap_or(0));
        let mut kernel = kernel_of(node, size, shape)?;
        let counted = match node.int("count_include_pad") {
            Some(1) => kernel.padding,
            _ => Sides::default(),
        };
        if node.int("ceil_mode") == Some(1) {
            let Kernel { size, stride, dilation, padding } = &mut kernel;
            let span = |size: u32, dilation: u32| dilation * (size - 1) + 1;
            padding.bottom += beyond(shape.height, span(size.y, dilation.y), stride.y, padding.top, padding.bottom);
            padding.right += beyond(shape.width, span(size.x, dilation.x), stride.x, padding.left, padding.right);
        }
        let output = windows(&kernel, shape, shape.channels)?;
        if kernel.positions() == 1 && kernel.stride == Axes::both(1) && kernel.padding == Sides::default() {
            return Ok(Value::Map(input));
        }
        let operator = match node.operator.as_str() {
            "MaxPool" => Operator::MaxPool(kernel),
            _ if kernel.dilation != Axes::both(1) => {
                return refuse("is an average over positions apart from each other", "give it a dilation of 1");
            }
            _ if kernel == Kernel::covering(shape) => Operator::GlobalAveragePool,
            _ => Operator::AveragePool { kernel, counted },
        };
        let origin = self.add(node, vec![input.origin], operator, output, Parameters::None);
        Ok(Value::Map(Map::new(origin, Form::Channels)))
    }

    pub(crate) fn global_pool(&mut self, node: &Node, input: Map) -> Result<Value> {
        if input.form != Form::Channels {
            return refuse("reads a map that is not ordered as N x C x H x W", "transpose it before");
        }
        let shape = self.shape(input.origin);
        let output = Shape { height: 1, width: 1, ..shape };
        if shape == output {
            return Ok(Value::Map(input));
        }
        let operator = match node.operator.as_str() {
            "GlobalMaxPool" => Operator::MaxPool(Kernel::covering(shape)),
            _ => Operator::GlobalAveragePool,
        };
        let origin = self.add(node, vec![input.origin], operator, output, Parameters::None);
        Ok(Value::Map(Map::new(origin, Form::Channels)))
    }

    pub(crate) fn reduce_mean(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let input = map(inputs, 0)?;
        let axes = match node.ints("axes") {
            Some(axes) => axes.to_vec(),
            None if inputs.len() > 1 => integers(inputs, 1)?,
            None => Vec::new(),
        };
        let mut axes: Vec<i64> = axes.into_iter().map(|axis| if axis < 0 { axis + 4 } else { axis }).collect();
        axes.sort_unstable();
        if input.form != Form::Channels || axes != [2, 3] {
            return refuse("is a mean over other axes than rows and columns", "only those are known");
        }
        let Value::Map(pooled) = self.global_pool(node, input)? else { unreachable!("a pool gives a map") };
        let form = if node.int("keepdims") == Some(0) { Form::Flat } else { Form::Channels };
        Ok(Value::Map(Map { form, ..pooled }))
    }
}

/// Returns the padding that rounding the number of windows up adds at the end. A window that would begin in the end
/// padding is left out.
fn beyond(length: u32, span: u32, stride: u32, before: u32, after: u32) -> u32 {
    let Some(rest) = (length + before + after).checked_sub(span) else { return 0 };
    let mut steps = rest.div_ceil(stride);
    if steps * stride >= length + before {
        steps -= 1;
    }
    (steps * stride + span).saturating_sub(length + before + after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_up_adds_a_window_that_begins_in_the_map() {
        // 112 under 3 x 3 with stride 2: 55 windows, or 56 with one more row.
        assert_eq!(beyond(112, 3, 2, 0, 0), 1);
        // Exactly fitting windows need nothing.
        assert_eq!(beyond(7, 3, 2, 0, 0), 0);
        // A window that would begin behind the map is left out.
        assert_eq!(beyond(4, 1, 2, 0, 0), 0);
        assert_eq!(beyond(5, 2, 3, 0, 1), 0);
    }
}
