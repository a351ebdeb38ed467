//! Answers and costs together: counts, the small real case, and VGG16 in full size.

mod counts;
mod digits;
mod vgg16;
