# One notebook cell: a small network learns a circle from its coordinates.
import os
from pathlib import Path

import torch

torch.manual_seed(0)
x = torch.rand(512, 2) * 2 - 1
y = (x.norm(dim=1) < 0.7).float()
net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for _ in range(300):
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x).squeeze(1), y)
    loss.backward()
    optimizer.step()
right = ((net(x).squeeze(1) > 0) == y.bool()).float().mean().item()
print("environment", os.environ["CONDA_DEFAULT_ENV"], "learned", right > 0.95, "gpu", torch.cuda.is_available())
maps = Path("/proc/self/maps").read_text()
print("system toolkit used", "/usr/local/cuda" in maps, "LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH"))
