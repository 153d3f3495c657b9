# One notebook cell: fit y = 3x + 2 by gradient descent, with JAX's own differentiation and compilation.
import os

import jax
import jax.numpy as jnp

x = jnp.linspace(-1, 1, 64)
y = 3 * x + 2


@jax.jit
def step(weights):
    loss, slope = jax.value_and_grad(lambda w: jnp.mean((w[0] * x + w[1] - y) ** 2))(weights)
    return weights - 0.3 * slope, loss


weights, losses = jnp.zeros(2), []
for _ in range(120):
    weights, loss = step(weights)
    losses.append(float(loss))
print("preallocates", os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "as it likes"))
print("environment", os.environ["CONDA_DEFAULT_ENV"], "device", jax.devices()[0].platform)
print("weights", round(float(weights[0]), 2), round(float(weights[1]), 2), "better", losses[-1] < losses[0] / 1000)
