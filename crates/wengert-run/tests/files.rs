//! Runs the programs in files of `wengert-loop` on the interpreter as a back end.

use wengert_loop::backend_tests;
use wengert_run::testing::With;
use wengert_run::{Interpreter, Options};

backend_tests!(With(Interpreter, Options::default()));
