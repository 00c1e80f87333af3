"""The workloads of linear algebra in JAX: single matrices, and batches of 10,000 small ones, with gradients."""
import jax, jax.numpy as jnp
import numpy as np

BATCH = 10_000
FUNCTIONS = {
    "cholesky": jnp.linalg.cholesky,
    "solve": lambda a: jnp.linalg.solve(a, a[0]),
    "qr": lambda a: jnp.linalg.qr(a)[1],
    "eigh": jnp.linalg.eigvalsh,
    "svd": lambda a: jnp.linalg.svd(a, compute_uv=False),
}

def matrices(u, count, n):
    """Symmetric matrices with a large diagonal."""
    low = np.tril(u(count * n * n).reshape(count, n, n))
    return jnp.asarray(low + np.tril(low, -1).transpose(0, 2, 1) + n * np.eye(n))

def linalg(u):
    W = {}
    for name, f in FUNCTIONS.items():
        for n in (16, 64, 256, 1024):
            W[f"linalg/{name}_{n}"] = lambda f=f, n=n: (jax.jit(f), matrices(u, 1, n)[0])
        for n in (3, 6, 12, 28):
            slope = jax.grad(lambda a, f=f: jnp.sum(f(a) ** 2))
            W[f"linalg/{name}_{n}x{BATCH}"] = lambda f=f, n=n: (jax.jit(jax.vmap(f)), matrices(u, BATCH, n))
            W[f"linalg/{name}_grad_{n}x{BATCH}"] = lambda g=slope, n=n: (jax.jit(jax.vmap(g)), matrices(u, BATCH, n))
    square = jax.grad(lambda a, b: jnp.sum(jnp.linalg.solve(a, b) ** 2), (0, 1))
    W["linalg/solve_grad_3x86268"] = lambda: (jax.jit(jax.vmap(square)), matrices(u, 86_268, 3), jnp.asarray(u(3 * 86_268, 5).reshape(-1, 3)))
    W[f"linalg/inv_3x{BATCH}"] = lambda: (jax.jit(jnp.linalg.inv), matrices(u, BATCH, 3))
    W[f"linalg/expm_6x{BATCH}"] = lambda: (jax.jit(lambda a: jax.scipy.linalg.expm(a * 0.25)), matrices(u, BATCH, 6))
    W["linalg/gp_200_grad"] = lambda: (jax.jit(jax.value_and_grad(evidence)), jnp.array([-0.5, 0.3, -2.0]), jnp.asarray(u(600).reshape(200, 3)), jnp.asarray(u(200, 7)))
    return W

def evidence(p, x, y):
    """The evidence of a Gaussian process for values at points."""
    p = jnp.exp(p)
    apart = jnp.sum((x[:, None] - x[None]) ** 2, 2)
    low = jnp.linalg.cholesky(p[1] * jnp.exp(-0.5 * apart / p[0] ** 2) + p[2] * jnp.eye(len(y)))
    return -0.5 * y @ jax.scipy.linalg.cho_solve((low, True), y) - jnp.sum(jnp.log(jnp.diag(low)))
