//! Operators that move values without computing: reshapes, transpositions, splits, concatenations.

use std::sync::Arc;

use network::{Operator, Shape, Sides};

use crate::draft::Parameters;
use crate::format::Node;
use crate::operators::{Inputs, KNOWN, constant, integers, map, value};
use crate::reader::{Form, Map, Reader, Result, Value, refuse};
use crate::tensor::{Tensor, Values};

const FORMS: &str =
    "maps can be flattened, their channels reordered in groups, and rows and columns of one position removed";

impl Reader<'_> {
    pub(crate) fn reshape(&mut self, inputs: Inputs) -> Result<Value> {
        let wanted = integers(inputs, 1)?;
        let dims = match value(inputs, 0)? {
            Value::Constant(tensor) => tensor.dims.clone(),
            _ => self.dims(map(inputs, 0)?),
        };
        let Some(target) = resolved(&wanted, &dims) else {
            return refuse(format!("reshapes {} to {}", text(&dims), text(&wanted)), "both need equally many values");
        };
        self.with_sizes(inputs, target)
    }

    /// Returns the first input with other sizes and the same values in the same order.
    fn with_sizes(&mut self, inputs: Inputs, target: Vec<usize>) -> Result<Value> {
        if let Value::Constant(tensor) = value(inputs, 0)? {
            let reshaped = tensor.reshaped(target);
            return reshaped.map_or_else(|| refuse("has impossible sizes", KNOWN), |t| Ok(Value::Constant(t)));
        }
        let map = map(inputs, 0)?;
        self.reformed(map, &target)
    }

    /// Returns `map` in the form in which it has these sizes.
    fn reformed(&mut self, map: Map, target: &[usize]) -> Result<Value> {
        if self.dims(map) == target {
            return Ok(Value::Map(map));
        }
        let Shape { height, width, channels } = self.shape(map.origin);
        let is_single = (height, width) == (1, 1);
        // Only an order in which rows and columns follow the channels can be cut differently.
        let is_in_order = match map.form {
            Form::Channels | Form::Flat | Form::Plane | Form::Groups(_) | Form::Shuffled(_) => true,
            Form::ChannelsLast | Form::FlatChannelsLast => is_single || channels == 1,
        };
        let flat = self.dims(Map { form: Form::Flat, ..map });
        let by_channels = self.dims(Map { form: Form::Channels, ..map });
        let form = match target {
            target if !is_in_order && map.form == Form::ChannelsLast && *target == flat => Some(Form::FlatChannelsLast),
            _ if !is_in_order => None,
            target if *target == flat => Some(Form::Flat),
            target if *target == by_channels => Some(Form::Channels),
            &[1, groups, _, rows, columns] if [rows, columns] == by_channels[2..] => {
                let groups =
                    u32::try_from(groups).ok().filter(|groups| *groups > 0 && channels.is_multiple_of(*groups));
                groups.filter(|_| map.form == Form::Channels).map(Form::Groups)
            }
            _ => None,
        };
        match (form, map.form) {
            (Some(form), Form::Shuffled(groups)) => {
                let origin = self.shuffled(map, groups);
                Ok(Value::Map(Map::new(origin, form)))
            }
            (Some(form), _) => Ok(Value::Map(Map { form, ..map })),
            (None, _) => refuse(format!("reshapes {} to {}", text(&self.dims(map)), text(target)), FORMS),
        }
    }

    fn shuffled(&mut self, map: Map, groups: u32) -> network::Origin {
        let shape = self.shape(map.origin);
        if groups == 1 || groups == shape.channels {
            return map.origin;
        }
        let name = format!("shuffle {}", self.draft.nodes.len());
        self.add_named(name, vec![map.origin], Operator::Shuffle { groups }, shape)
    }

    pub(crate) fn flatten(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let axis = node.int("axis").unwrap_or(1);
        if let Value::Constant(tensor) = value(inputs, 0)? {
            let axis = usize::try_from(axis).unwrap_or(usize::MAX).min(tensor.dims.len());
            let (outer, inner) = tensor.dims.split_at(axis);
            let dims = vec![outer.iter().product(), inner.iter().product()];
            return tensor
                .reshaped(dims)
                .map_or_else(|| refuse("has an impossible size", KNOWN), |t| Ok(Value::Constant(t)));
        }
        let map = map(inputs, 0)?;
        let rank = i64::try_from(self.dims(map).len()).unwrap_or(0);
        if axis != 1 && axis != 1 - rank {
            return refuse(format!("flattens from axis {axis} on"), "only axis 1 leaves one row for each image");
        }
        let flat = self.dims(Map { form: Form::Flat, ..map });
        self.reformed(map, &flat)
    }

    pub(crate) fn squeeze(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let axes = match (node.ints("axes"), inputs.len()) {
            (Some(axes), _) => Some(axes.to_vec()),
            (None, 2..) => Some(integers(inputs, 1)?),
            (None, _) => None,
        };
        let inserts = node.operator == "Unsqueeze";
        let dims = match value(inputs, 0)? {
            Value::Constant(tensor) => tensor.dims.clone(),
            _ => self.dims(map(inputs, 0)?),
        };
        let Some(target) = squeezed(&dims, axes.as_deref(), inserts) else {
            return refuse(format!("has axes that {} does not have", text(&dims)), "correct the model");
        };
        self.with_sizes(inputs, target)
    }

    pub(crate) fn transpose(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        if let Value::Constant(tensor) = value(inputs, 0)? {
            let rank = tensor.dims.len();
            let order: Option<Vec<usize>> = match node.ints("perm") {
                Some(order) => {
                    order.iter().map(|&axis| usize::try_from(axis).ok().filter(|axis| *axis < rank)).collect()
                }
                None => Some((0..rank).rev().collect()),
            };
            let moved = order.filter(|order| order.len() == rank).and_then(|order| {
                tensor.picked(
                    order.iter().map(|&axis| tensor.dims[axis]).collect(),
                    transposed(&tensor.dims, &order).into_iter(),
                )
            });
            return moved.map_or_else(|| refuse("has an impossible order of axes", KNOWN), |t| Ok(Value::Constant(t)));
        }
        let map = map(inputs, 0)?;
        let order = node.ints("perm").unwrap_or_default();
        let is_identity =
            order.iter().zip(0..).all(|(&axis, place)| axis == place) && order.len() == self.dims(map).len();
        let form = match (map.form, order) {
            (form, _) if is_identity => form,
            (Form::Channels, [0, 2, 3, 1]) => Form::ChannelsLast,
            (Form::ChannelsLast, [0, 3, 1, 2]) => Form::Channels,
            (Form::Groups(groups), [0, 2, 1, 3, 4]) => Form::Shuffled(groups),
            (Form::Shuffled(groups), [0, 2, 1, 3, 4]) => Form::Groups(groups),
            _ => return refuse(format!("transposes {} by {}", text(&self.dims(map)), text(order)), FORMS),
        };
        Ok(Value::Map(Map { form, ..map }))
    }

    pub(crate) fn concat(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let axis = node.int("axis").unwrap_or(1);
        if inputs.iter().all(|value| matches!(value, Some(Value::Constant(_)))) {
            let tensors = (0..inputs.len()).map(|place| constant(inputs, place)).collect::<Result<Vec<_>>>()?;
            return match joined(&tensors, axis) {
                Some(tensor) => Ok(Value::Constant(tensor)),
                None => refuse("joins constants that do not fit, or too many", KNOWN),
            };
        }
        let maps = (0..inputs.len()).map(|place| map(inputs, place)).collect::<Result<Vec<Map>>>()?;
        let Some(&first) = maps.first() else { return refuse("has no inputs", "correct the model") };
        self.check_channel_axis(first, axis)?;
        let shape = self.shape(first.origin);
        let fits = |map: &Map| {
            let other = self.shape(map.origin);
            map.form == first.form && (other.height, other.width) == (shape.height, shape.width)
        };
        if !maps.iter().all(fits) {
            return refuse("joins maps of different rows and columns", "correct the model");
        }
        if maps.len() == 1 {
            return Ok(Value::Map(first));
        }
        let channels: u64 = maps.iter().map(|map| u64::from(self.shape(map.origin).channels)).sum();
        let Some(channels) = u32::try_from(channels).ok().filter(|channels| *channels <= 65_536) else {
            return refuse(format!("has {channels} channels"), "a map has at most 65536");
        };
        // A plane is one channel; several of them are not.
        let form = if first.form == Form::Plane { Form::Channels } else { first.form };
        let origins = maps.iter().map(|map| map.origin).collect();
        let origin = self.add(node, origins, Operator::Concat, Shape { channels, ..shape }, Parameters::None);
        Ok(Value::Map(Map { origin, form, ..first }))
    }

    /// Refuses an axis that is not that of the channels of `map`.
    fn check_channel_axis(&self, map: Map, axis: i64) -> Result<()> {
        let dims = self.dims(map);
        let rank = i64::try_from(dims.len()).unwrap_or(0);
        let axis = if axis < 0 { axis + rank } else { axis };
        let Shape { height, width, .. } = self.shape(map.origin);
        let channels = match map.form {
            Form::Channels => Some(1),
            Form::ChannelsLast => Some(3),
            Form::Flat if (height, width) == (1, 1) => Some(1),
            Form::Flat | Form::FlatChannelsLast | Form::Plane | Form::Groups(_) | Form::Shuffled(_) => None,
        };
        if channels == Some(axis) {
            return Ok(());
        }
        refuse(format!("works along axis {axis} of {}", text(&dims)), "only the axis of the channels is known")
    }

    /// Returns `count` channels of `map` from `first` on.
    fn channels(&mut self, node: &Node, map: Map, first: u32, count: u32) -> Value {
        let shape = self.shape(map.origin);
        if count == shape.channels {
            return Value::Map(map);
        }
        let operator = Operator::Channels { first, count };
        let shape = Shape { channels: count, ..shape };
        let origin = self.add(node, vec![map.origin], operator, shape, Parameters::None);
        Value::Map(Map { origin, ..map })
    }

    pub(crate) fn split(&mut self, node: &Node, inputs: Inputs) -> Result<Vec<Value>> {
        let map = map(inputs, 0)?;
        self.check_channel_axis(map, node.int("axis").unwrap_or(0))?;
        let channels = self.shape(map.origin).channels;
        let sizes: Vec<i64> = match node.ints("split") {
            Some(sizes) => sizes.to_vec(),
            None if matches!(inputs.get(1), Some(Some(_))) => integers(inputs, 1)?,
            None => {
                let parts = u32::try_from(node.outputs.len()).unwrap_or(0).max(1);
                let each = i64::from(channels.div_ceil(parts));
                (0..i64::from(parts)).map(|part| (i64::from(channels) - part * each).clamp(0, each)).collect()
            }
        };
        if sizes.iter().any(|&size| size <= 0)
            || sizes.iter().try_fold(0i64, |sum, &size| sum.checked_add(size)) != Some(channels.into())
        {
            return refuse(format!("splits {channels} channels into {}", text(&sizes)), "correct the model");
        }
        let mut first = 0;
        let mut values = Vec::new();
        for size in sizes {
            let count = u32::try_from(size).expect("sizes have been checked");
            values.push(self.channels(node, map, first, count));
            first += count;
        }
        Ok(values)
    }

    pub(crate) fn slice(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let list = |place: usize, attribute: &str| -> Result<Option<Vec<i64>>> {
            match (node.ints(attribute), inputs.get(place)) {
                (Some(list), _) => Ok(Some(list.to_vec())),
                (None, Some(Some(_))) => integers(inputs, place).map(Some),
                (None, _) => Ok(None),
            }
        };
        let (Some(starts), Some(ends)) = (list(1, "starts")?, list(2, "ends")?) else {
            return refuse("does not say what it takes", "correct the model");
        };
        let along = list(3, "axes")?.unwrap_or_else(|| (0..).take(starts.len()).collect());
        let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), along.len(), steps.len()] != [starts.len(); 3] {
            return refuse("has starts, ends, axes and steps of different numbers", "correct the model");
        }
        let dims = match value(inputs, 0)? {
            Value::Constant(tensor) => tensor.dims.clone(),
            _ => self.dims(map(inputs, 0)?),
        };
        // For each axis, the places that are taken.
        let mut taken: Vec<Vec<usize>> = dims.iter().map(|&dim| (0..dim).collect()).collect();
        for (((&start, &end), &axis), &step) in starts.iter().zip(&ends).zip(&along).zip(&steps) {
            let rank = i64::try_from(dims.len()).unwrap_or(0);
            let axis =
                usize::try_from(if axis < 0 { axis + rank } else { axis }).ok().filter(|axis| *axis < dims.len());
            let (Some(axis), Ok(step)) = (axis, usize::try_from(step)) else {
                return refuse("takes values backwards, or along an axis that is not there", "only forwards is known");
            };
            let length = i64::try_from(dims[axis]).unwrap_or(i64::MAX);
            let place = |at: i64| {
                let at = if at < 0 { at.saturating_add(length) } else { at };
                usize::try_from(at.clamp(0, length)).expect("the place lies within the axis")
            };
            let (start, end) = (place(start), place(end));
            if step == 0 || start >= end {
                return refuse("takes nothing", "correct the model");
            }
            taken[axis] = (start..end).step_by(step).collect();
        }
        if let Value::Constant(tensor) = value(inputs, 0)? {
            let dims = taken.iter().map(Vec::len).collect();
            let places = places(&tensor.dims, &taken);
            return tensor
                .picked(dims, places.into_iter())
                .map_or_else(|| refuse("takes too much", KNOWN), |t| Ok(Value::Constant(t)));
        }
        let map = map(inputs, 0)?;
        let cut: Vec<(usize, &Vec<usize>)> =
            taken.iter().enumerate().filter(|(axis, taken)| taken.len() < dims[*axis]).collect();
        for (axis, _) in &cut {
            self.check_channel_axis(map, i64::try_from(*axis).unwrap_or(-1))?;
        }
        let [(_, taken)] = cut[..] else { return Ok(Value::Map(map)) };
        let is_run = taken.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let (Ok(first), Ok(count), true) = (u32::try_from(taken[0]), u32::try_from(taken.len()), is_run) else {
            return refuse("takes channels apart from each other", "only adjacent channels are known");
        };
        Ok(self.channels(node, map, first, count))
    }

    pub(crate) fn gather(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let axis = node.int("axis").unwrap_or(0);
        let indices = constant(inputs, 1)?;
        let list = integers(inputs, 1)?;
        if let Value::Constant(tensor) = value(inputs, 0)? {
            let rank = i64::try_from(tensor.dims.len()).unwrap_or(0);
            let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok();
            let gathered = axis.and_then(|axis| {
                let length = *tensor.dims.get(axis)?;
                let list = places_of(&list, length)?;
                let mut taken: Vec<Vec<usize>> = tensor.dims.iter().map(|&dim| (0..dim).collect()).collect();
                taken[axis] = list;
                let dims = [&tensor.dims[..axis], &indices.dims[..], &tensor.dims[axis + 1..]].concat();
                tensor.picked(dims, places(&tensor.dims, &taken).into_iter())
            });
            return gathered.map_or_else(|| refuse("gathers what is not there", KNOWN), |t| Ok(Value::Constant(t)));
        }
        let map = map(inputs, 0)?;
        self.check_channel_axis(map, axis)?;
        let channels = self.shape(map.origin).channels;
        let Some(list) =
            places_of(&list, index::size(channels)).filter(|list| !list.is_empty() && list.len() <= 65_536)
        else {
            return refuse("gathers channels that are not there", "correct the model");
        };
        let mut parts = Vec::new();
        for run in list.chunk_by(|a, b| *b == a + 1) {
            let number = |place: usize| u32::try_from(place).expect("a channel's number fits");
            match self.channels(node, map, number(run[0]), number(run.len())) {
                Value::Map(part) => parts.push(part.origin),
                _ => unreachable!("channels of a map are a map"),
            }
        }
        let count = u32::try_from(list.len()).expect("the list is short");
        let shape = Shape { channels: count, ..self.shape(map.origin) };
        let origin = match parts[..] {
            [one] => one,
            _ => self.add(node, parts, Operator::Concat, shape, Parameters::None),
        };
        // A single index removes the axis.
        let form = match (indices.dims.len(), map.form) {
            (0, Form::Channels) => Form::Plane,
            (1, form) => form,
            _ => return refuse("gathers channels into more axes than they had", FORMS),
        };
        Ok(Value::Map(Map { origin, form, ..map }))
    }

    pub(crate) fn pad(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let input = map(inputs, 0)?;
        let pads = match node.ints("pads") {
            Some(pads) => pads.to_vec(),
            None => integers(inputs, 1)?,
        };
        let value = match inputs.get(2) {
            Some(Some(_)) => constant(inputs, 2)?.scalar(),
            _ => Some(node.float("value").unwrap_or(0.0).into()),
        };
        let mode = node.text("mode").unwrap_or("constant");
        if pads.iter().all(|&pad| pad == 0) {
            return Ok(Value::Map(input));
        }
        let number = |pad: i64| u32::try_from(pad).ok().filter(|pad| *pad <= 512);
        let sides = match pads[..] {
            [0, 0, top, left, 0, 0, bottom, right] => (|| {
                Some(Sides { top: number(top)?, left: number(left)?, bottom: number(bottom)?, right: number(right)? })
            })(),
            _ => None,
        };
        match sides {
            Some(padding) if mode == "constant" && value == Some(0.0) && input.form == Form::Channels => {
                self.draft.count_folded("pads in the convolutions behind them");
                Ok(Value::Map(Map { padding, ..input }))
            }
            _ => refuse(
                "pads with something other than zeros, or other axes than rows and columns",
                "a convolution takes zeros",
            ),
        }
    }

    pub(crate) fn shape_of(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let dims = match value(inputs, 0)? {
            Value::Constant(tensor) => tensor.dims.clone(),
            _ => self.dims(map(inputs, 0)?),
        };
        let rank = i64::try_from(dims.len()).unwrap_or(0);
        let place = |at: i64| usize::try_from((if at < 0 { at + rank } else { at }).clamp(0, rank)).unwrap_or(0);
        let (start, end) = (place(node.int("start").unwrap_or(0)), place(node.int("end").unwrap_or(rank)));
        let part = dims.get(start..end.max(start)).unwrap_or_default();
        let values: Vec<i64> = part.iter().map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX)).collect();
        Ok(Value::Constant(Tensor::integers(vec![values.len()], values)))
    }
}

fn text<T: ToString>(dims: &[T]) -> String {
    dims.iter().map(T::to_string).collect::<Vec<_>>().join(" x ")
}

/// Returns the sizes that a reshape of `dims` to `wanted` gives: 0 keeps a size, -1 takes what is left.
fn resolved(wanted: &[i64], dims: &[usize]) -> Option<Vec<usize>> {
    let all = Tensor::count(dims)?;
    let mut target = Vec::new();
    let mut open = None;
    for (place, &size) in wanted.iter().enumerate() {
        target.push(match size {
            0 => *dims.get(place)?,
            -1 if open.is_none() => {
                open = Some(place);
                1
            }
            size => usize::try_from(size).ok()?,
        });
    }
    let known = Tensor::count(&target)?;
    if let Some(open) = open {
        target[open] = all.checked_div(known)?;
    }
    (Tensor::count(&target) == Some(all)).then_some(target)
}

/// Returns `dims` with sizes of 1 inserted or removed at `axes`; all of them are removed if there are no axes.
fn squeezed(dims: &[usize], axes: Option<&[i64]>, inserts: bool) -> Option<Vec<usize>> {
    let rank = if inserts { dims.len() + axes?.len() } else { dims.len() };
    let place = |at: &i64| {
        let at = if *at < 0 { at + i64::try_from(rank).ok()? } else { *at };
        usize::try_from(at).ok().filter(|at| *at < rank)
    };
    let axes: Vec<usize> = match axes {
        Some(axes) => axes.iter().map(place).collect::<Option<_>>()?,
        None => (0..rank).filter(|&axis| dims[axis] == 1).collect(),
    };
    if inserts {
        let mut rest = dims.iter();
        return (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { rest.next().copied() }).collect();
    }
    if axes.iter().any(|&axis| dims[axis] != 1) {
        return None;
    }
    Some((0..rank).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis]).collect())
}

/// Returns the places, in row-major order, of the elements that are `taken` along each axis.
fn places(dims: &[usize], taken: &[Vec<usize>]) -> Vec<usize> {
    let mut places = vec![0];
    for (&dim, taken) in dims.iter().zip(taken) {
        places = places.iter().flat_map(|place| taken.iter().map(move |at| place * dim + at)).collect();
    }
    places
}

/// Returns the places of the elements of a tensor of sizes `dims` in the order of its transpose.
fn transposed(dims: &[usize], order: &[usize]) -> Vec<usize> {
    let strides: Vec<usize> = (0..dims.len()).map(|axis| dims[axis + 1..].iter().product()).collect();
    let mut places = vec![0];
    for &axis in order {
        places = places
            .iter()
            .flat_map(|place| (0..dims[axis]).map(|at| place + at * strides[axis]).collect::<Vec<_>>())
            .collect();
    }
    places
}

/// Returns indices counted from the end as places; `None` if one lies outside.
fn places_of(indices: &[i64], length: usize) -> Option<Vec<usize>> {
    let whole = i64::try_from(length).ok()?;
    let place = |&at: &i64| usize::try_from(if at < 0 { at + whole } else { at }).ok().filter(|at| *at < length);
    indices.iter().map(place).collect()
}

/// Returns constants joined along `axis`.
fn joined(tensors: &[Arc<Tensor>], axis: i64) -> Option<Arc<Tensor>> {
    let first = tensors.first()?;
    let rank = first.dims.len();
    let axis = usize::try_from(if axis < 0 { axis + i64::try_from(rank).ok()? } else { axis })
        .ok()
        .filter(|axis| *axis < rank)?;
    let fits = |tensor: &Arc<Tensor>| {
        tensor.dims.len() == rank && (0..rank).all(|at| at == axis || tensor.dims[at] == first.dims[at])
    };
    if !tensors.iter().all(fits) {
        return None;
    }
    let mut dims = first.dims.clone();
    dims[axis] = tensors.iter().map(|tensor| tensor.dims[axis]).sum();
    let outer: usize = dims[..axis].iter().product();
    let inner: usize = dims[axis + 1..].iter().product();
    if Tensor::count(&dims)? > 1 << 22 {
        return None;
    }
    let pieces = |outer: usize| {
        tensors.iter().map(move |tensor| (tensor, outer * tensor.dims[axis] * inner, tensor.dims[axis] * inner))
    };
    if tensors.iter().all(|tensor| matches!(tensor.values, Values::Integers(_))) {
        let lists: Vec<Vec<i64>> = tensors.iter().map(|tensor| tensor.as_integers()).collect::<Option<_>>()?;
        let values = (0..outer).flat_map(pieces).zip((0..tensors.len()).cycle());
        let values =
            values.flat_map(|((_, start, length), which)| lists[which][start..start + length].to_vec()).collect();
        return Some(Tensor::integers(dims, values));
    }
    let lists: Vec<Vec<f64>> = tensors.iter().map(|tensor| tensor.as_floats()).collect::<Option<_>>()?;
    let values = (0..outer).flat_map(pieces).zip((0..tensors.len()).cycle());
    let values = values.flat_map(|((_, start, length), which)| lists[which][start..start + length].to_vec());
    let values = Values::Floats(values.map(crate::format::narrowed).collect());
    Some(Arc::new(Tensor { name: first.name.clone(), dims, values, limits: None }))
}

pub(crate) fn cast(node: &Node, inputs: Inputs) -> Result<Value> {
    // Types by their numbers in the format: float, half, double, bfloat16.
    let is_real = matches!(node.int("to"), Some(1 | 10 | 11 | 16));
    match value(inputs, 0)? {
        Value::Constant(tensor) => {
            let values = match &tensor.values {
                Values::Integers(values) if is_real => {
                    Values::Floats(values.iter().map(|&v| crate::format::narrowed(v as f64)).collect())
                }
                Values::Floats(values) if !is_real => {
                    let whole: Option<Vec<i64>> = Tensor {
                        values: Values::Floats(values.iter().map(|v| v.trunc()).collect()),
                        ..(**tensor).clone()
                    }
                    .as_integers();
                    match whole {
                        Some(whole) => Values::Integers(whole),
                        None => return refuse("rounds a constant that is too large", KNOWN),
                    }
                }
                same => same.clone(),
            };
            Ok(Value::Constant(Arc::new(Tensor { values, ..(**tensor).clone() })))
        }
        Value::Map(map) if is_real => Ok(Value::Map(*map)),
        _ => refuse("rounds values to whole numbers", "only the host can, behind the network"),
    }
}
