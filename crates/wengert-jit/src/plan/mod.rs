//! Analyses of a program before code is written.

pub(crate) mod inline;
pub(crate) mod lists;
pub(crate) mod liveness;

use std::collections::{HashMap, HashSet};

use wengert_loop::loops::{
    Block, BufferId, Function, LoopKind, Program, ScalarOp, Stmt, Value, ValueType, walk,
};
use wengert_loop::types::DType;
use wengert_run::Cpu;
use wengert_run::library::wide::{self, Wide};
use wengert_run::plan::cost::Costs;
use wengert_run::plan::reuse::{self, Reuse};
use wengert_run::plan::scratch::{self, Scratch};
use wengert_run::plan::{constants, gathering};
use wengert_run::{Options, Vectors};

use self::lists::ListLayout;
use self::liveness::Live;
use crate::zmm::{self, Blocks, Machine};

/// A program ready for emission.
pub(crate) struct Plan {
    /// The program, with small functions inlined.
    pub program: Program,
    /// The analysis of its values.
    pub values: Values,
    /// The layout of scratch.
    pub scratch: Scratch,
    /// The results that may be written over arguments.
    pub reuse: Reuse,
    /// `Local` buffers whose copies carry something from block to block.
    pub gathers: HashSet<BufferId>,
    /// The memory of its lists.
    pub lists: Vec<ListLayout>,
    /// For each function the runtime's code for eight lanes, if there is any.
    pub wide: Vec<Option<Wide>>,
    /// The vector loops that are written in wide registers, by their index, with the blocks of
    /// lanes that run side by side.
    pub zmm: HashMap<Value, Blocks>,
    /// What the code costs, as estimated; none of a program without parallel loops, if nobody has asked.
    pub costs: Option<Costs>,
    /// The nanoseconds of a step of each parallel loop, by its index.
    pub parallel_steps: HashMap<Value, f64>,
    /// The target processor.
    pub cpu: Cpu,
}

/// The analysis of the values of a program or a function.
pub(crate) struct Values {
    /// Their types.
    pub types: Vec<ValueType>,
    /// The values of constants.
    pub constants: Vec<Option<u64>>,
    /// The lifetimes of values.
    pub live: Live,
    /// Whether each truth value has lanes 32 bits wide (otherwise 64).
    pub narrow: Vec<bool>,
}

/// Prepares a program.
pub(crate) fn plan(program: &Program, options: &Options) -> Plan {
    let (cpu, vectors) = (options.cpu, options.vectors);
    let functions: Vec<Option<Wide>> = (program.functions.iter())
        .map(|f| match vectors {
            Vectors::Narrow => None,
            _ => wide::wide(f, cpu),
        })
        .collect();
    let has: Vec<bool> = functions.iter().map(Option::is_some).collect();
    let plain = program;
    let program = inline::inline(plain, &functions);
    let mut values = values(program.values.clone(), &program.body);
    let gathers = gathering(&program);
    let machine = Machine::of(cpu).filter(|_| vectors >= Vectors::Loops);
    let zmm = machine.map_or_else(HashMap::new, |machine| {
        zmm::accepted(&program, &values, &functions, vectors, machine)
    });
    values.live_in(&program.body, &zmm);
    let copies: HashMap<Value, usize> = zmm
        .iter()
        .map(|(&v, blocks)| (v, blocks.eights()))
        .collect();
    // Before functions are inlined, what they compute in rare cases is still apart.
    let wanted = options.listing || is_parallel(plain);
    let costs = wanted.then(|| Costs::of(plain, &copies, &has));
    let scratch = scratch::scratch(&program, &copies);
    let reuse = reuse::reuse(&program);
    let lists = lists::layouts(&program);
    Plan {
        program,
        values,
        scratch,
        reuse,
        gathers,
        lists,
        wide: functions,
        zmm,
        parallel_steps: (costs.as_ref())
            .map(Costs::parallel_steps)
            .unwrap_or_default(),
        costs,
        cpu,
    }
}

fn is_parallel(program: &Program) -> bool {
    let mut found = false;
    walk::stmts(&program.body, &mut |s| {
        found |= walk::loop_kind(s) == Some(LoopKind::Parallel);
    });
    found
}

/// Analyses the values of a function that is not inlined.
pub(crate) fn plan_function(function: &Function, lanes: bool) -> Values {
    let types = function
        .values
        .iter()
        .map(|&dtype| ValueType { dtype, lanes });
    let mut values = values(types.collect(), &function.body);
    values.live_in(&function.body, &HashMap::new());
    // Pure functions are short, and have no frame of their own.
    values.live.stored.fill(false);
    values
}

/// Analyses the values of a body, apart from their lifetimes.
fn values(types: Vec<ValueType>, body: &Block) -> Values {
    let constants = constants(types.len(), body);
    let narrow = narrow(body, &types);
    Values {
        types,
        constants,
        live: Live::default(),
        narrow,
    }
}

impl Values {
    /// Finds the lifetimes of the values of a body.
    fn live_in(&mut self, body: &Block, wide: &HashMap<Value, Blocks>) {
        self.live = liveness::live(body, &self.types, &self.constants, wide);
    }
}

/// A truth value has narrow lanes if it comes from a comparison of 32-bit lanes, or from such truth
/// values alone.
fn narrow(body: &Block, types: &[ValueType]) -> Vec<bool> {
    let mut out = vec![false; types.len()];
    let dtype = |v: Value| types[v.0 as usize].dtype;
    walk::stmts(body, &mut |s| {
        let Stmt::Op { out: v, op, args } = s else {
            return;
        };
        if dtype(*v) != DType::Bool || matches!(op, ScalarOp::Any | ScalarOp::Fold(_)) {
            return;
        }
        out[v.0 as usize] = args.iter().all(|&a| match dtype(a) {
            DType::Bool => out[a.0 as usize],
            d => d.bytes() < 8,
        });
    });
    out
}
