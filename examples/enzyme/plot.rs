//! The plot of `enzyme`.

use std::error::Error;

use plotters::prelude::*;
use wengert::Array;
use wengert_solve::fit::Prediction;

use super::{TREATED, UNTREATED};

const COLORS: [RGBColor; 2] = [RGBColor(213, 94, 0), RGBColor(0, 114, 178)];

/// Draws the data, the fitted curves at these concentrations, and their confidence bands, to an SVG file.
pub(crate) fn draw(
    file: &str,
    at: &[f64],
    curves: &Prediction<[Array; 2], Array>,
) -> Result<(), Box<dyn Error>> {
    // The backend uses integer pixels: many of them make curves smooth.
    let area = SVGBackend::new(file, (1600, 900)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Reaction rates with and without puromycin",
            ("sans-serif", 40),
        )
        .margin(28)
        .x_label_area_size(76)
        .y_label_area_size(104)
        .build_cartesian_2d(0.0..1.2, 0.0..240.0)?;
    chart
        .configure_mesh()
        .x_desc("concentration, parts per million")
        .y_desc("rate, counts / min²")
        .x_label_formatter(&|x| format!("{x:.1}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(("sans-serif", 25))
        .axis_desc_style(("sans-serif", 28))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let (low, high) = curves.confidence_bands(0.95)?;
    let series: [(&str, &[(f64, f64)]); 2] = [("treated", &TREATED), ("untreated", &UNTREATED)];
    for (i, (name, data)) in series.into_iter().enumerate() {
        let color = COLORS[i];
        let points = |y: &Array| -> wengert::Result<Vec<(f64, f64)>> {
            Ok(at.iter().copied().zip(y.to_vec::<f64>()?).collect())
        };
        let (below, above) = (points(&low[i])?, points(&high[i])?);
        let around = below
            .into_iter()
            .chain(above.into_iter().rev())
            .collect::<Vec<_>>();
        chart.draw_series([Polygon::new(around, color.mix(0.15))])?;
        chart
            .draw_series(LineSeries::new(
                points(&curves.value[i])?,
                color.stroke_width(3),
            ))?
            .label(format!("{name}: fit, with its 95 % band"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 36, y)], color.stroke_width(3)));
        chart
            .draw_series(
                data.iter()
                    .map(|&point| Circle::new(point, 6, color.filled())),
            )?
            .label(format!("{name}: data"))
            .legend(move |(x, y)| Circle::new((x + 18, y), 6, color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .legend_area_size(52)
        .label_font(("sans-serif", 25))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}
