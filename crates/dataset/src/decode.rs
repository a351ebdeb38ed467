//! Pixels of PNG and JPEG files, converted as by Pillow.

use std::path::Path;

use image::{DynamicImage, ImageReader};
use index::size;
use ndarray::Array3;

/// Reads the pixels of a picture, in grey (`convert("L")`) or in colour (`convert("RGB")`): channels x height x width.
/// Transparency is left out. Orientation that Exif states is not applied, as torchvision does not.
pub(crate) fn decode(path: &Path, grey: bool) -> Result<Array3<u8>, image::ImageError> {
    let image = ImageReader::open(path)?.with_guessed_format()?.decode()?;
    let (height, width) = (size(image.height()), size(image.width()));
    let samples = of_channels(image);
    let channels = samples.len() / (height * width);
    let pixels = Array3::from_shape_vec((height, width, channels), samples);
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

/// One byte for each sample of grey or of red, green and blue. Of 16 bits the upper half is taken, but a grey picture
/// of 16 bits (mode `I;16`) is clipped at 255.
fn of_channels(image: DynamicImage) -> Vec<u8> {
    let upper = |samples: Vec<u16>| samples.into_iter().map(|sample| sample.to_be_bytes()[0]).collect();
    let without_last = |samples: Vec<u8>, channels: usize| {
        samples.chunks(channels).flat_map(|pixel| pixel[..channels - 1].iter().copied()).collect()
    };
    match image {
        DynamicImage::ImageLuma8(grey) => grey.into_raw(),
        DynamicImage::ImageLuma16(grey) => {
            grey.into_raw().into_iter().map(|sample| u8::try_from(sample).unwrap_or(u8::MAX)).collect()
        }
        DynamicImage::ImageLumaA8(grey) => without_last(grey.into_raw(), 2),
        DynamicImage::ImageLumaA16(grey) => without_last(upper(grey.into_raw()), 2),
        DynamicImage::ImageRgb16(colours) => upper(colours.into_raw()),
        DynamicImage::ImageRgba8(colours) => without_last(colours.into_raw(), 4),
        DynamicImage::ImageRgba16(colours) => without_last(upper(colours.into_raw()), 4),
        other => other.into_rgb8().into_raw(),
    }
}

/// Grey level of a colour (ITU-R 601-2, with 16 fractional bits).
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000;
    let [_, level, ..] = sum.to_be_bytes();
    level
}
