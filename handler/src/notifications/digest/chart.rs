//! A device's day as a small picture.
//!
//! Numbers stand beside it in the letter: a picture without text needs no font, and is read in any language.

use std::collections::HashMap;

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};
use wire::notifications::DigestDevice;

/// Pixels; letters show it in half that size, sharp on fine screens.
const WIDTH: u32 = 1120;
/// Pixels.
const HEIGHT: u32 = 160;
/// Pixels around the curve.
const MARGIN: f32 = 6.0;
/// Points of a curve: two a column of a third of the width.
const MOST_POINTS: usize = 240;

/// Draws a curve over a period of so many seconds, with a mark where the alert was opened; `None` without two readings.
#[must_use]
pub(super) fn draw(device: &DigestDevice, length_s: i64, opened_s: i64) -> Option<Vec<u8>> {
    let curve = &device.curve;
    let low = curve.iter().map(|(_, celsius)| *celsius).fold(f32::INFINITY, f32::min);
    let high = curve.iter().map(|(_, celsius)| *celsius).fold(f32::NEG_INFINITY, f32::max);
    if curve.len() < 2 || !low.is_finite() || !high.is_finite() || length_s <= 0 {
        return None;
    }
    let (width, height) = (pixels(WIDTH), pixels(HEIGHT));
    let span = (high - low).max(0.5);
    let x = |at_s: i64| MARGIN + (width - 2.0 * MARGIN) * share(at_s, length_s);
    let y = |celsius: f32| height - MARGIN - (height - 2.0 * MARGIN) * (celsius - low) / span;
    let mut picture = Pixmap::new(WIDTH, HEIGHT)?;
    picture.fill(Color::from_rgba8(0xf7, 0xf8, 0xfa, 0xff));
    if (0..=length_s).contains(&opened_s) {
        let mark = Rect::from_xywh(x(opened_s) - 2.0, 0.0, 4.0, height)?;
        let mut path = PathBuilder::new();
        path.push_rect(mark);
        picture.fill_path(
            &path.finish()?,
            &paint(0xf2, 0xb8, 0xb5),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
    let mut path = PathBuilder::new();
    for (index, (at_s, celsius)) in curve.iter().enumerate() {
        if index == 0 { path.move_to(x(*at_s), y(*celsius)) } else { path.line_to(x(*at_s), y(*celsius)) }
    }
    let stroke =
        Stroke { width: 3.0, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    picture.stroke_path(&path.finish()?, &paint(0x1f, 0x5f, 0xa8), &stroke, Transform::identity(), None);
    encoded(&picture)
}

/// A PNG with a palette: what consists of three colors and their blends becomes a tenth of the size.
fn encoded(picture: &Pixmap) -> Option<Vec<u8>> {
    let mut palette: Vec<[u8; 3]> = Vec::new();
    let mut places: HashMap<[u8; 3], u8> = HashMap::new();
    let mut indices = Vec::with_capacity(picture.pixels().len());
    for pixel in picture.pixels() {
        let color = [pixel.red(), pixel.green(), pixel.blue()].map(|part| part & 0xf8);
        let next = u8::try_from(palette.len());
        // More colors than a palette holds do not come up; they would be drawn as the background.
        let place = *places.entry(color).or_insert_with(|| {
            next.map_or(0, |next| {
                palette.push(color);
                next
            })
        });
        indices.push(place);
    }
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::Best);
    encoder.set_filter(png::FilterType::NoFilter);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&indices).ok()?;
    writer.finish().ok()?;
    Some(png)
}

/// Thins readings, seconds and degrees in order of time, to the extremes of each column.
#[must_use]
pub(super) fn thinned(readings: &[(i64, f32)]) -> Vec<(i64, f32)> {
    if readings.len() <= MOST_POINTS {
        return readings.to_vec();
    }
    let per_column = readings.len().div_ceil(MOST_POINTS / 2);
    let mut curve = Vec::with_capacity(MOST_POINTS);
    for column in readings.chunks(per_column) {
        let lowest = column.iter().min_by(|left, right| left.1.total_cmp(&right.1));
        let highest = column.iter().max_by(|left, right| left.1.total_cmp(&right.1));
        let (Some(lowest), Some(highest)) = (lowest, highest) else { continue };
        let (first, second) = if lowest.0 <= highest.0 { (lowest, highest) } else { (highest, lowest) };
        curve.push(*first);
        if second != first {
            curve.push(*second);
        }
    }
    curve
}

#[expect(clippy::cast_precision_loss, reason = "a picture's pixels")]
fn pixels(n: u32) -> f32 {
    n as f32
}

#[expect(clippy::cast_precision_loss, reason = "a part of a day to a pixel")]
fn share(at_s: i64, length_s: i64) -> f32 {
    at_s as f32 / length_s as f32
}

fn paint(red: u8, green: u8, blue: u8) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 0xff);
    paint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_extremes_and_order() {
        let mut readings: Vec<(i64, f32)> = (0..1440).map(|minute| (minute * 60, 20.0)).collect();
        readings[777].1 = 38.0;
        readings[778].1 = -5.0;
        let curve = thinned(&readings);
        assert!(curve.len() <= MOST_POINTS && curve.is_sorted_by_key(|(at, _)| *at));
        assert!(curve.contains(&(777 * 60, 38.0)) && curve.contains(&(778 * 60, -5.0)));
        assert_eq!(thinned(&readings[..10]), readings[..10]);
    }
}
