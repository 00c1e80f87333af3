//! Tests on the data sets that come with the example.

use super::*;

fn data(name: &str) -> Dataset {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("nist/data");
    let text = std::fs::read_to_string(folder.join(format!("{name}.dat"))).unwrap();
    Dataset::parse(&text).unwrap()
}

#[test]
fn both_starts_come_to_the_certified_values() {
    for name in ["Misra1a", "MGH09", "BoxBOD", "Nelson", "MGH17"] {
        let data = data(name);
        for score in fits(&data, &models::find(name).unwrap()).unwrap() {
            assert!(score.values >= 9.0, "{name}: {}", score.values);
            assert!(score.deviations >= 7.0, "{name}: {}", score.deviations);
            assert!(score.fit.ok().is_ok(), "{name}");
        }
    }
}

#[test]
fn every_formula_meets_its_certified_sum_of_squares() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("nist/data");
    for path in files(&folder).unwrap() {
        let data = Dataset::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let model = models::find(&data.name).unwrap();
        assert_eq!(model.unknowns, data.certified.len(), "{}", data.name);
        let formula = model.formula;
        let sum =
            jit(move |(b, x, y): (Vec<Var>, Vec<Var>, Var)| (formula(&b, &x) - y).square().sum());
        let y: Vec<f64> = match model.of_logarithms {
            true => data.y.iter().map(|y| y.ln()).collect(),
            false => data.y,
        };
        let x: Vec<Array> = data.x.iter().map(Array::from).collect();
        let b: Vec<Array> = data.certified.iter().map(|&b| b.into()).collect();
        let rss = sum
            .call((b, x, Array::from(y)))
            .unwrap()
            .item::<f64>()
            .unwrap();
        assert!((rss / data.rss - 1.0).abs() < 1e-7, "{}: {rss}", data.name);
    }
}

#[test]
fn mistakes_in_files_are_told() {
    assert!(Dataset::parse("").unwrap_err().contains("Dataset Name"));
    let text = "Dataset Name: A\nResidual Sum of Squares: 1.0\nb1 = 1 2 3\nData: y x\n1 2\n";
    assert!(Dataset::parse(text).unwrap_err().contains("four numbers"));
    let text = text
        .replace("1 2 3", "1 2 3 4")
        .replace("\n1 2\n", "\n1 two\n");
    assert!(Dataset::parse(&text).unwrap_err().contains("`two`"));
}

#[test]
fn all_27_names_have_a_formula() {
    let names = "Misra1a Misra1b Misra1c Misra1d Chwirut1 Chwirut2 Lanczos1 Lanczos2 Lanczos3 Gauss1 Gauss2 Gauss3 \
                 DanWood Kirby2 Hahn1 Nelson MGH17 MGH09 MGH10 Thurber BoxBOD Rat42 Rat43 ENSO Roszman1 Eckerle4 \
                 Bennett5";
    assert_eq!(
        names
            .split_whitespace()
            .filter(|n| models::find(n).is_some())
            .count(),
        27
    );
}
