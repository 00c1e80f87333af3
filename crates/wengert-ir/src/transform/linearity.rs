//! Checking whether a function is linear in some of its parameters, as far as its equations show.

use crate::ir::{Func, Type};
use crate::trace::{Kind, open};
use crate::transform::dead::{dead_code, narrowed, params_of_results};
use crate::transform::{linearize, unfolded};

/// Says why a function is not linear in the `unknown` parameters; `None` if it is linear or affine. `describe` names
/// a result by its index.
///
/// The derivative of a linear function does not depend on its argument. So the function is linearised at an unknown
/// argument, and no residual may be computed from that argument. (Checkpointed functions keep all their operands as
/// residuals, so they are unfolded first.) Besides, no result may depend on the argument through a comparison, a
/// rounding or an integer, which derivatives do not see.
pub fn why_not_linear(
    func: &Func,
    unknown: &[bool],
    describe: impl Fn(usize) -> String,
) -> Option<String> {
    let deps = func.deps();
    let types = func.result_types();
    let uses = |f: &Func, wanted: &[bool]| -> Vec<usize> {
        let used = params_of_results(f, wanted);
        let both = (0..unknown.len()).filter(|&i| used[i] && unknown[i]);
        both.collect()
    };
    for (r, ty) in types.iter().enumerate() {
        if !ty.is_float() {
            let result = describe(r);
            let message = format!("the result{result} is {ty}, and linear functions give floats");
            return Some(message);
        }
        let wanted: Vec<bool> = (0..types.len()).map(|i| i == r).collect();
        let alone = narrowed(func, &vec![true; func.arity()], &wanted);
        if uses(&alone, &[true]).iter().any(|&i| !deps.get(r, i)) {
            let result = describe(r);
            return Some(format!(
                "the function is not linear: the result{result} depends on the argument by a step"
            ));
        }
    }
    let params: Vec<Type> = func.param_types().to_vec();
    let func = unfolded(func);
    let (trace, x) = open(Kind::Door, &params);
    let (_, linear) = linearize(&func, &x, unknown);
    let residuals = dead_code(&trace.close(&linear.residuals).func);
    let all = vec![true; residuals.results.len()];
    (!uses(&residuals, &all).is_empty())
        .then(|| "the function is not linear: its derivative depends on its argument".into())
}
