//! The plot of `whole_brain`.

use std::error::Error;

use plotters::prelude::*;

use super::Seen;

/// A colour for a number from 0 to 1, from dark blue to yellow.
fn shade(x: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 5] = [
        [13.0, 8.0, 90.0],
        [84.0, 39.0, 143.0],
        [187.0, 55.0, 84.0],
        [249.0, 142.0, 9.0],
        [252.0, 255.0, 164.0],
    ];
    let x = x.clamp(0.0, 1.0) * 4.0;
    let i = (x as usize).min(3);
    let part = x - i as f64;
    let mix = |c: usize| (STOPS[i][c] + part * (STOPS[i + 1][c] - STOPS[i][c])) as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

/// A number of a set.
type Of = fn(&Seen) -> f64;

/// Draws synchrony and metastability over coupling and mean delay to an SVG file.
pub(crate) fn draw(
    file: &str,
    seen: &[Seen],
    [couplings, delays]: [usize; 2],
) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1700, 800)).into_drawing_area();
    area.fill(&WHITE)?;
    let of: [(&str, Of); 2] = [
        ("synchrony: mean order parameter", |s| s.synchrony),
        ("metastability: its standard deviation", |s| s.metastability),
    ];
    for (part, (title, value)) in area.split_evenly((1, 2)).iter().zip(of) {
        let most = seen.iter().map(value).fold(0.0, f64::max).max(1e-12);
        let (map, scale) = part.split_horizontally(700);
        let mut chart = ChartBuilder::on(&map)
            .caption(title, ("sans-serif", 32))
            .margin(16)
            .x_label_area_size(76)
            .y_label_area_size(86)
            .build_cartesian_2d(0.0..couplings as f64, 0.0..delays as f64)?;
        // Cells have one width; labels say what they stand for.
        let coupling = |x: f64| 0.1 * 500f64.powf((x - 0.5) / (couplings.max(2) - 1) as f64);
        let delay = |y: f64| 20.0 * (y - 0.5) / (delays.max(2) - 1) as f64;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc("global coupling K")
            .y_desc("mean delay, ms")
            .x_label_formatter(&|x| format!("{:.1}", coupling(*x)))
            .y_label_formatter(&|y| format!("{:.1}", delay(*y).max(0.0)))
            .x_labels(6)
            .y_labels(6)
            .label_style(("sans-serif", 24))
            .axis_desc_style(("sans-serif", 27))
            .draw()?;
        chart.draw_series(seen.iter().enumerate().map(|(i, s)| {
            let (x, y) = ((i % couplings) as f64, (i / couplings) as f64);
            Rectangle::new(
                [(x, y), (x + 1.0, y + 1.0)],
                shade(value(s) / most).filled(),
            )
        }))?;

        let mut chart = ChartBuilder::on(&scale)
            .margin_top(64)
            .margin_bottom(92)
            .margin_right(20)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..1.0, 0.0..most)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .y_labels(5)
            .y_label_formatter(&|y| format!("{y:.2}"))
            .label_style(("sans-serif", 22))
            .draw()?;
        chart.draw_series((0..64).map(|i| {
            let (a, b) = (f64::from(i) / 64.0, f64::from(i + 1) / 64.0);
            Rectangle::new([(0.0, a * most), (1.0, b * most)], shade(a).filled())
        }))?;
    }
    area.present()?;
    Ok(())
}
