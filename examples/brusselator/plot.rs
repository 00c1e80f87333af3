//! The plot of `brusselator`.

use std::error::Error;

use plotters::prelude::*;

/// Colours from low to high, evenly spaced: dark to light, so that they are told apart in grey, too.
const COLORS: [(f64, f64, f64); 5] = [
    (68.0, 1.0, 84.0),
    (59.0, 82.0, 139.0),
    (33.0, 145.0, 140.0),
    (94.0, 201.0, 98.0),
    (253.0, 231.0, 37.0),
];

/// The most points a side that are drawn.
const SIDE: usize = 64;

fn color(x: f64) -> RGBColor {
    let place = x.clamp(0.0, 1.0) * (COLORS.len() - 1) as f64;
    let i = (place as usize).min(COLORS.len() - 2);
    let (a, b, part) = (COLORS[i], COLORS[i + 1], place - i as f64);
    let mix = |a: f64, b: f64| (a + part * (b - a)).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Draws a field of `n` by `n` points at some times, each with a scale of its own, to an SVG file.
pub(crate) fn draw(file: &str, n: usize, times: &[f64], u: &[f64]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1640, 490)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = TextStyle::from(("sans-serif", 36).into_font());
    let area = area.titled("The Brusselator: the field u", title)?;
    let side = n.min(SIDE);
    for (part, (i, t)) in area
        .split_evenly((1, times.len()))
        .iter()
        .zip(times.iter().enumerate())
    {
        let field = &u[i * n * n..(i + 1) * n * n];
        let low = field.iter().copied().fold(f64::INFINITY, f64::min);
        let high = field.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut chart = ChartBuilder::on(part)
            .caption(
                format!("t = {t}: {low:.2} to {high:.2}"),
                ("sans-serif", 27),
            )
            .margin(14)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        let cell = 1.0 / side as f64;
        chart.draw_series((0..side * side).map(|k| {
            let (a, b) = (k / side, k % side);
            let value = field[a * n / side * n + b * n / side];
            let fill = color((value - low) / (high - low).max(f64::MIN_POSITIVE));
            let (x, y) = (a as f64 * cell, b as f64 * cell);
            Rectangle::new([(x, y), (x + cell, y + cell)], fill.filled())
        }))?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_labels(3)
            .y_labels(3)
            .x_label_formatter(&|x| format!("{x:.1}"))
            .y_label_formatter(&|y| format!("{y:.1}"))
            .label_style(("sans-serif", 22))
            .draw()?;
    }
    area.present()?;
    Ok(())
}
