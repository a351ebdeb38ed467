//! Arrays of numbers in files: the types that torch and NumPy write, and the npy format.

use std::io::Read;

use index::count;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use py_literal::Value;
use safetensors::Dtype;

/// A type of numbers that weights and pictures may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    U8,
    F16,
    BF16,
    F32,
    F64,
}

impl Number {
    /// The type of a tensor in a safetensors file; `None` if it is not one of these.
    pub(crate) fn of_safetensors(dtype: Dtype) -> Option<Number> {
        match dtype {
            Dtype::U8 => Some(Number::U8),
            Dtype::F16 => Some(Number::F16),
            Dtype::BF16 => Some(Number::BF16),
            Dtype::F32 => Some(Number::F32),
            Dtype::F64 => Some(Number::F64),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Number::U8 => 1,
            Number::F16 | Number::BF16 => 2,
            Number::F32 => 4,
            Number::F64 => 8,
        }
    }

    /// Little-endian numbers in single precision.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks().0.iter().map(|&bytes| value(bytes)).collect()
        }
        match self {
            Number::U8 => bytes.iter().map(|&byte| f32::from(byte)).collect(),
            Number::F16 => each(bytes, |bytes| half(u16::from_le_bytes(bytes))),
            Number::BF16 => each(bytes, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)),
            Number::F32 => each(bytes, f32::from_le_bytes),
            #[expect(clippy::cast_possible_truncation, reason = "arrays are read in single precision")]
            Number::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

/// A number of IEEE 754 half precision.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (bits >> 10 & 0x1f, f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    };
    sign * magnitude
}

/// Header of an npy file: type, order and shape of its array.
#[derive(Clone, Debug)]
pub(crate) struct NpyHeader {
    /// NumPy's name of the type, as in `<f4`.
    pub(crate) descr: String,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<usize>,
}

impl NpyHeader {
    /// Reads the header, and leaves `reader` at the first number.
    pub(crate) fn read(reader: &mut impl Read) -> Result<NpyHeader, String> {
        let mut exactly = |length: usize| {
            let mut bytes = Vec::new();
            let read = reader.by_ref().take(count(length)).read_to_end(&mut bytes);
            match read.map_err(|error| error.to_string())? {
                read if read == length => Ok(bytes),
                _ => Err("it ends within its header".to_owned()),
            }
        };
        let start = exactly(8)?;
        if start[..6] != *b"\x93NUMPY" {
            return Err("it does not begin as an npy file does".to_owned());
        }
        // The length has two bytes in version 1, and four in versions 2 and 3.
        let length = exactly(if start[6] == 1 { 2 } else { 4 })?;
        let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let text = String::from_utf8(exactly(length)?).map_err(|error| error.to_string())?;
        let header: Value = text.trim_end().parse().map_err(|_| "its header is no Python dictionary".to_owned())?;
        header.as_dict().and_then(|entries| NpyHeader::of(entries)).ok_or(format!("its header is {}", text.trim_end()))
    }

    fn of(entries: &[(Value, Value)]) -> Option<NpyHeader> {
        let entry = |key: &str| entries.iter().find(|(name, _)| name.as_string().is_some_and(|name| name == key));
        let length = |value: &Value| value.as_integer().and_then(|length| length.try_into().ok());
        Some(NpyHeader {
            descr: entry("descr")?.1.as_string().cloned().unwrap_or_else(|| "records".to_owned()),
            fortran_order: entry("fortran_order")?.1.as_boolean()?,
            shape: entry("shape")?.1.as_tuple()?.iter().map(length).collect::<Option<_>>()?,
        })
    }

    /// The type of the numbers; `None` if it is not one that weights and pictures may have.
    pub(crate) fn number(&self) -> Option<Number> {
        match self.descr.get(1..)? {
            "u1" => Some(Number::U8),
            "f2" => Some(Number::F16),
            "f4" => Some(Number::F32),
            "f8" => Some(Number::F64),
            _ => None,
        }
    }

    /// Reads all numbers, as little-endian bytes in the file's order.
    pub(crate) fn read_bytes(&self, number: Number, reader: &mut impl Read) -> Result<Vec<u8>, String> {
        let size = number.bytes();
        let elements = self.shape.iter().try_fold(1usize, |elements, &length| elements.checked_mul(length));
        let length = elements.and_then(|elements| elements.checked_mul(size)).ok_or("its shape is too large")?;
        let mut bytes = Vec::new();
        // One byte more, to detect a file that is longer than its header says.
        reader.take(count(length) + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() != length {
            return Err(format!("it does not have the {length} bytes of numbers that its header says"));
        }
        if self.descr.starts_with('>') {
            bytes.chunks_mut(size).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }

    /// The numbers in the file's order, as an array.
    pub(crate) fn array<T>(&self, numbers: Vec<T>) -> ArrayD<T> {
        let shape = IxDyn(&self.shape).set_f(self.fortran_order);
        ArrayD::from_shape_vec(shape, numbers).expect("as many numbers were read as the shape says")
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_is_read_exactly() {
        let values = [0x0000, 0x8001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff].map(half);
        let smallest = 2f32.powi(-24);
        assert_eq!(values, [0.0, -smallest, 1023.0 * smallest, 2f32.powi(-14), 1.0, -2.0, 65504.0]);
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
