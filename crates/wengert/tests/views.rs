//! Functions as text, as a graph and as a page, before and after transforms.

use std::collections::HashSet;

use wengert::Func;
use wengert::prelude::*;
use wengert_ir::ir;

/// Nested loops, in a batch, and their gradient.
fn nested() -> Func {
    let f = |x: Var| {
        let last = scan(x, 0..3, |c: Var, i: Var| {
            let more = while_loop(c, |c| c.lt(9.0), |c| c * 2.0 + 1.0);
            (cond(i.gt(1), more, |y| y.sin(), |y| y * 0.5), ())
        });
        last.0
    };
    wengert::trace(vmap(value_and_grad(f)), ShapeDtype::new([4], DType::F64)).unwrap()
}

/// Counts the functions, including nested ones.
fn functions(f: &ir::Func) -> usize {
    let within = f.eqns.iter().flat_map(|e| e.op.bodies());
    1 + within.map(functions).sum::<usize>()
}

/// Returns each text between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let rest = text.split(before).skip(1);
    rest.map(|r| r.split(after).next().unwrap()).collect()
}

/// Checks that a page is well-formed: elements are closed, innermost first.
fn closes_what_it_opens(page: &str) {
    let mut open: Vec<&str> = vec![];
    for tag in page
        .split('<')
        .skip(1)
        .map(|t| t.split('>').next().unwrap())
    {
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if ["!DOCTYPE", "meta", "br"].contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_text_before_and_after_each_transform() {
    let f = |x: Var| x.sin() * x;
    let spec = ShapeDtype::scalar(DType::F64);
    let count = |func: Func| {
        // The text parses to the same function.
        assert_eq!(Func::parse(&func.to_string()).unwrap(), func);
        func.count()
    };
    let value = count(wengert::trace(f, &spec).unwrap());
    let slope = count(wengert::trace(grad(f), &spec).unwrap());
    let both = count(wengert::trace(grad(grad(f)), &spec).unwrap());
    assert!(value == 2 && value < slope && slope < both);
    let batch = wengert::trace(vmap(grad(f)), ShapeDtype::new([3], DType::F64)).unwrap();
    assert_eq!(functions(batch.ir()), 2);
    count(batch);
    assert!(
        jit(grad(f)).func(&spec).unwrap().count() <= slope,
        "as it is compiled"
    );
}

#[test]
fn a_page_nests_functions_and_links_values() {
    let func = nested();
    let page = func.to_html();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    let n = functions(func.ir());
    assert!(n > 8, "{n}");
    assert_eq!(page.matches("<details").count(), n);
    assert_eq!(page.matches("</details>").count(), n);
    // One line for each equation, and one for what each function returns.
    assert_eq!(
        page.matches("<div class=\"eqn\">").count(),
        func.count() + n
    );
    // A value is defined once, and every use links to its definition.
    let ids = between(&page, "id=\"", "\"");
    let known: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), known.len());
    let links = between(&page, "href=\"", "\"");
    assert!(links.len() > func.count());
    for link in links {
        assert!(
            known.contains(link.strip_prefix('#').expect("within the page")),
            "{link}"
        );
    }
    closes_what_it_opens(&page);
}

/// Returns an explanation of the compiler's decisions, as a page.
fn explained() -> String {
    let f = jit(vmap(grad(|x: Var| {
        while_loop(x, |c| c.lt(9.0), |c| c * 2.0 + 1.0)
    })));
    let code = f.compile(ShapeDtype::new([1000], DType::F64)).unwrap();
    code.explain().unwrap().to_html()
}

#[test]
fn an_explanation_is_a_page_with_the_lines_of_the_program() {
    let page = explained();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    closes_what_it_opens(&page);
    assert_eq!(
        page.matches("<details").count(),
        page.matches("</details>").count()
    );
    let line = "while_loop(x, |c| c.lt(9.0), |c| c * 2.0 + 1.0)";
    assert!(page.contains(line), "{page}");
    assert!(page.contains("views.rs:"), "{page}");
}

#[test]
fn a_page_needs_nothing_else() {
    for page in [nested().to_html(), explained()] {
        for outside in [
            "http", "src=", "<script", "<link", "@import", "url(", "<img",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

#[test]
fn an_equation_shows_its_types_its_place_and_its_line() {
    let line = line!() + 1;
    let f = |x: Var| x.sin() * f64::from(u8::from(1 < 2 && "<\"&'>".len() > 2));
    let func = wengert::trace(f, ShapeDtype::new([2, 3], DType::F32)).unwrap();
    let page = func.to_html();
    let place = format!("views.rs:{line}:");
    assert!(
        page.contains(&place) && page.contains(": f32[2,3]"),
        "{page}"
    );
    let shown = "(1 &lt; 2 &amp;&amp; &quot;&lt;\\&quot;&amp;&#39;&gt;&quot;.len() &gt; 2)";
    assert!(page.contains(shown), "{page}");
    let graph = func.to_dot();
    let sine = "v1: f32[2,3] = sin(v0)";
    assert!(graph.contains(&place) && graph.contains(sine), "{graph}");
    let shown = r#"(1 < 2 && \"<\\\"&'>\".len() > 2)"#;
    assert!(graph.contains(shown), "{graph}");
}

#[test]
fn a_graph_nests_clusters() {
    let func = nested();
    let graph = func.to_dot();
    assert_eq!(
        graph.matches("subgraph cluster_f").count(),
        functions(func.ir())
    );
    // Outside of strings, braces are balanced; strings end.
    let (mut depth, mut deepest, mut string, mut escape) = (0i32, 0, false, false);
    for c in graph.chars() {
        match c {
            _ if escape => escape = false,
            '\\' if string => escape = true,
            '"' => string = !string,
            '{' if !string => depth += 1,
            '}' if !string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
        assert!(depth >= 0);
    }
    assert_eq!((depth, string), (0, false));
    assert!(deepest >= 5, "{deepest}");
    // Edges connect existing nodes.
    let nodes: HashSet<&str> = graph
        .lines()
        .filter_map(|l| l.trim().split_once(" ["))
        .map(|(name, _)| name)
        .collect();
    let edges: Vec<(&str, &str)> = graph
        .lines()
        .filter_map(|l| l.trim().split_once(" -> "))
        .collect();
    assert!(edges.len() > func.count());
    for (from, to) in edges {
        let to = to.split([' ', ';']).next().unwrap();
        assert!(nodes.contains(from) && nodes.contains(to), "{from} -> {to}");
    }
}

#[test]
fn a_file_that_is_not_there_has_no_line() {
    let program = |file: &str| {
        let text = format!(
            "wengert 1\nfn(v0: f64) {{\n  v1: f64 = sin(v0) @ {file}:1:1\n  return v1\n}}\n"
        );
        Func::parse(&text).unwrap()
    };
    for file in [
        "no/such/file.rs",
        "/proc/self/status",
        "/dev/zero",
        "Cargo.toml",
    ] {
        let f = program(file);
        assert_eq!(f.result_types(), [ShapeDtype::scalar(DType::F64)]);
        let page = f.to_html();
        assert!(
            page.contains(&format!("{file}:1:1")) && !page.contains("<code"),
            "{page}"
        );
        assert!(
            f.to_dot().contains(&format!("{file}:1:1\\l\"")),
            "{}",
            f.to_dot()
        );
    }
}
