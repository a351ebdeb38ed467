//! A plain interpreter of lists of nodes, which knows nothing of layers, maps and stages.

use ndarray::{Array3, Axis, concatenate};
use network::{Activation, Kernel, LayerId, Network, NodeList, Operator, Origin, Plan, Sides};
use numeric::{InputRanges, Weights};

/// What is computed of a network.
pub(crate) struct Interpreter<'a> {
    pub list: &'a NodeList,
    /// For sizes of layers, whose numbers are in the order of the list.
    pub network: &'a Network,
    pub weights: &'a Weights,
    pub plan: &'a Plan,
    /// Quantises like the machine; `None` for floating point.
    pub ranges: Option<&'a InputRanges>,
}

/// Values of a node, channels x height x width.
#[derive(Clone)]
struct Value {
    values: Array3<f32>,
    stored: Array3<bool>,
    /// Number of the layer that computes each channel, from 1; 0 for the image.
    layers: Vec<usize>,
}

/// The finest step, a power of two, in which `bits` bits hold `range`.
fn step(bits: u32, range: f32) -> f32 {
    let levels = ((1 << (bits - 1)) - 1) as f32;
    if range == 0.0 {
        return 1.0;
    }
    let mut step = 1.0f32;
    while levels * step < range {
        step *= 2.0;
    }
    while levels * (step / 2.0) >= range {
        step /= 2.0;
    }
    step
}

fn quantise(value: f32, bits: u32, step: f32) -> i64 {
    let levels = (1i64 << (bits - 1)) - 1;
    ((value / step).round() as i64).clamp(-levels, levels)
}

/// `value` of `from` bits in steps of its upper `to` bits.
fn drop_bits(value: i64, from: u32, to: u32) -> i64 {
    let unit = (1i64 << (from - to)) as f64;
    let most = ((1i64 << (to - 1)) - 1) as f64;
    ((value as f64 / unit + 0.5).floor().min(most) * unit) as i64
}

/// Positions that a window reads: index in the kernel, row and column of the map, in the map or not.
fn reads(kernel: &Kernel, y: usize, x: usize) -> impl Iterator<Item = (usize, i64, i64)> {
    let (width, kernel) = (kernel.size.x as usize, *kernel);
    (0..kernel.positions() as usize).map(move |k| {
        let at = |window: usize, stride: u32, k: usize, dilation: u32, padding: u32| {
            window as i64 * i64::from(stride) + k as i64 * i64::from(dilation) - i64::from(padding)
        };
        let row = at(y, kernel.stride.y, k / width, kernel.dilation.y, kernel.padding.top);
        (k, row, at(x, kernel.stride.x, k % width, kernel.dilation.x, kernel.padding.left))
    })
}

fn get<T: Copy>(map: &Array3<T>, channel: usize, y: i64, x: i64) -> Option<T> {
    let index = (channel, usize::try_from(y).ok()?, usize::try_from(x).ok()?);
    map.get(index).copied()
}

impl Interpreter<'_> {
    /// Values of the results, one after the other.
    pub(crate) fn run(&self, image: &Array3<f32>) -> Vec<f32> {
        let stored = Array3::from_elem(image.dim(), true);
        let image = Value { values: image.clone(), stored, layers: vec![0; image.dim().0] };
        let mut values: Vec<Value> = Vec::new();
        let mut layers = 0;
        for node in &self.list.nodes {
            let inputs = node.inputs.iter().map(|origin| match origin {
                Origin::Image => image.clone(),
                Origin::Node(node) => values[*node].clone(),
            });
            let inputs: Vec<Value> = inputs.collect();
            let mut value = match &node.operator {
                Operator::Convolution { .. } | Operator::FullyConnected { .. } => {
                    layers += 1;
                    self.layer(layers, &inputs[0])
                }
                Operator::Add => {
                    let mut operands = inputs.into_iter();
                    let first = operands.next().unwrap();
                    operands.fold(first, |sum, operand| self.add(&node.name, &sum, &operand))
                }
                Operator::Affine => each(inputs[0].clone(), |channel, x| {
                    let stages = &self.weights.stages;
                    x * stages.factors[&node.name][channel] + stages.offsets[&node.name][channel]
                }),
                Operator::Activation => inputs[0].clone(),
                Operator::MaxPool(kernel) => pool(&inputs[0], kernel, |values, _, _| {
                    values.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max)
                }),
                Operator::AveragePool { kernel, counted } => {
                    let (_, height, width) = inputs[0].values.dim();
                    pool(&inputs[0], kernel, |values, y, x| {
                        let Sides { top, left, bottom, right } = *counted;
                        let counts = |&(_, y, x): &(usize, i64, i64)| {
                            (-i64::from(top)..height as i64 + i64::from(bottom)).contains(&y)
                                && (-i64::from(left)..width as i64 + i64::from(right)).contains(&x)
                        };
                        let divisor = reads(kernel, y, x).filter(counts).count();
                        values.iter().flatten().sum::<f32>() / divisor as f32
                    })
                }
                Operator::GlobalAveragePool => {
                    let Value { values, layers, .. } = &inputs[0];
                    let (channels, height, width) = values.dim();
                    let mean = |(channel, _, _)| {
                        values.index_axis(Axis(0), channel).iter().sum::<f32>() / (height * width) as f32
                    };
                    let values = Array3::from_shape_fn((channels, 1, 1), mean);
                    Value { values, stored: Array3::from_elem((channels, 1, 1), true), layers: layers.clone() }
                }
                Operator::Concat => Value {
                    values: concatenate(Axis(0), &inputs.iter().map(|i| i.values.view()).collect::<Vec<_>>()).unwrap(),
                    stored: concatenate(Axis(0), &inputs.iter().map(|i| i.stored.view()).collect::<Vec<_>>()).unwrap(),
                    layers: inputs.iter().flat_map(|input| input.layers.clone()).collect(),
                },
                Operator::Channels { first, count } => {
                    let range = *first as usize..(first + count) as usize;
                    take(&inputs[0], &range.collect::<Vec<_>>())
                }
                Operator::Shuffle { groups } => {
                    let channels = inputs[0].layers.len();
                    let (groups, each) = (*groups as usize, channels / *groups as usize);
                    let order: Vec<usize> = (0..channels).map(|c| c % groups * each + c / groups).collect();
                    take(&inputs[0], &order)
                }
            };
            if let Some(activation) = &node.activation {
                value = each(value, |channel, x| {
                    let slope = match activation {
                        Activation::PRelu(_) => self.weights.stages.slopes[&node.name][channel],
                        _ => 0.0,
                    };
                    activation.apply(x, slope)
                });
            }
            values.push(value);
        }
        self.list.results.iter().flat_map(|&node| values[node].values.iter().copied()).collect()
    }

    fn layer(&self, number: usize, input: &Value) -> Value {
        let id = LayerId(number as u16 - 1);
        let (layer, plan) = (&self.network.layers[id], &self.plan.layers[id]);
        let weights = &self.weights.layers[number - 1];
        let (outputs, groups) = (layer.output.channels as usize, layer.groups as usize);
        let inputs = layer.input.channels as usize / groups;
        let positions = layer.kernel.positions() as usize;
        let matrix = weights.weights.to_shape((outputs, inputs * positions)).unwrap();
        let bits = plan.stored_bits(layer).max(2);
        let steps = self.ranges.map(|ranges| {
            let most = matrix.iter().fold(0f32, |most, weight| most.max(weight.abs()));
            (step(bits, ranges.layers[number - 1]), step(plan.weight_bits, most))
        });
        let shape = (outputs, layer.output.height as usize, layer.output.width as usize);
        let values = Array3::from_shape_fn(shape, |(output, y, x)| {
            let window_bits = plan.bits_at(y as u32, x as u32);
            if window_bits == 0 {
                return 0.0;
            }
            let first = output / (outputs / groups) * inputs;
            let (mut sum, mut real) = (0i64, 0f64);
            for channel in 0..inputs {
                for (k, row, column) in reads(&layer.kernel, y, x) {
                    let Some(input) = get(&input.values, first + channel, row, column) else { continue };
                    let weight = matrix[(output, channel * positions + k)];
                    real += f64::from(input) * f64::from(weight);
                    if let Some((input_step, weight_step)) = steps {
                        let input = drop_bits(quantise(input, bits, input_step), bits, window_bits);
                        sum += input * quantise(weight, plan.weight_bits, weight_step);
                    }
                }
            }
            let product = match steps {
                None => real as f32,
                Some((input, weight)) => (sum as f64 * (f64::from(input) * f64::from(weight))) as f32,
            };
            product + weights.bias[output]
        });
        let stored = Array3::from_shape_fn(shape, |(_, y, x)| plan.bits_at(y as u32, x as u32) != 0);
        Value { values, stored, layers: vec![number; outputs] }
    }

    /// The sum, in which the value of the earlier layer is quantised for the later one.
    fn add(&self, name: &str, a: &Value, b: &Value) -> Value {
        let merged = |value: f32, layer: usize| {
            // A merge without a range is of channels that nobody reads.
            let Some(&range) = self.ranges.and_then(|ranges| ranges.merges.get(name)) else { return value };
            let id = LayerId(layer as u16 - 1);
            let bits = match self.plan.layers[id].stored_bits(&self.network.layers[id]) {
                0 => 16,
                bits => bits,
            };
            let step = step(bits, range);
            quantise(value, bits, step) as f32 * step
        };
        let layers: Vec<usize> = a.layers.iter().zip(&b.layers).map(|(a, b)| *a.max(b)).collect();
        let values = Array3::from_shape_fn(a.values.dim(), |index| {
            let (x, y, channel) = (a.values[index], b.values[index], index.0);
            if a.layers[channel] < b.layers[channel] {
                y + merged(x, layers[channel])
            } else {
                x + merged(y, layers[channel])
            }
        });
        let stored = Array3::from_shape_fn(a.stored.dim(), |index| a.stored[index] || b.stored[index]);
        Value { values, stored, layers }
    }
}

fn each(mut value: Value, change: impl Fn(usize, f32) -> f32) -> Value {
    for ((index, x), stored) in value.values.indexed_iter_mut().zip(&value.stored) {
        if *stored {
            *x = change(index.0, *x);
        }
    }
    value
}

/// Values under each window, `None` outside the map.
fn pool(input: &Value, kernel: &Kernel, value: impl Fn(&[Option<f32>], usize, usize) -> f32) -> Value {
    let (channels, height, width) = input.values.dim();
    let map = network::Shape { height: height as u32, width: width as u32, channels: channels as u32 };
    let (rows, columns) = kernel.windows(map).unwrap();
    let shape = (channels, rows as usize, columns as usize);
    let values = Array3::from_shape_fn(shape, |(channel, y, x)| {
        let under: Vec<_> = reads(kernel, y, x).map(|(_, y, x)| get(&input.values, channel, y, x)).collect();
        value(&under, y, x)
    });
    let stored = Array3::from_shape_fn(shape, |(channel, y, x)| {
        reads(kernel, y, x).any(|(_, y, x)| get(&input.stored, channel, y, x) == Some(true))
    });
    Value { values, stored, layers: input.layers.clone() }
}

fn take(value: &Value, channels: &[usize]) -> Value {
    Value {
        values: value.values.select(Axis(0), channels),
        stored: value.stored.select(Axis(0), channels),
        layers: channels.iter().map(|&channel| value.layers[channel]).collect(),
    }
}
