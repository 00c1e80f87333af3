"""Training by optax, in JAX. Without optax (pip install optax) there is no such workload."""
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
