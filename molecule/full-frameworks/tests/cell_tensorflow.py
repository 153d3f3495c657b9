# One notebook cell: a small network learns a circle from its coordinates.
import os
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
x = np.random.rand(512, 2).astype("float32") * 2 - 1
y = (np.hypot(x[:, 0], x[:, 1]) < 0.7).astype("float32")
layers = [tf.keras.layers.Dense(16, activation="tanh"), tf.keras.layers.Dense(1, activation="sigmoid")]
net = tf.keras.Sequential(layers)
net.compile(optimizer=tf.keras.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"])
right = net.fit(x, y, epochs=60, batch_size=64, verbose=0).history["accuracy"][-1]
gpus = len(tf.config.list_physical_devices("GPU"))
growth = os.environ["TF_FORCE_GPU_ALLOW_GROWTH"]
print("environment", os.environ["CONDA_DEFAULT_ENV"], "learned", right > 0.95, "gpus", gpus, "growth", growth)
maps = Path("/proc/self/maps").read_text()
print("own CUDA runtime", f"{sys.prefix}/lib/python3.11/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12" in maps)
print("system toolkit used", "/usr/local/cuda" in maps, "LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH"))
