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
        for n in (16, 64, 256):
            W[f"linalg/{name}_{n}"] = lambda f=f, n=n: (jax.jit(f), matrices(u, 1, n)[0])
        for n in (3, 6, 12, 28):
            slope = jax.grad(lambda a, f=f: jnp.sum(f(a) ** 2))
            W[f"linalg/{name}_{n}x{BATCH}"] = lambda f=f, n=n: (jax.jit(jax.vmap(f)), matrices(u, BATCH, n))
            W[f"linalg/{name}_grad_{n}x{BATCH}"] = lambda g=slope, n=n: (jax.jit(jax.vmap(g)), matrices(u, BATCH, n))
    return W
