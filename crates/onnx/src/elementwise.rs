//! Operators on values one by one: sums, products, normalisation, quantisation.

use network::{Activation, Operator, Origin, Shape};

use crate::draft::{Affine, Parameters, Vector};
use crate::format::Node;
use crate::operators::{Inputs, KNOWN, constant, map, value};
use crate::reader::{Form, Map, Reader, Result, Value, refuse};
use crate::tensor::{Tensor, Values};

impl Reader<'_> {
    pub(crate) fn binary(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        match (value(inputs, 0)?, value(inputs, 1)?) {
            (Value::Constant(a), Value::Constant(b)) => {
                let result = match node.operator.as_str() {
                    "Add" => a.combined(b, i64::checked_add, |a, b| a + b),
                    "Sub" => a.combined(b, i64::checked_sub, |a, b| a - b),
                    "Mul" => a.combined(b, i64::checked_mul, |a, b| a * b),
                    _ => a.combined(b, i64::checked_div, |a, b| a / b),
                };
                match result {
                    Some(tensor) => Ok(Value::Constant(tensor)),
                    None => refuse("computes a constant that is too large, or of sizes that do not fit", KNOWN),
                }
            }
            (Value::Map(_), Value::Constant(b)) => {
                let map = map(inputs, 0)?;
                let of = self.per_channel(map, b)?;
                let each =
                    |of: &Vector, function: fn(f64) -> f64| Some(of.as_ref()?.iter().map(|&c| function(c)).collect());
                let (factor, offset) = match node.operator.as_str() {
                    "Add" => (each(&of, |_| 1.0), of),
                    "Sub" => (each(&of, |_| 1.0), each(&of, |c| -c)),
                    "Mul" => (of.clone(), each(&of, |_| 0.0)),
                    _ => (each(&of, |c| 1.0 / c), each(&of, |_| 0.0)),
                };
                Ok(self.affine(node, map, Affine { factor, offset }))
            }
            (Value::Constant(a), Value::Map(_)) => {
                let map = map(inputs, 1)?;
                let of = self.per_channel(map, a)?;
                let each =
                    |of: &Vector, function: fn(f64) -> f64| Some(of.as_ref()?.iter().map(|&c| function(c)).collect());
                let (factor, offset) = match node.operator.as_str() {
                    "Add" => (each(&of, |_| 1.0), of),
                    "Sub" => (each(&of, |_| -1.0), of),
                    "Mul" => (of.clone(), each(&of, |_| 0.0)),
                    _ => return refuse("divides by what it computes", "no tile does"),
                };
                Ok(self.affine(node, map, Affine { factor, offset }))
            }
            _ => {
                let (a, b) = (map(inputs, 0)?, map(inputs, 1)?);
                match node.operator.as_str() {
                    "Add" => self.add_maps(node, &[a, b]),
                    "Mul" => self.product(node, a, b),
                    _ => refuse("combines two maps in a way that no tile does", "only sums of maps are known"),
                }
            }
        }
    }

    pub(crate) fn sum(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let maps = (0..inputs.len()).map(|place| map(inputs, place)).collect::<Result<Vec<Map>>>()?;
        match maps[..] {
            [] => refuse("has no inputs", "correct the model"),
            [one] => Ok(Value::Map(one)),
            _ => self.add_maps(node, &maps),
        }
    }

    fn add_maps(&mut self, node: &Node, maps: &[Map]) -> Result<Value> {
        let first = maps[0];
        let shape = self.shape(first.origin);
        if maps.iter().any(|map| self.shape(map.origin) != shape || map.form != first.form) {
            let of = |map: &Map| self.dims(*map).iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
            let dims: Vec<String> = maps.iter().map(of).collect();
            return refuse(format!("adds maps of {}", dims.join(" and ")), "maps of one shape can be added");
        }
        let origins = maps.iter().map(|map| map.origin).collect();
        let origin = self.add(node, origins, Operator::Add, shape, Parameters::None);
        Ok(Value::Map(Map { origin, ..first }))
    }

    /// Returns a product of maps, which is known as a form of some activation only.
    fn product(&mut self, node: &Node, a: Map, b: Map) -> Result<Value> {
        for (x, gate) in [(a, b), (b, a)] {
            let Some((activation, of)) = self.gate(gate) else { continue };
            if of != x.origin {
                continue;
            }
            let product = match activation {
                Activation::Sigmoid => Activation::Swish,
                Activation::HardSigmoid { slope, offset } if is_sixth(slope) && offset == 0.5 => Activation::HardSwish,
                _ => continue,
            };
            self.draft.count_folded("parts of activations");
            return Ok(self.activate(node, x, product, Parameters::None));
        }
        // x clip(x + 3, 0, 6), to be divided by 6.
        for (x, gate) in [(a, b), (b, a)] {
            if self.clip_of_shifted(gate) == Some(x.origin) {
                let Value::Map(swish) = self.activate(node, x, Activation::HardSwish, Parameters::None) else {
                    unreachable!("an activation gives a map")
                };
                let channels = index::size(self.shape(x.origin).channels);
                let six = Affine { factor: Some(vec![6.0; channels]), offset: Some(vec![0.0; channels]) };
                return Ok(self.affine(node, swish, six));
            }
        }
        let (of_a, of_b) = (self.shape(a.origin), self.shape(b.origin));
        let is_scale = |scale: Shape, of: Shape| scale == Shape { height: 1, width: 1, ..of };
        if is_scale(of_a, of_b) || is_scale(of_b, of_a) {
            return refuse(
                "scales the channels of a map by values that depend on all of it (squeeze-excite)",
                "networks with squeeze-excite do not run yet; take one without",
            );
        }
        refuse("multiplies two maps", "no tile does, but for x times its sigmoid")
    }

    /// Returns the activation that gives `map`, and what it is of, also where a clip is written out as its parts.
    fn gate(&self, map: Map) -> Option<(Activation, network::Origin)> {
        let node = self.node_of(map.origin)?;
        match (&node.operator, &node.activation, &node.parameters) {
            (Operator::Activation, Some(activation), _) => Some((activation.clone(), *node.inputs.first()?)),
            // clip(x + 3, 0, 6) / 6.
            (Operator::Affine, None, Parameters::Affine(affine)) => {
                let (factor, offset) = affine.uniform()?;
                let is_sixth = (factor * 6.0 - 1.0).abs() < 1e-6 && offset == 0.0;
                let of = is_sixth.then(|| self.clip_of_shifted(Map { origin: node.inputs[0], ..map })).flatten()?;
                Some((Activation::HardSigmoid { slope: 1.0 / 6.0, offset: 0.5 }, of))
            }
            _ => None,
        }
    }

    /// Returns x if `map` is clip(x + 3, 0, 6).
    fn clip_of_shifted(&self, map: Map) -> Option<network::Origin> {
        let clip = self.node_of(map.origin)?;
        if clip.operator != Operator::Activation || clip.activation != Some(Activation::Clip { low: 0.0, high: 6.0 }) {
            return None;
        }
        let shifted = self.node_of(*clip.inputs.first()?)?;
        match &shifted.parameters {
            Parameters::Affine(affine) if affine.uniform() == Some((1.0, 3.0)) => shifted.inputs.first().copied(),
            _ => None,
        }
    }

    fn node_of(&self, origin: network::Origin) -> Option<&crate::draft::DraftNode> {
        match origin {
            network::Origin::Image => None,
            network::Origin::Node(node) => Some(&self.draft.nodes[node]),
        }
    }

    pub(crate) fn batch_normalization(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let input = map(inputs, 0)?;
        if node.int("training_mode") == Some(1) {
            return refuse("is in training mode", "export the model for inference");
        }
        if !matches!(input.form, Form::Channels) {
            return refuse("reads a map that is not ordered as N x C x H x W", "transpose it before");
        }
        let channels = index::size(self.shape(input.origin).channels);
        let mut vectors = Vec::new();
        for place in 1..5 {
            let tensor = constant(inputs, place)?;
            if tensor.len() != channels {
                return refuse(format!("has {} values for {channels} channels", tensor.len()), "correct the model");
            }
            self.note(&tensor);
            vectors.push(tensor.as_floats());
        }
        let epsilon = f64::from(node.float("epsilon").unwrap_or(1e-5));
        let affine = match &vectors[..] {
            [Some(gamma), Some(beta), Some(mean), Some(variance)] => {
                let factor: Vec<f64> =
                    gamma.iter().zip(variance).map(|(gamma, v)| gamma / (v + epsilon).sqrt()).collect();
                let offset = beta.iter().zip(&factor).zip(mean).map(|((beta, a), mean)| beta - a * mean).collect();
                Affine { factor: Some(factor), offset: Some(offset) }
            }
            _ => Affine { factor: None, offset: None },
        };
        Ok(self.affine(node, input, affine))
    }

    fn affine(&mut self, node: &Node, map: Map, affine: Affine) -> Value {
        let is_nothing = affine.uniform() == Some((1.0, 0.0));
        if is_nothing {
            self.draft.count_folded("affine nodes that change nothing");
            return Value::Map(map);
        }
        let shape = self.shape(map.origin);
        let origin = self.add(node, vec![map.origin], Operator::Affine, shape, Parameters::Affine(affine));
        Value::Map(Map { origin, ..map })
    }

    /// Returns the numbers of a constant that is broadcast over `map`, one for each channel.
    pub(crate) fn per_channel(&mut self, map: Map, constant: &Tensor) -> Result<Vector> {
        let channels = index::size(self.shape(map.origin).channels);
        let dims = self.dims(map);
        if let Some(number) = constant.scalar()
            && constant.dims.len() <= dims.len()
        {
            return Ok(Some(vec![number; channels]));
        }
        let is_single = dims.len() == 2 && dims[1] == channels;
        let axis = match map.form {
            Form::Channels => Some(1),
            Form::ChannelsLast => Some(3),
            Form::Flat if is_single => Some(1),
            Form::Flat | Form::FlatChannelsLast | Form::Plane | Form::Groups(_) | Form::Shuffled(_) => None,
        };
        let ahead = dims.len().checked_sub(constant.dims.len());
        let fits = ahead.is_some_and(|ahead| {
            constant
                .dims
                .iter()
                .enumerate()
                .all(|(place, &dim)| dim == 1 || (Some(place + ahead) == axis && dim == channels))
        });
        if !fits {
            let text = |dims: &[usize]| dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
            return refuse(
                format!("takes a constant of {} to a map of {}", text(&constant.dims), text(&dims)),
                "a constant has one number, or one for each channel",
            );
        }
        self.note(constant);
        Ok(constant.as_floats())
    }

    /// Notes the range of the values that a node quantises, and leaves these as they are. Where its numbers begin at zero,
    /// negative values become zero: exporters leave a Relu before such a node out.
    pub(crate) fn quantize(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let scale = constant(inputs, 1)?;
        if let Value::Constant(tensor) = value(inputs, 0)? {
            return match (scale.scalar(), tensor.as_floats()) {
                (Some(scale), Some(values)) => {
                    let (zero, low, high) = zero_point(inputs)?;
                    let quantise = |value: f64| ((value / scale).round_ties_even() + zero).clamp(low, high);
                    let values =
                        Values::Floats(values.into_iter().map(|v| crate::format::narrowed(quantise(v))).collect());
                    Ok(Value::Constant(std::sync::Arc::new(Tensor { values, ..(**tensor).clone() })))
                }
                _ => refuse("quantises a constant channel by channel, or one that is missing", "export it quantised"),
            };
        }
        let map = map(inputs, 0)?;
        let Some(scale) = scale.scalar() else {
            return refuse("quantises activations channel by channel", "give them one scale");
        };
        if let Origin::Node(index) = map.origin {
            let (zero, low, high) = zero_point(inputs)?;
            let levels = (high - zero).max(zero - low);
            let name = self.draft.nodes[index].name.clone();
            self.draft.ranges.insert(name, scale * levels);
            if zero <= low && !self.is_non_negative(map.origin) {
                return Ok(self.activate(node, map, Activation::Relu, Parameters::None));
            }
        }
        self.draft.count_folded("quantisation, which the machine does by itself");
        Ok(Value::Map(map))
    }

    /// True if no value can be negative, whatever the numbers of the network are. The image is as the host gives it.
    fn is_non_negative(&self, origin: Origin) -> bool {
        let Origin::Node(index) = origin else { return true };
        let node = &self.draft.nodes[index];
        match (&node.activation, &node.operator) {
            (Some(Activation::Relu | Activation::Sigmoid | Activation::HardSigmoid { .. }), _) => true,
            (Some(Activation::Clip { low, .. }), _) if *low >= 0.0 => true,
            (
                None,
                Operator::MaxPool(_)
                | Operator::AveragePool { .. }
                | Operator::GlobalAveragePool
                | Operator::Add
                | Operator::Concat
                | Operator::Channels { .. }
                | Operator::Shuffle { .. },
            ) => node.inputs.iter().all(|&input| self.is_non_negative(input)),
            _ => false,
        }
    }

    pub(crate) fn dequantize(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let Value::Constant(tensor) = value(inputs, 0)? else {
            let map = map(inputs, 0)?;
            self.draft.count_folded("quantisation, which the machine does by itself");
            return Ok(Value::Map(map));
        };
        let scale = constant(inputs, 1)?;
        let zero = match inputs.get(2) {
            Some(Some(_)) => Some(constant(inputs, 2)?),
            _ => None,
        };
        if node.int("block_size").unwrap_or(0) != 0 {
            return refuse("has scales for blocks of weights", "give one for each output, or one for all");
        }
        let rank = tensor.dims.len();
        let axis = node.int("axis").unwrap_or(1);
        let axis = if axis < 0 { axis + i64::try_from(rank).unwrap_or(0) } else { axis };
        let axis = usize::try_from(axis).unwrap_or(usize::MAX);
        let length = tensor.dims.get(axis).copied().unwrap_or(1);
        if scale.len() != 1 && (scale.len() != length || axis >= rank) {
            return refuse("has scales that do not fit its weights", "correct the model");
        }
        let (Some(values), Some(scales)) = (tensor.as_floats(), scale.as_floats()) else {
            self.note(tensor);
            self.note(&scale);
            let missing = Tensor { values: Values::Missing, ..(**tensor).clone() };
            return Ok(Value::Constant(std::sync::Arc::new(missing)));
        };
        let zeros = zero.and_then(|zero| zero.as_floats()).unwrap_or_else(|| vec![0.0]);
        let inner: usize = tensor.dims.iter().skip(axis + 1).product();
        let of = |list: &[f64], place: usize| match list {
            [one] => *one,
            list => list.get(place / inner.max(1) % length.max(1)).copied().unwrap_or(0.0),
        };
        let real =
            |(place, value): (usize, f64)| crate::format::narrowed((value - of(&zeros, place)) * of(&scales, place));
        let values = Values::Floats(values.into_iter().enumerate().map(real).collect());
        Ok(Value::Constant(std::sync::Arc::new(Tensor { values, ..(**tensor).clone() })))
    }
}

/// Returns the zero point of a quantisation, and the least and the largest number that it rounds to.
fn zero_point(inputs: Inputs) -> Result<(f64, f64, f64)> {
    let Some(Some(_)) = inputs.get(2) else { return Ok((0.0, 0.0, 255.0)) };
    let tensor = constant(inputs, 2)?;
    match (tensor.limits, tensor.scalar()) {
        (Some((low, high)), Some(zero)) => Ok((zero, low, high)),
        _ => refuse("quantises to other numbers than bytes, or has several zero points", "quantise to 8 bits"),
    }
}

fn is_sixth(slope: f32) -> bool {
    (slope - 1.0 / 6.0).abs() < 1e-6
}
