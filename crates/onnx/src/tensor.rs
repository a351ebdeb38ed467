//! Constants: weights, and the small integer tensors of which models compute shapes.

use std::sync::Arc;

/// Most elements of a constant that is computed here.
const MOST_COMPUTED: usize = 1 << 22;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    /// Name in the file, for faults.
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Values,
    /// Least and largest number of its type, for those of a byte.
    pub(crate) limits: Option<(f64, f64)>,
}

/// Numbers of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Floats(Vec<f32>),
    Integers(Vec<i64>),
    /// The same number everywhere.
    Fill(f32),
    /// Numbers in a file that is not there.
    Missing,
}

impl Values {
    /// Returns the number of numbers, if there is one for each element.
    pub(crate) fn count(&self) -> Option<usize> {
        match self {
            Self::Floats(values) => Some(values.len()),
            Self::Integers(values) => Some(values.len()),
            Self::Fill(_) | Self::Missing => None,
        }
    }
}

impl Tensor {
    pub(crate) fn integers(dims: Vec<usize>, values: Vec<i64>) -> Arc<Self> {
        Arc::new(Self { name: String::new(), dims, values: Values::Integers(values), limits: None })
    }

    /// Returns the number of elements of a tensor of these sizes; `None` if memory could not hold it.
    pub(crate) fn count(dims: &[usize]) -> Option<usize> {
        let count = dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim))?;
        (count < 1 << 40).then_some(count)
    }

    pub(crate) fn len(&self) -> usize {
        Self::count(&self.dims).expect("sizes are checked when a tensor is made")
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.values == Values::Missing
    }

    /// Returns the numbers as whole numbers; `None` if they are others, too many or missing.
    pub(crate) fn as_integers(&self) -> Option<Vec<i64>> {
        if self.len() > MOST_COMPUTED {
            return None;
        }
        match &self.values {
            Values::Integers(values) => Some(values.clone()),
            Values::Fill(value) => Some(vec![whole(*value)?; self.len()]),
            Values::Floats(values) => values.iter().map(|&value| whole(value)).collect(),
            Values::Missing => None,
        }
    }

    /// Returns the numbers in double precision; `None` if they are missing.
    pub(crate) fn as_floats(&self) -> Option<Vec<f64>> {
        match &self.values {
            Values::Floats(values) => Some(values.iter().map(|&value| value.into()).collect()),
            Values::Integers(values) => Some(values.iter().map(|&value| value as f64).collect()),
            Values::Fill(value) => Some(vec![(*value).into(); self.len()]),
            Values::Missing => None,
        }
    }

    /// Returns the number if all elements are the same; `None` also if they are missing.
    pub(crate) fn scalar(&self) -> Option<f64> {
        match &self.values {
            Values::Fill(value) => Some((*value).into()),
            _ if self.len() == 1 => Some(self.as_floats()?[0]),
            _ => None,
        }
    }

    /// Returns the tensor with other sizes and the same elements.
    pub(crate) fn reshaped(&self, dims: Vec<usize>) -> Option<Arc<Self>> {
        let fits = Self::count(&dims) == Some(self.len());
        fits.then(|| Arc::new(Self { dims, ..self.clone() }))
    }

    /// Returns the elements at `places`, each a place in row-major order, as a tensor of sizes `dims`.
    pub(crate) fn picked(&self, dims: Vec<usize>, places: impl Iterator<Item = usize>) -> Option<Arc<Self>> {
        if Self::count(&dims)? > MOST_COMPUTED.max(self.len())
            && !matches!(self.values, Values::Fill(_) | Values::Missing)
        {
            return None;
        }
        let values = match &self.values {
            Values::Floats(values) => {
                Values::Floats(places.map(|place| values.get(place).copied()).collect::<Option<_>>()?)
            }
            Values::Integers(values) => {
                Values::Integers(places.map(|place| values.get(place).copied()).collect::<Option<_>>()?)
            }
            same @ (Values::Fill(_) | Values::Missing) => same.clone(),
        };
        Some(Arc::new(Self { name: self.name.clone(), dims, values, limits: self.limits }))
    }

    /// Returns `operation` of `self` and `other`, element by element with broadcasting. Whole numbers stay whole.
    pub(crate) fn combined(
        &self,
        other: &Self,
        whole: impl Fn(i64, i64) -> Option<i64>,
        real: impl Fn(f64, f64) -> f64,
    ) -> Option<Arc<Self>> {
        let rank = self.dims.len().max(other.dims.len());
        let padded = |dims: &[usize]| [vec![1; rank - dims.len()], dims.to_vec()].concat();
        let (a, b) = (padded(&self.dims), padded(&other.dims));
        let dims: Option<Vec<usize>> = a
            .iter()
            .zip(&b)
            .map(|(&a, &b)| (a == b || a == 1 || b == 1).then_some(if a == 1 { b } else { a }))
            .collect();
        let dims = dims?;
        let name = if self.name.is_empty() { &other.name } else { &self.name }.clone();
        let result =
            |values: Values| Some(Arc::new(Self { name: name.clone(), dims: dims.clone(), values, limits: None }));
        if self.is_missing() || other.is_missing() {
            return result(Values::Missing);
        }
        if let (Values::Fill(a), Values::Fill(b)) = (&self.values, &other.values) {
            return result(Values::Fill(crate::format::narrowed(real((*a).into(), (*b).into()))));
        }
        let count = Self::count(&dims)?;
        if count > MOST_COMPUTED {
            return None;
        }
        let place = |of: &[usize], element: usize| {
            let (mut place, mut rest, mut stride) = (0, element, 1);
            for (&size, &whole) in of.iter().zip(&dims).rev() {
                let at = rest % whole;
                rest /= whole;
                place += if size == 1 { 0 } else { at * stride };
                stride *= size;
            }
            place
        };
        if let (Values::Integers(x), Values::Integers(y)) = (&self.values, &other.values) {
            let values = (0..count).map(|element| whole(x[place(&a, element)], y[place(&b, element)]));
            return result(Values::Integers(values.collect::<Option<_>>()?));
        }
        let (x, y) = (self.as_floats()?, other.as_floats()?);
        let values = (0..count).map(|element| real(x[place(&a, element)], y[place(&b, element)]));
        result(Values::Floats(values.map(crate::format::narrowed).collect()))
    }
}

/// Returns a float as the whole number that it is.
fn whole(value: f32) -> Option<i64> {
    let is_whole = value.fract() == 0.0 && value.abs() < 2f32.powi(53);
    // Exact, since the value is whole and small enough.
    #[expect(clippy::cast_possible_truncation, reason = "the value has been checked")]
    is_whole.then_some(value as i64)
}
