//! The plot of `lynx_hare`.

use std::error::Error;

use plotters::prelude::*;

use super::{Pelts, STEPS};

const HARES: RGBColor = RGBColor(0, 114, 178);
const LYNX: RGBColor = RGBColor(213, 94, 0);

/// Draws the data and the fitted curves, `[hares, lynx]` at equal steps from 1900 on, to an SVG file.
pub(crate) fn draw(
    file: &str,
    pelts: &Pelts,
    [hares, lynx]: &[Vec<f64>; 2],
) -> Result<(), Box<dyn Error>> {
    // The backend uses integer pixels: many of them make curves smooth.
    let area = SVGBackend::new(file, (1600, 900)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Pelts of the Hudson's Bay Company", ("sans-serif", 40))
        .margin(28)
        .x_label_area_size(76)
        .y_label_area_size(92)
        .build_cartesian_2d(1899.5..1920.5, 0.0..90.0)?;
    chart
        .configure_mesh()
        .x_desc("year")
        .y_desc("pelts, thousands")
        .x_labels(11)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(("sans-serif", 25))
        .axis_desc_style(("sans-serif", 28))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (name, color, data, curve) in [
        ("hares", HARES, &pelts.hares, hares),
        ("lynx", LYNX, &pelts.lynx, lynx),
    ] {
        let time = |i: usize| 1900.0 + i as f64 / STEPS as f64;
        let curve = curve.iter().enumerate().map(|(i, &y)| (time(i), y));
        chart
            .draw_series(LineSeries::new(curve, color.stroke_width(3)))?
            .label(format!("{name}: fitted model"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 36, y)], color.stroke_width(3)));
        let points = pelts.years.iter().zip(data);
        chart
            .draw_series(points.map(|(&x, &y)| Circle::new((x, y), 6, color.filled())))?
            .label(format!("{name}: data"))
            .legend(move |(x, y)| Circle::new((x + 18, y), 6, color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(52)
        .label_font(("sans-serif", 25))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
