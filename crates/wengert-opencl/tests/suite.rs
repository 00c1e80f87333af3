//! A device as a back end of the conformance suite.

use std::sync::{Arc, OnceLock};

use wengert_check::Failure;
use wengert_check::conformance::{Candidate, Example, Outcome};
use wengert_loop::buffer::Data;
use wengert_loop::error::Error;
use wengert_loop::loops::{BufferId, BufferKind, Program, Stmt, Value, walk};
use wengert_loop::testing::{Stopped, outputs};
use wengert_opencl::OpenCl;
use wengert_run::{Device, DeviceCode, DeviceMemory, Options, RunError};

/// The device that tests use, if there is one: the first whose name contains `WENGERT_OPENCL_DEVICE`. Says so if there
/// is none.
pub fn device() -> Option<Arc<OpenCl>> {
    static FOUND: OnceLock<Result<Arc<OpenCl>, String>> = OnceLock::new();
    let name = std::env::var("WENGERT_OPENCL_DEVICE").unwrap_or_default();
    let found = FOUND.get_or_init(|| match OpenCl::all() {
        Ok(all) => all
            .into_iter()
            .find(|d| d.name().contains(&name))
            .ok_or_else(|| "none is installed that has the name".into()),
        Err(e) => Err(e.to_string()),
    });
    match found {
        Ok(device) => Some(device.clone()),
        Err(why) => {
            eprintln!("there is no device of OpenCL ({why}): this test has run nothing");
            None
        }
    }
}

/// A device that compiles so many programs at once.
pub struct OnDevice(pub Arc<OpenCl>, pub usize);

impl Candidate for OnDevice {
    fn name(&self) -> String {
        self.0.name()
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = vec![];
        for (part, some) in examples.chunks(self.1).enumerate() {
            // Every other time as they are, without the passes that make programs faster.
            let options = Options {
                unroll: part % 2 == 0,
                ..Options::default()
            };
            let programs: Vec<&Program> = some.iter().map(|e| &e.program).collect();
            let codes = self.0.compile_all(&programs, &options);
            let codes = codes.map_err(|e| Failure(e.to_string()))?;
            for (code, example) in codes.into_iter().zip(some) {
                outcomes.push(match code {
                    Ok(code) => run(&*self.0, &*code, example),
                    Err(e) => Err(Stopped::Other(e.to_string())),
                });
            }
        }
        Ok(outcomes)
    }
}

/// Runs code on the arguments of an example.
pub fn run(device: &dyn Device, code: &dyn DeviceCode, example: &Example) -> Outcome {
    let other = |e: &RunError| Stopped::Other(e.to_string());
    let inputs: Result<Vec<Arc<dyn DeviceMemory>>, _> =
        example.inputs.iter().map(|x| device.upload(x)).collect();
    let inputs = inputs.map_err(|e| other(&e))?;
    let inputs: Vec<&Arc<dyn DeviceMemory>> = inputs.iter().collect();
    let done = code.run(&inputs).and_then(|results| {
        let named = results.iter().flatten();
        named
            .map(|r| r.download())
            .collect::<Result<Vec<Data>, _>>()
    });
    let failures = &example.program.failures;
    done.map_err(|e| match &e {
        RunError::Stopped(error) => {
            let number = failures.iter().position(|f| f.error() == *error);
            match (number, error) {
                (Some(n), _) => Stopped::Failed(n as u32),
                (None, Error::MaxSteps { limit, .. }) => Stopped::MaxSteps(*limit),
                (None, _) => other(&e),
            }
        }
        _ => other(&e),
    })
}

/// Several examples as one: their statements one after the other, on arguments and results of all. A device then
/// compiles one kernel instead of hundreds.
pub fn joined(examples: &[Example]) -> Example {
    let mut all = Example {
        name: match examples {
            [one] => one.name.clone(),
            _ => format!("{} and {} more", examples[0].name, examples.len() - 1),
        },
        program: Program::default(),
        inputs: vec![],
    };
    let mut results = 0;
    for example in examples {
        let mut part = example.program.clone();
        let to = &mut all.program;
        let (values, buffers) = (to.values.len() as u32, to.buffers.len() as u32);
        let (functions, constants) = (to.functions.len() as u32, to.constants.len() as u32);
        assert!(part.lists.is_empty() && part.failures.is_empty());
        let shift_buffer = |kind: &mut BufferKind| match kind {
            BufferKind::Input(n) => *n += all.inputs.len() as u32,
            BufferKind::Output(n) => *n += results,
            BufferKind::Constant(n) => *n += constants,
            _ => {}
        };
        part.buffers
            .iter_mut()
            .for_each(|b| shift_buffer(&mut b.kind));
        results += outputs(&example.program).len() as u32;
        let shift = |v: &mut Value| v.0 += values;
        let each = &mut |s: &mut Stmt| {
            walk::definitions_mut(s, &mut { shift });
            walk::uses_mut(s, &mut { shift });
            walk::buffers_mut(s, &mut |b: &mut BufferId| b.0 += buffers);
            walk::blocks_mut(s).for_each(|b| b.results.iter_mut().for_each(shift));
            if let Stmt::Call { callee, .. } = s {
                *callee += functions;
            }
        };
        walk::stmts_mut(&mut part.body, each);
        // Functions read tables through buffers of the program.
        for f in &mut part.functions {
            walk::stmts_mut(&mut f.body, &mut |s| {
                walk::buffers_mut(s, &mut |b: &mut BufferId| b.0 += buffers);
            });
        }
        to.values.extend(part.values);
        to.buffers.extend(part.buffers);
        to.functions.extend(part.functions);
        to.constants.extend(part.constants);
        to.body.stmts.extend(part.body.stmts);
        all.inputs.extend(example.inputs.iter().cloned());
    }
    all
}
