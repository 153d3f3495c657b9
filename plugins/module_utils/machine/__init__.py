"""Read what a machine is: OS, kernel, Secure Boot, CPU, memory, GPUs, driver.

Reads files only (sysfs, procfs, /etc), below a root directory that tests may prepare; the one program it
may run is nvidia-smi, where nothing else tells the GPU (WSL2, some containers).
"""
