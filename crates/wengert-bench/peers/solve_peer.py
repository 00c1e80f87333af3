"""Training by optax, and adaptive integrals by hand, in JAX. Without optax (pip install optax) there is no training."""
import jax, jax.numpy as jnp
import numpy as np
from jax import lax

def training(u):
    try:
        import optax
    except ImportError:
        return {}
    def adam():
        sizes = (2, 64, 64, 1)
        layer = lambda i: (jnp.asarray((2 * u(sizes[i] * sizes[i + 1], i) - 1).reshape(sizes[i], sizes[i + 1]) / np.sqrt(sizes[i])), jnp.zeros(sizes[i + 1]))
        net, x, y = [layer(i) for i in range(3)], jnp.asarray(u(512).reshape(256, 2)), jnp.asarray(u(256, 9))
        rule = optax.adam(1e-3)
        def run(net, x, y):
            def loss(net):
                h = x
                for w, b in net[:2]: h = jnp.tanh(h @ w + b)
                return jnp.mean(((h @ net[2][0] + net[2][1])[:, 0] - y) ** 2)
            def step(carry, _):
                net, state = carry; value, slope = jax.value_and_grad(loss)(net)
                update, state = rule.update(slope, state, net)
                return (optax.apply_updates(net, update), state), value
            return lax.scan(step, (net, rule.init(net)), None, length=1000)[1]
        return jax.jit(run), net, x, y
    return {"optim/adam_2_64_64_1": adam}

def kronrod():
    """Nodes from -1 to 1, weights of the 15 points, and of the 7 among them (QUADPACK)."""
    x = [0.991455371120812639206854697526329, 0.949107912342758524526189684047851, 0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
         0.586087235467691130294144838258730, 0.405845151377397166906606412076961, 0.207784955007898467600689403773245, 0.0]
    k = [0.022935322010529224963732008058970, 0.063092092629978553290700663189204, 0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
         0.169004726639267902826583426598550, 0.190350578064785409913256402421014, 0.204432940075298892414161999234649, 0.209482141084727828012999174891714]
    g = [0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780, 0.0, 0.381830050505118944950369775488975, 0.0, 0.417959183673469387755102040816327]
    both = lambda a, sign: jnp.asarray([sign * v for v in a] + a[-2::-1])
    return both(x, -1.0), both(k, 1.0), both(g, 1.0)

def integrals(u):
    """The interval with the largest error is halved until the sum of errors is small, as in QUADPACK's QAG."""
    def make():
        x, k, g = kronrod(); n, eps = 64, np.finfo(np.float64).eps
        def rule(f, a, b):
            h = 0.5 * (b - a); y = f(0.5 * (a + b) + h * x); mean = 0.5 * jnp.sum(k * y)
            error = jnp.abs(h * jnp.sum((k - g) * y)); spread = h * jnp.sum(k * jnp.abs(y - mean))
            error = jnp.where((spread > 0) & (error > 0), spread * jnp.minimum(1.0, (200 * error / spread) ** 1.5), error)
            return 2 * h * mean, jnp.maximum(error, 50 * eps * h * jnp.sum(k * jnp.abs(y)))
        def one(p, q):
            f = lambda x: jnp.exp(q * x) / ((x - p) ** 2 + 1e-3 * (0.1 + q))
            value, error = rule(f, 0.0, 1.0); z = jnp.zeros(n)
            def more(c): low, high, values, errors, used = c; return (used < n) & (jnp.sum(errors) > jnp.maximum(1e-12, 1e-10 * jnp.abs(jnp.sum(values))))
            def step(c):
                low, high, values, errors, used = c; i = jnp.argmax(errors); a, b = low[i], high[i]; m = 0.5 * (a + b)
                (v, e), (w, d) = rule(f, a, m), rule(f, m, b)
                return low.at[used].set(m), high.at[i].set(m).at[used].set(b), values.at[i].set(v).at[used].set(w), errors.at[i].set(e).at[used].set(d), used + 1
            return jnp.sum(lax.while_loop(more, step, (z, z.at[0].set(1.0), z.at[0].set(value), z.at[0].set(error), 1))[2])
        return jax.jit(jax.vmap(one)), jnp.asarray(u(10_000)), jnp.asarray(u(10_000, 7))
    return {"quad/gauss_kronrod_1e4": make}
