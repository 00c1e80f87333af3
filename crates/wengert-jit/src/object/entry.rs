//! The functions of an object that others call.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, StackSlotData, StackSlotKind, Type, types};
use cranelift_module::{DataDescription, FuncId, FuncOrDataId, Linkage, Module};
use wengert_run::CompileError;
use wengert_run::call::layout::{Layout, header};

use super::Object;
use crate::compile::refused;
use crate::emit::outside::words;
use crate::emit::session::Written;
use crate::emit::{DATA, FRAME};

/// The alignment of frames.
const LINE: i64 = 64;

/// A function of numbers that calls another one of the object, with scratch on the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers<'a> {
    /// `double NAME(int n, double* x, void* data)`: the arguments lie in `x` one after the other, from these places on;
    /// there are so many numbers, and the result is one.
    Packed {
        /// Where the arguments begin.
        places: &'a [usize],
        /// Their numbers together.
        len: usize,
    },
    /// `void NAME(double t, double* u, double* du, double* p)`: a time, a state, and perhaps parameters, to the change of a
    /// state of so many numbers.
    RightHandSide {
        /// The numbers of the state.
        states: usize,
        /// Whether the function takes parameters.
        parameters: bool,
    },
}

impl Object {
    fn exported(
        &mut self,
        name: &str,
        params: &[Type],
        result: Option<Type>,
    ) -> Result<FuncId, CompileError> {
        let mut sig = self.module.make_signature();
        sig.params.extend(params.iter().map(|&t| AbiParam::new(t)));
        sig.returns.extend(result.map(AbiParam::new));
        (self.module)
            .declare_function(name, Linkage::Export, &sig)
            .map_err(refused)
    }

    /// Writes the function that lays out the scratch for a program and runs it.
    pub(super) fn entry(
        &mut self,
        name: &str,
        (inputs, outputs): (usize, usize),
        written: &Written,
        lists: usize,
    ) -> Result<(), CompileError> {
        let bytes = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (call, task) = (&written.call, &written.task);
        let (task_below, task_bytes) = match written.tasks {
            true => (bytes(task.below), bytes(task.bytes())),
            false => (0, 0),
        };
        let task_at = bytes(call.bytes()).saturating_add(task_below);
        let lists_at = bytes(call.bytes()).saturating_add(task_bytes);
        let end = lists_at.saturating_add(bytes(lists) & -LINE);
        if end > i64::MAX / 2 {
            let message = "the scratch of a call is larger than any memory".to_string();
            return Err(CompileError::Codegen(message));
        }
        self.scratch = self.scratch.max((end + LINE - 1) as usize);
        let id = self.exported(
            name,
            &vec![types::I64; inputs + outputs + 1],
            Some(types::I32),
        )?;
        let (main, below, tasks) = (written.main, bytes(call.below), written.tasks);
        let (used_inputs, used_outputs) = written.pointers;
        self.write(id, |module, b, params| {
            let (pointers, scratch) = (&params[..inputs + outputs], params[inputs + outputs]);
            let start = b.ins().iadd_imm_s(scratch, LINE - 1);
            let start = b.ins().band_imm_s(start, -LINE);
            let frame = b.ins().iadd_imm_s(start, below);
            let task = b.ins().iadd_imm_s(start, task_at);
            let top = b.ins().iadd_imm_s(start, lists_at);
            let end = b.ins().iadd_imm_s(start, end);
            let own = [
                (frame, header::CALL),
                (top, words::TOP),
                (end, words::END),
                (task, words::TASK),
            ];
            for (value, at) in own {
                b.ins().store(FRAME, value, frame, at);
            }
            let frames = [Some(frame), tasks.then_some(task)];
            if tasks {
                b.ins().store(FRAME, frame, task, header::CALL);
            }
            // Ports behind the last one that the program names have no place.
            let args = (0..inputs.min(used_inputs)).map(|i| (i, i));
            let results = (0..outputs.min(used_outputs)).map(|i| (inputs + i, used_inputs + i));
            for (port, place) in args.chain(results) {
                for of in frames.into_iter().flatten() {
                    let at = Layout::pointer(place);
                    b.ins().store(FRAME, pointers[port], of, at);
                }
            }
            let f = module.declare_func_in_func(main, b.func);
            let done = b.ins().call(f, &[frame]);
            let status = b.inst_results(done)[0];
            b.ins().return_(&[status]);
        })
    }

    /// Adds `const char* NAME(int status)`: what each status says, and what any other number does.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn messages(
        &mut self,
        name: &str,
        statuses: &[(i32, String)],
        otherwise: &str,
    ) -> Result<(), CompileError> {
        // Offsets of texts by status, with that of all others behind them; the texts follow.
        let count = statuses.iter().map(|s| s.0 + 1).max().unwrap_or(0).max(0) as usize;
        let mut texts: Vec<u8> = vec![];
        let mut text = |said: &str| {
            let at = 4 * (count + 1) + texts.len();
            texts.extend(said.bytes().filter(|&b| b != 0));
            texts.push(0);
            at as u32
        };
        let other = text(otherwise);
        let mut offsets = vec![other; count + 1];
        for (status, said) in statuses {
            if let Ok(i) = usize::try_from(*status) {
                offsets[i] = text(said);
            }
        }
        let mut all: Vec<u8> = offsets.iter().flat_map(|o| o.to_le_bytes()).collect();
        all.extend(texts);
        let data = self.module.declare_anonymous_data(false, false);
        let data = data.map_err(refused)?;
        let mut description = DataDescription::new();
        description.define(all.into_boxed_slice());
        description.set_align(4);
        self.module
            .define_data(data, &description)
            .map_err(refused)?;
        let id = self.exported(name, &[types::I32], Some(types::I64))?;
        self.write(id, |module, b, params| {
            let data = module.declare_data_in_func(data, b.func);
            let start = b.ins().symbol_value(types::I64, data);
            let last = b.ins().iconst(types::I32, count as i64);
            // A negative number is a large one.
            let place = b.ins().umin(params[0], last);
            let place = b.ins().uextend(types::I64, place);
            let two = b.ins().iconst(types::I64, 2);
            let place = b.ins().ishl(place, two);
            let at = b.ins().iadd(start, place);
            let offset = b.ins().load(types::I32, FRAME, at, 0);
            let offset = b.ins().uextend(types::I64, offset);
            let text = b.ins().iadd(start, offset);
            b.ins().return_(&[text]);
        })
    }

    /// Adds a function of numbers that calls function `of`, all of whose arguments and results are `f64`. Of a call that
    /// fails the results are NaN.
    ///
    /// # Errors
    /// If there is no function `of`, or the name is taken.
    pub fn numbers(&mut self, name: &str, of: &str, how: Numbers<'_>) -> Result<(), CompileError> {
        let Some(FuncOrDataId::Func(of)) = self.module.declarations().get_name(of) else {
            return Err(CompileError::Codegen(format!(
                "no function `{of}` in the object"
            )));
        };
        let size = u32::try_from(self.scratch).map_err(|_| {
            let message = format!("{} bytes of scratch on the stack", self.scratch);
            CompileError::Codegen(message)
        })?;
        let slot = |size| StackSlotData::new(StackSlotKind::ExplicitSlot, size, 4);
        let (params, result): (&[Type], _) = match how {
            Numbers::Packed { .. } => (&[types::I32, types::I64, types::I64], Some(types::F64)),
            Numbers::RightHandSide { .. } => {
                (&[types::F64, types::I64, types::I64, types::I64], None)
            }
        };
        let id = self.exported(name, params, result)?;
        self.write(id, |module, b, p| {
            let f = module.declare_func_in_func(of, b.func);
            let scratch = b.create_sized_stack_slot(slot(size.max(8)));
            let number = b.create_sized_stack_slot(slot(8));
            let scratch = b.ins().stack_addr(types::I64, scratch, 0);
            let number = b.ins().stack_addr(types::I64, number, 0);
            let (good, bad) = (b.create_block(), b.create_block());
            let nan = b.ins().f64const(f64::from_bits(0x7ff8_0000_0000_0000));
            match how {
                Numbers::Packed { places, len } => {
                    let run = b.create_block();
                    let few = (b.ins()).icmp_imm_s(IntCC::SignedLessThan, p[0], len as i64);
                    b.ins().brif(few, bad, &[], run, &[]);
                    b.switch_to_block(run);
                    let args = places
                        .iter()
                        .map(|&i| b.ins().iadd_imm_s(p[1], 8 * i as i64));
                    let mut args: Vec<_> = args.collect();
                    args.extend([number, scratch]);
                    let call = b.ins().call(f, &args);
                    let status = b.inst_results(call)[0];
                    b.ins().brif(status, bad, &[], good, &[]);
                    b.switch_to_block(good);
                    let y = b.ins().load(types::F64, FRAME, number, 0);
                    b.ins().return_(&[y]);
                    b.switch_to_block(bad);
                    b.ins().return_(&[nan]);
                }
                Numbers::RightHandSide { states, parameters } => {
                    let (t, u, du) = (p[0], p[1], p[2]);
                    b.ins().store(FRAME, t, number, 0);
                    let mut args = vec![number, u];
                    args.extend(parameters.then_some(p[3]));
                    args.extend([du, scratch]);
                    let call = b.ins().call(f, &args);
                    let status = b.inst_results(call)[0];
                    b.ins().brif(status, bad, &[], good, &[]);
                    b.switch_to_block(good);
                    b.ins().return_(&[]);
                    b.switch_to_block(bad);
                    let (head, step) = (b.create_block(), b.create_block());
                    b.append_block_param(head, types::I64);
                    let zero = b.ins().iconst(types::I64, 0);
                    b.ins().jump(head, &[zero.into()]);
                    b.switch_to_block(head);
                    let i = b.block_params(head)[0];
                    let more = (b.ins()).icmp_imm_s(IntCC::SignedLessThan, i, 8 * states as i64);
                    b.ins().brif(more, step, &[], good, &[]);
                    b.switch_to_block(step);
                    let at = b.ins().iadd(du, i);
                    b.ins().store(DATA, nan, at, 0);
                    let next = b.ins().iadd_imm_s(i, 8);
                    b.ins().jump(head, &[next.into()]);
                }
            }
        })
    }
}
