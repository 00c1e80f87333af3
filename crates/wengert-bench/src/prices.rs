//! Estimated times beside measured ones.

use crate::measure::Workload;
use crate::table::{duration, ratio};

/// Prints the estimated and the shortest measured time of a run of each workload, and their ratio; and how many estimates
/// are right within a factor of two.
pub fn print(workloads: &[Workload]) {
    println!("| workload | estimated | measured | estimated ÷ measured |\n|---|---:|---:|---:|");
    let (mut right, mut rows) = (0, 0);
    for workload in workloads {
        match workload.price() {
            None => {}
            Some(Err(error)) => eprintln!("{}: {error}", workload.name),
            Some(Ok(price)) => {
                let factor = price.estimated / price.measured;
                let is_right = (0.5..=2.0).contains(&factor);
                println!(
                    "| {} | {} | {} | {}{} |",
                    workload.name,
                    duration(price.estimated),
                    duration(price.measured),
                    ratio(factor),
                    if is_right { "" } else { " !" }
                );
                rows += 1;
                right += usize::from(is_right);
            }
        }
    }
    println!("\nWithin a factor of two: {right} of {rows}");
}
