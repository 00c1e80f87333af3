//! Linear algebra: what is not a method of [`Var`](crate::Var), and the types of factors.
//!
//! Factorisations and systems are methods: [`Var::solve`](crate::Var::solve), [`Var::cholesky`](crate::Var::cholesky),
//! [`Var::qr`](crate::Var::qr), [`Var::eigh`](crate::Var::eigh), [`Var::svd`](crate::Var::svd), and those made of them.

mod equations;
mod exponential;
mod functions;
mod krylov;
mod lsmr;
mod spectra;
mod spectral;

pub use equations::{solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester};
pub use exponential::expm;
pub use functions::{fractional_matrix_power, householder_product, logm, polar, sqrtm};
pub use krylov::Krylov;
pub use lsmr::Lsmr;
pub use spectra::{eig, eigvals};
pub use spectral::{funm_symmetric, spectral_sum};
pub use wengert_ir::num::linalg::{
    Cho, Lstsq, Lu, Triangular, block_diag, hankel, multi_dot, solve_banded, solve_tridiagonal,
    toeplitz,
};
