//! The plot of `epidemic_fit`.

use std::error::Error;

use plotters::prelude::*;
use wengert::prelude::*;
use wengert_solve::fit::Prediction;

use super::DAYS;

const DATA: RGBColor = RGBColor(90, 90, 90);
const MODEL: RGBColor = RGBColor(0, 114, 178);
const LOCKDOWN: RGBColor = RGBColor(213, 94, 0);

/// Draws the cases of each day, the fitted curve with the band in which new data are expected, and the day of the lockdown
/// with its interval, to an SVG file.
pub(crate) fn draw(
    file: &str,
    cases: &Array,
    lockdown: &Prediction<Array, Array>,
    curve: &Prediction<Array, Array>,
) -> Result<(), Box<dyn Error>> {
    let cases = cases.to_vec::<f64>()?;
    let thousands = |logs: &Array| -> wengert::Result<Vec<(f64, f64)>> {
        let logs = logs.to_vec::<f64>()?;
        // The cases of a day are drawn at its end.
        let points = logs.iter().enumerate();
        Ok(points
            .map(|(i, y)| (i as f64 + 1.0, y.exp() / 1e3))
            .collect())
    };
    let (low, high) = curve.prediction_bands(0.95)?;
    let (middle, low, high) = (
        thousands(&curve.value)?,
        thousands(&low)?,
        thousands(&high)?,
    );
    let top = high.iter().map(|p| p.1).fold(0.0, f64::max) * 1.1;

    let area = SVGBackend::new(file, (1600, 900)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("An epidemic with a lockdown", ("sans-serif", 40))
        .margin(28)
        .x_label_area_size(76)
        .y_label_area_size(92)
        .build_cartesian_2d(0.0..DAYS as f64 + 1.0, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("day")
        .y_desc("new cases of a day, thousands")
        .x_labels(13)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .label_style(("sans-serif", 25))
        .axis_desc_style(("sans-serif", 28))
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let band: Vec<(f64, f64)> = low.into_iter().chain(high.into_iter().rev()).collect();
    chart
        .draw_series([Polygon::new(band, MODEL.mix(0.18))])?
        .label("95 % of new data")
        .legend(|(x, y)| Rectangle::new([(x, y - 8), (x + 36, y + 8)], MODEL.mix(0.18).filled()));
    let day = lockdown.value.item::<f64>()?;
    let (from, to) = lockdown.confidence_bands(0.95)?;
    let (from, to) = (from.item::<f64>()?, to.item::<f64>()?);
    chart
        .draw_series([Rectangle::new(
            [(from, 0.0), (to, top)],
            LOCKDOWN.mix(0.25).filled(),
        )])?
        .label("lockdown, 95 % interval")
        .legend(|(x, y)| {
            Rectangle::new([(x, y - 8), (x + 36, y + 8)], LOCKDOWN.mix(0.25).filled())
        });
    chart.draw_series(LineSeries::new(
        [(day, 0.0), (day, top)],
        LOCKDOWN.stroke_width(2),
    ))?;
    chart
        .draw_series(LineSeries::new(middle, MODEL.stroke_width(3)))?
        .label("fitted model")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 36, y)], MODEL.stroke_width(3)));
    let points = cases.iter().enumerate();
    chart
        .draw_series(points.map(|(i, y)| Circle::new((i as f64 + 1.0, y / 1e3), 5, DATA.filled())))?
        .label("data")
        .legend(|(x, y)| Circle::new((x + 18, y), 5, DATA.filled()));
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
