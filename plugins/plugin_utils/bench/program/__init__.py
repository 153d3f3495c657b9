"""Measure one deep-learning framework on the CPU and on each GPU: the part of ./dlbox bench that runs on the host.

    python -m program torch --json [--quick] [--devices cpu,0] [--data DIR]

Needs the framework and NumPy, nothing else; it talks to NVML through ctypes. One framework in one process.

What is measured, each after a warm-up, several times, given as {"median", "low", "high", "runs"}:
  lenet      the same LeNet-5 (ReLU, 5x5 convolutions, 2x2 max pooling, 61,706 weights) trained by SGD with momentum
             0.9, learning rate 0.05, batch 256, on 28x28 greyscale digits that already lie in the device's
             memory: samples per second of an epoch, accuracy on held-out digits after the last one, and on a GPU:
             watts, joules per epoch, degrees Celsius
  matmul     square products, 2 n^3 floating-point operations each: TFLOP/s by number format
  bandwidth  copies of 1 GiB (quick: 256 MiB): GB/s (1e9 bytes); on the device, bytes read and bytes written both count
  nccl       all-reduce over all GPUs of one machine: bus bandwidth in GB/s as nccl-tests define it
The data set is the real MNIST where its file is in --data, else the digits that scikit-learn ships, enlarged and
shifted, else drawn figures; the answer says which. Everything is seeded, so that two runs do the same work.
"""
