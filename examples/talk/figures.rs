//! The figures of the book's pages.

use std::path::Path;

use plotters::prelude::*;

use super::{Failure, fitzhugh_nagumo, kuramoto, mandelbrot};

/// Draws all figures into a folder.
pub(crate) fn draw(folder: &str) -> Result<(), Failure> {
    let folder = Path::new(folder);
    std::fs::write(folder.join("mandelbrot.svg"), mandelbrot::figure()?)?;
    std::fs::write(folder.join("kuramoto.svg"), orders()?)?;
    std::fs::write(folder.join("fitzhugh_nagumo.svg"), spikes()?)?;
    Ok(())
}

const LABEL: (&str, u32) = ("sans-serif", 18);

/// The order of Kuramoto's oscillators over time, for three couplings.
fn orders() -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (760, 380)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..20.0, 0.0..1.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("time")
            .y_desc("order parameter")
            .label_style(LABEL)
            .axis_desc_style(LABEL)
            .draw()?;
        let colours = [
            RGBColor(120, 120, 130),
            RGBColor(226, 136, 76),
            RGBColor(93, 29, 66),
        ];
        for ((coupling, order), colour) in kuramoto::orders()?.into_iter().zip(colours) {
            let points = order.iter().enumerate().step_by(4);
            let points = points.map(|(i, r)| (0.05 * (i + 1) as f64, *r));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(format!("K = {coupling}"))
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE)
            .label_font(LABEL)
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}

/// The number of spikes of FitzHugh and Nagumo's neuron over its current and its threshold.
fn spikes() -> Result<String, Failure> {
    let n = 40;
    let map = fitzhugh_nagumo::map(n)?;
    let most = map.iter().flatten().copied().max().unwrap_or(1).max(1);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (620, 430)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .caption(
                format!("spikes in 500 units of time, from 0 to {most}"),
                LABEL,
            )
            .build_cartesian_2d(0.0..1.5, 0.4..1.0)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc("current I")
            .y_desc("threshold a")
            .label_style(LABEL)
            .axis_desc_style(LABEL)
            .draw()?;
        let (wide, high) = (1.5 / n as f64, 0.6 / n as f64);
        // A run of cells of one number is one rectangle.
        for (row, cells) in map.iter().enumerate() {
            let y = 0.4 + high * row as f64;
            let mut column = 0;
            for run in cells.chunk_by(|a, b| a == b) {
                let (from, to) = (column, column + run.len());
                column = to;
                if run[0] == 0 {
                    continue;
                }
                let part = run[0] as f64 / most as f64;
                let shade = |from: f64, to: f64| (from + (to - from) * part) as u8;
                let colour = RGBColor(shade(250.0, 93.0), shade(225.0, 29.0), shade(190.0, 66.0));
                chart.draw_series([Rectangle::new(
                    [(wide * from as f64, y), (wide * to as f64, y + high)],
                    colour.filled(),
                )])?;
            }
        }
        area.present()?;
    }
    Ok(svg)
}
