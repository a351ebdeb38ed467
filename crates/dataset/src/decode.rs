//! Pixels of PNG and JPEG files, converted as by Pillow.

use std::io::Cursor;
use std::path::Path;
use std::{error, fs};

use index::size;
use ndarray::Array3;
use png::{BitDepth, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// First bytes of a PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// First bytes of a JPEG file.
const JPEG: &[u8] = b"\xff\xd8\xff";
/// Bytes of samples that a picture may have: one of 13,000 x 13,000 in colour has fewer.
const LIMIT: usize = 512 << 20;

/// Samples of a picture, height x width x channels: grey, or red, green and blue.
struct Samples {
    height: usize,
    width: usize,
    channels: usize,
    bytes: Vec<u8>,
}

/// Reads the pixels of a picture, in grey (`convert("L")`) or in colour (`convert("RGB")`): channels x height x width.
/// Transparency is left out. Orientation that Exif states is not applied, as torchvision does not.
pub(crate) fn decode(path: &Path, grey: bool) -> Result<Array3<u8>, Box<dyn error::Error>> {
    let file = fs::read(path)?;
    let samples = match &file[..] {
        bytes if bytes.starts_with(PNG) => decode_png(bytes)?,
        bytes if bytes.starts_with(JPEG) => decode_jpeg(bytes)?,
        _ => return Err("its content is neither PNG nor JPEG".into()),
    };
    let Samples { height, width, channels, bytes } = samples;
    let pixels = Array3::from_shape_vec((height, width, channels), bytes);
    let pixels = pixels.expect("an image has as many samples as its size says");
    let converted = match (channels, grey) {
        (3, true) => Array3::from_shape_fn((1, height, width), |(_, y, x)| luma([0, 1, 2].map(|c| pixels[(y, x, c)]))),
        (3, false) => pixels.permuted_axes([2, 0, 1]),
        (_, grey) => {
            let channels = if grey { 1 } else { 3 };
            Array3::from_shape_fn((channels, height, width), |(_, y, x)| pixels[(y, x, 0)])
        }
    };
    Ok(converted)
}

/// Palettes become colours, and fewer than 8 bits become 8. Of 16 bits the upper half is taken, but a grey picture of 16
/// bits (mode `I;16`) is clipped at 255.
fn decode_png(file: &[u8]) -> Result<Samples, Box<dyn error::Error>> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), Limits { bytes: LIMIT });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let length = reader.output_buffer_size().filter(|&length| length <= LIMIT).ok_or("it is too large")?;
    let mut bytes = vec![0; length];
    let info = reader.next_frame(&mut bytes)?;
    bytes.truncate(info.buffer_size());
    let with_alpha = info.color_type.samples();
    let channels = if with_alpha < 3 { 1 } else { 3 };
    if info.bit_depth == BitDepth::Sixteen {
        let is_grey = with_alpha == 1;
        let byte = |sample: &[u8]| if is_grey && sample[0] > 0 { u8::MAX } else { sample[usize::from(is_grey)] };
        bytes = bytes.chunks_exact(2).map(byte).collect();
    }
    if channels < with_alpha {
        bytes = bytes.chunks_exact(with_alpha).flat_map(|pixel| &pixel[..channels]).copied().collect();
    }
    Ok(Samples { height: size(info.height), width: size(info.width), channels, bytes })
}

/// Grey stays grey; everything else becomes red, green and blue.
fn decode_jpeg(file: &[u8]) -> Result<Samples, Box<dyn error::Error>> {
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers()?;
    let (colours, channels) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, 1),
        _ => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(colours));
    let (width, height) = decoder.dimensions().expect("the headers were decoded");
    if width * height * channels > LIMIT {
        return Err("it is too large".into());
    }
    let bytes = decoder.decode()?;
    Ok(Samples { height, width, channels, bytes })
}

/// Grey level of a colour (ITU-R 601-2, with 16 fractional bits).
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000;
    let [_, level, ..] = sum.to_be_bytes();
    level
}
