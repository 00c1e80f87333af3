//! The methods that make a profile.

use std::panic::Location;
use std::time::Duration;

use wengert_ir::error::Result;
use wengert_ir::schedule;
use wengert_ir::timing::{collected, timed};
use wengert_ir::trace::Var;

use super::Profile;
use super::gather::{self, Subject};
use crate::array::{Array, Form};
use crate::jit::compiled::{Compiled, Spare};
use crate::jit::entry::{Deeper, Signature};
use crate::jit::machine::{Code, machine_code};
use crate::jit::work::Work;
use crate::jit::{Jit, Ready, called_at, deep, lowered};
use crate::tree::{self, Feed, Tree};

/// How long a profile runs if nothing is said.
const TIME: Duration = Duration::from_secs(1);

impl<X, Y> Jit<X, Y>
where
    X: Tree<Leaf = Var>,
    Y: Tree<Leaf = Var>,
{
    /// Runs the function on the arguments for about a second, and says where the time went, by the lines of your program:
    /// see [`Jit::profile_for`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| {
    ///     let slow = x.erf_inv();
    ///     (slow + x).sum()
    /// });
    /// let profile = f.profile(vec![0.5; 10_000])?;
    /// println!("{profile}");
    /// assert!(profile.lines[0].text.as_ref().is_none_or(|text| text.contains("erf_inv")));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::profile_for`].
    #[track_caller]
    pub fn profile<A: Feed<X::With<Array>>>(&self, args: A) -> Result<Profile> {
        self.profile_for(TIME, args)
    }

    /// Runs the function on the arguments for about this time, at least once, and says where the time went, by the lines
    /// of your program.
    ///
    /// The function is traced and compiled for this, with a table from its code to the lines; the code is the one that a
    /// [call](Jit::call) runs. A timer then interrupts each thread two thousand times a second, and a handler notes its
    /// instruction. A share of `p` of `n` samples has a standard error of `√(p (1 - p) / n)`: one point after a second,
    /// for a line that takes a third. Functions of the runtime count for the line that calls them, derivatives for the
    /// line that they are the derivative of. Compiled lines are interleaved, and an instruction may be noted that follows
    /// the slow one, so neighbours in one loop may take from each other.
    ///
    /// This is so on Linux with x86-64. Elsewhere, and where a back end makes no machine code, shares are estimated by the
    /// plan, and [`Profile::method`] says so. What the function prints or calls back it does in each of many calls.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wengert::prelude::*;
    ///
    /// let f = jit(grad(|x: Var| x.sin().sum()));
    /// let profile = f.profile_for(Duration::from_millis(50), vec![0.5; 1000])?;
    /// assert!(profile.to_html().contains("<table>"));
    /// assert!(profile.to_chrome_trace().starts_with('{'));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Jit::call`], if another profile of this process is running, and if the function runs on a device.
    #[track_caller]
    pub fn profile_for<A: Feed<X::With<Array>>>(&self, time: Duration, args: A) -> Result<Profile> {
        let place = Location::caller();
        let profile = || {
            let (arrays, def) = tree::try_feed::<X::With<Array>, _>(&args)?;
            let types = arrays.iter().map(Array::ty).collect();
            let subject = self.subject(&Signature { def, types })?;
            let _deeper = Deeper::new(place)?;
            // The first call allocates, and an error shows at once.
            let (compiled, def) = (&subject.compiled, &subject.def);
            let (work, _) = Work::feed::<X::With<Array>, _>(&args, def, compiled.arg_types())?;
            let out = compiled.call::<Y>(work, place)?;
            let args = tree::unflatten::<X::With<Array>>(def, arrays)?;
            gather::profile(&subject, &args, out, time, place)
        };
        called_at(place, profile())
    }

    /// Traces and compiles the function with what a profile needs.
    #[track_caller]
    fn subject(&self, signature: &Signature) -> Result<Subject> {
        let options = wengert_run::Options {
            lines: true,
            listing: true,
            ..self.code_options()
        };
        let machine = &self.options.machine;
        machine.only_cpu("profile")?;
        let (made, passes) = collected(|| -> Result<_> {
            let ready = self.trace(signature, &|| ())?;
            let made = deep(&ready.func, || {
                let target = machine.target(&options);
                let lower = || lowered(|| schedule::lower_with_notes(&ready.func, &target));
                let (program, notes) = timed("lower", lower)?;
                let write = || machine_code(&program, &*machine.backend, &options);
                Ok((notes, timed("machine code", write)?))
            })?;
            Ok((ready, made))
        });
        let (ready, (notes, code)) = made?;
        let Ready {
            func,
            arrays,
            out,
            choices,
            ..
        } = ready;
        let compiled = Compiled {
            results: func.result_types().into_iter().map(Form::of).collect(),
            func: crate::Func::from_ir(func),
            choices,
            captured: arrays.len(),
            arrays,
            out,
            code: Code::Host(code),
            machine: machine.clone(),
            options,
            spare: Spare::default(),
            printer: self.options.printer.clone(),
        };
        Ok(Subject {
            compiled,
            def: signature.def.clone(),
            notes,
            passes,
        })
    }
}
