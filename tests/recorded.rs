//! What transforms record of small functions, and what rewrites make of it: a change of that is seen in the files
//! of `recorded/`. `UPDATE_EXPECT=1` rewrites them.

use expect_test::expect_file;
use wengert::prelude::*;
use wengert_check::laws::flattened;
use wengert_ir::ir::Func;
use wengert_ir::rewrite::{Options, optimise_with};

/// The text of a function and of what becomes of it, without lines of the source.
struct Page(String);

impl Page {
    fn new(title: &str) -> Page {
        Page(format!("{title}\n"))
    }

    fn section(&mut self, title: &str, func: &Func) {
        let text = format!("{func:#}");
        // The first line is the same in all of them.
        let body = text.split_once('\n').map_or("", |(_, body)| body);
        self.0 += &format!("\n## {title}\n{body}");
        if !self.0.ends_with('\n') {
            self.0.push('\n');
        }
    }

    /// What is scheduled, on a machine with fused multiply-add, and what its loops store.
    fn ready(&mut self, title: &str, func: &Func) {
        let options = Options {
            fused: true,
            chosen: true,
        };
        let (func, choices) = optimise_with(func, &options);
        self.section(title, &func);
        for choice in choices {
            self.0 += &format!("{}: {}\n", choice.name, choice.said());
        }
    }
}

/// The page of a function of a scalar.
fn page(title: &str, f: impl Fn(Var) -> Var + Copy + Send + Sync + 'static) -> String {
    let scalar = || ShapeDtype::scalar(DType::F64);
    let mut page = Page::new(title);
    page.section("recorded", &wengert::trace(f, scalar()).unwrap().into_ir());
    let tangent = move |(x, dx): (Var, Var)| jvp(f, x, dx);
    page.section(
        "jvp",
        &wengert::trace(tangent, (scalar(), scalar()))
            .unwrap()
            .into_ir(),
    );
    let slope = wengert::trace(grad(f), scalar()).unwrap().into_ir();
    page.section("grad", &slope);
    page.ready("grad, optimised", &slope);
    let batch = wengert::trace(vmap(grad(f)), ShapeDtype::new([3], DType::F64))
        .unwrap()
        .into_ir();
    page.section("vmap of grad, flattened", &flattened(&batch));
    page.ready("vmap of grad, optimised", &batch);
    page.0
}

#[test]
fn straight_lines() {
    let text = page("x * sin(x) + exp(-x^2)", |x| x * x.sin() + (-(x * x)).exp());
    expect_file!["recorded/straight.txt"].assert_eq(&text);
}

#[test]
fn sums_of_products() {
    let text = page("x^3 - 2 x^2 + 5 x - 1", |x| ((x - 2.0) * x + 5.0) * x - 1.0);
    expect_file!["recorded/polynomial.txt"].assert_eq(&text);
}

#[test]
fn choices() {
    let text = page("sqrt(x) where x > 0, else 0", |x: Var| {
        x.gt(0.0).select(x.sqrt(), 0.0)
    });
    expect_file!["recorded/select.txt"].assert_eq(&text);
}

#[test]
fn branches() {
    let text = page("cond(x > 0, sqrt, square)", |x: Var| {
        cond(x.gt(0.0), x, |x| x.sqrt(), |x| x * x)
    });
    expect_file!["recorded/branch.txt"].assert_eq(&text);
}

#[test]
fn counted_loops() {
    let text = page("four steps of y <- sin(y) x", |x: Var| {
        fori(0..4, x, |_, y| y.sin() * x)
    });
    expect_file!["recorded/fori.txt"].assert_eq(&text);
}

#[test]
fn loops_that_stop_by_themselves() {
    let text = page("y <- y^2 x until y > 10", |x: Var| {
        while_loop(x, |y| y.le(10.0), |y| y * y * x)
    });
    expect_file!["recorded/while.txt"].assert_eq(&text);
}

#[test]
fn scans_that_pile_up_rows() {
    let text = page("the sum of exp(y) over y <- y / 2 + x", |x: Var| {
        let (_, rows) = scan(x, 0..3, |y, _| (y * 0.5 + x, y.exp()));
        rows.sum()
    });
    expect_file!["recorded/scan.txt"].assert_eq(&text);
}

#[test]
fn maps() {
    let text = page("(i - x)^2 over three numbers i, summed", |x: Var| {
        wengert::map(iota(3, DType::F64), |i| (i - x).square()).sum()
    });
    expect_file!["recorded/map.txt"].assert_eq(&text);
}

#[test]
fn arrays_by_index() {
    let text = page("a product of two elements that were set", |x: Var| {
        let a = zeros(3).at_set(1, x).at_add(1, x * x);
        a.at(1) * a.at(2)
    });
    expect_file!["recorded/index.txt"].assert_eq(&text);
}

#[test]
fn products_of_matrices() {
    let text = page("v . (v, 2 v) v with v = (x, sin x)", |x: Var| {
        let v = stack((x, x.sin()));
        let a = stack((v, v * 2.0));
        v.dot(a.dot(v))
    });
    expect_file!["recorded/dot.txt"].assert_eq(&text);
}

#[test]
fn checkpoints() {
    let text = page("a checkpoint of exp(sin(x))", |x: Var| {
        checkpoint(|x: Var| x.sin().exp())(x) * x
    });
    expect_file!["recorded/checkpoint.txt"].assert_eq(&text);
}

#[test]
fn roots() {
    let text = page("y with y^2 = x", |x: Var| {
        let heron = |_: &dyn Fn(Var) -> Var, y: Var| fori(0..5, y, |_, y| (y + x / y) * 0.5);
        custom_root(|y: Var| y * y - x, x, heron, |a, b| b / a(Var::from(1.0)))
    });
    expect_file!["recorded/root.txt"].assert_eq(&text);
}
