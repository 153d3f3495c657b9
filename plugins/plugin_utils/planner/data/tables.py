"""The planner's tables. Generated from data/*.toml: change those, then run scripts/update-data --render."""

from __future__ import annotations

from typing import Any

CHECKED: Any = {
    'architectures.toml': '2026-11-20',
    'drivers.toml': '2026-11-20',
    'cuda.toml': '2026-11-20',
    'boards.toml': '2026-11-20',
    'nvidia.toml': '2026-11-20',
    'pytorch.toml': '2026-11-21',
    'tensorflow.toml': '2026-11-20',
    'jax.toml': '2026-11-21',
    'keras.toml': '2026-11-20',
    'environments.toml': '2026-11-22',
    'systems/ubuntu-22.04.toml': '2026-11-20',
    'systems/ubuntu-24.04.toml': '2026-11-20',
    'systems/ubuntu-26.04.toml': '2026-11-20',
    'systems/debian-12.toml': '2026-11-20',
    'systems/debian-13.toml': '2026-11-20',
}

ARCHITECTURES: Any = [
    {'key': 'pre_tesla', 'label': 'before Tesla', 'cc': (0, 0), 'first_driver': 71, 'last_driver': 304, 'modules': 'proprietary', 'first_cuda': '0', 'last_cuda': '0', 'last_cudnn': None, 'verdict': 'refuse', 'source': 'SG615: legacybranch 71.86 to 304'},
    {'key': 'tesla_g80', 'label': 'Tesla', 'cc': (1, 0), 'first_driver': 96, 'last_driver': 340, 'modules': 'proprietary', 'first_cuda': '1.0', 'last_cuda': '6.5', 'last_cudnn': None, 'verdict': 'refuse', 'source': 'SG615: legacybranch 340; last CUDA 6.5 [M]'},
    {'key': 'fermi', 'label': 'Fermi', 'cc': (2, 0), 'first_driver': 256, 'last_driver': 390, 'modules': 'proprietary', 'first_cuda': '3.0', 'last_cuda': '8.0', 'last_cudnn': None, 'verdict': 'refuse', 'source': 'SG615: legacybranch 390; CUDA 3.0 to 8.0 [S]'},
    {'key': 'kepler_30', 'label': 'Kepler', 'cc': (3, 0), 'first_driver': 304, 'last_driver': 470, 'modules': 'proprietary', 'first_cuda': '4.2', 'last_cuda': '10.2', 'last_cudnn': None, 'verdict': 'refuse_compute', 'source': 'SG615: legacybranch 470; PTXAS: gone before 11.8'},
    {'key': 'kepler_35', 'label': 'Kepler', 'cc': (3, 5), 'first_driver': 319, 'last_driver': 470, 'modules': 'proprietary', 'first_cuda': '6.0', 'last_cuda': '11.8', 'last_cudnn': '8.9.7', 'verdict': 'plan', 'source': 'SG615: legacybranch 470; PTXAS: last target in 11.8; first driver [M]'},
    {'key': 'maxwell_50', 'label': 'Maxwell', 'cc': (5, 0), 'first_driver': 337, 'last_driver': 580, 'modules': 'proprietary', 'first_cuda': '6.5', 'last_cuda': '12.9', 'last_cudnn': '9.10.2.21', 'verdict': 'plan', 'source': 'SG615: legacybranch 580; PTXAS: last target in 12.9; WHEEL cuDNN 9.10.2.21'},
    {'key': 'maxwell_52', 'label': 'Maxwell', 'cc': (5, 2), 'first_driver': 343, 'last_driver': 580, 'modules': 'proprietary', 'first_cuda': '6.5', 'last_cuda': '12.9', 'last_cudnn': '9.10.2.21', 'verdict': 'plan', 'source': 'as maxwell_50'},
    {'key': 'pascal_60', 'label': 'Pascal', 'cc': (6, 0), 'first_driver': 375, 'last_driver': 580, 'modules': 'proprietary', 'first_cuda': '8.0', 'last_cuda': '12.9', 'last_cudnn': '9.10.2.21', 'verdict': 'plan', 'source': 'as maxwell_50; first driver [M]'},
    {'key': 'pascal_61', 'label': 'Pascal', 'cc': (6, 1), 'first_driver': 367, 'last_driver': 580, 'modules': 'proprietary', 'first_cuda': '8.0', 'last_cuda': '12.9', 'last_cudnn': '9.10.2.21', 'verdict': 'plan', 'source': 'as maxwell_50; first driver changelog 367.27'},
    {'key': 'volta', 'label': 'Volta', 'cc': (7, 0), 'first_driver': 390, 'last_driver': 580, 'modules': 'proprietary', 'first_cuda': '9.0', 'last_cuda': '12.9', 'last_cudnn': '9.10.2.21', 'verdict': 'plan', 'source': 'as maxwell_50; first driver changelog 384.98 (V100), 390.12 (TITAN V)'},
    {'key': 'turing', 'label': 'Turing', 'cc': (7, 5), 'first_driver': 410, 'last_driver': None, 'modules': 'both', 'first_cuda': '10.0', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'RD580/RD595: open from Turing on; changelog 410.57; PTXAS'},
    {'key': 'ampere_80', 'label': 'Ampere', 'cc': (8, 0), 'first_driver': 450, 'last_driver': None, 'modules': 'both', 'first_cuda': '11.0', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'changelog 450.51; PTXAS'},
    {'key': 'ampere_86', 'label': 'Ampere', 'cc': (8, 6), 'first_driver': 455, 'last_driver': None, 'modules': 'both', 'first_cuda': '11.1', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'changelog 455.23.04; first CUDA [M]'},
    {'key': 'ada', 'label': 'Ada Lovelace', 'cc': (8, 9), 'first_driver': 525, 'last_driver': None, 'modules': 'both', 'first_cuda': '11.8', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'PTXAS 11.8; first driver [M] 520/525; 470 lists no Ada id (UA Modaliases)'},
    {'key': 'hopper', 'label': 'Hopper', 'cc': (9, 0), 'first_driver': 525, 'last_driver': None, 'modules': 'both', 'first_cuda': '11.8', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'PTXAS 11.8; first driver [M]'},
    {'key': 'blackwell_dc', 'label': 'Blackwell', 'cc': (10, 0), 'first_driver': 570, 'last_driver': None, 'modules': 'open', 'first_cuda': '12.8', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'RD580: Blackwell open modules only; PTXAS 12.8'},
    {'key': 'blackwell_dcu', 'label': 'Blackwell Ultra', 'cc': (10, 3), 'first_driver': 580, 'last_driver': None, 'modules': 'open', 'first_cuda': '12.9', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'SG580; PTXAS 12.9'},
    {'key': 'blackwell_rtx', 'label': 'Blackwell', 'cc': (12, 0), 'first_driver': 570, 'last_driver': None, 'modules': 'open', 'first_cuda': '12.8', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'RD580; PTXAS 12.8'},
    {'key': 'blackwell_spark', 'label': 'Blackwell', 'cc': (12, 1), 'first_driver': 580, 'last_driver': None, 'modules': 'open', 'first_cuda': '12.9', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'PTXAS 12.9; aarch64 only; first driver [M]'},
    {'key': 'rubin', 'label': 'Rubin', 'cc': (10, 7), 'first_driver': 615, 'last_driver': None, 'modules': 'open', 'first_cuda': '13.4', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'plan', 'source': 'PTXAS 13.4: first target sm_107'},
    {'key': 'tegra', 'label': 'Tegra', 'cc': (0, 0), 'first_driver': 0, 'last_driver': None, 'modules': 'open', 'first_cuda': '0', 'last_cuda': None, 'last_cudnn': None, 'verdict': 'out_of_scope', 'source': 'Jetson boards have their own driver in JetPack'},
]

OPEN_REQUIRED_IDS: Any = [
    '2342',
    '2345',
    '2348',
]

CHIPS: Any = [
    ('(GK20A|GM20B|GP10B|GV11B|GA10B|GB10B|AD10B|T1\\d\\d|T2\\d\\d|T3\\d\\d)', 'tegra', None),
    ('GR1\\d\\d', 'rubin', None),
    ('GB20B', 'blackwell_spark', None),
    ('GB20[0-9]', 'blackwell_rtx', None),
    ('GB11[0-9]', 'blackwell_dcu', None),
    ('GB10[0-9]', 'blackwell_dc', None),
    ('GH10[0-9]', 'hopper', None),
    ('AD10[0-9]', 'ada', None),
    ('GA100', 'ampere_80', None),
    ('GA10[1-9]', 'ampere_86', None),
    ('TU1\\d\\d', 'turing', None),
    ('GV10[0-9]', 'volta', None),
    ('GP100', 'pascal_60', None),
    ('GP10[1-9]', 'pascal_61', None),
    ('GM20[0-9]', 'maxwell_52', None),
    ('GM10[0-9]', 'maxwell_50', None),
    ('GK210', 'kepler_35', (3, 7)),
    ('GK(11[0-9x]|180|208)', 'kepler_35', None),
    ('GK10[0-9]', 'kepler_30', None),
    ('GF1(00|10)', 'fermi', (2, 0)),
    ('GF1\\d\\d', 'fermi', (2, 1)),
    ('GT21[0-9]', 'tesla_g80', (1, 2)),
    ('GT200', 'tesla_g80', (1, 3)),
    ('(G8[0-9]|G9[0-9]|MCP7[789A-Z]|MCP8[0-9]|C7[789]|NV50|ION)', 'tesla_g80', None),
    ('(NV\\d|NV\\w\\d|MCP|C5[0-9]|C6[0-9]|C7[0-6]|nForce|RIVA|G7[0-9])', 'pre_tesla', None),
]

BRANCHES: Any = [
    {'number': 340, 'kind': 'legacy', 'eol': '2019-12-31', 'cuda_native': '6.5', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (2, 6), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC [S]'},
    {'number': 390, 'kind': 'legacy', 'eol': '2022-12-31', 'cuda_native': '9.1', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (2, 6), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'UA Legacy'},
    {'number': 418, 'kind': 'legacy', 'eol': '2022-03-31', 'cuda_native': '10.1', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (2, 6), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'UA'},
    {'number': 470, 'kind': 'LTSB', 'eol': '2024-07-31', 'cuda_native': '11.4', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (2, 6), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'eol [S]; UA: still patched for newer kernels (DKMS)'},
    {'number': 535, 'kind': 'LTSB', 'eol': '2026-06-30', 'cuda_native': '12.2', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (3, 10), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC; MEAS: builds on 6.1'},
    {'number': 545, 'kind': 'NFB', 'eol': '2024-02-29', 'cuda_native': '12.3', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (3, 10), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'UA: still a real package on 22.04, branch is dead'},
    {'number': 550, 'kind': 'PB', 'eol': '2025-06-30', 'cuda_native': '12.4', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (3, 10), 'kernel_until': (6, 17), 'kernel_gap': ((6, 12, 97), (6, 13)), 'gap_modules': ('open',), 'source': "eol [S]; DA text: up to 6.17 [S]; MEAS on trixie's 6.12.117: nvidia-open-kernel-dkms 550.163.01-2 fails (pci_resize_resource), nvidia-kernel-dkms 550.163.01-2 builds"},
    {'number': 570, 'kind': 'PB', 'eol': '2026-02-28', 'cuda_native': '12.8', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (3, 10), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'eol [S]'},
    {'number': 580, 'kind': 'LTSB', 'eol': '2028-06-30', 'cuda_native': '13.0', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC; RD580 kernel >= 4.15; last branch for Maxwell, Pascal, Volta'},
    {'number': 590, 'kind': 'NFB', 'eol': '2026-03-31', 'cuda_native': '13.1', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'UA: transitional to 595'},
    {'number': 595, 'kind': 'PB', 'eol': '2027-03-31', 'cuda_native': '13.2', 'open_only': False, 'dead': False, 'confirmed': True, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC; RD595 kernel >= 4.15'},
    {'number': 610, 'kind': 'NFB', 'eol': '2026-08-31', 'cuda_native': '13.3', 'open_only': False, 'dead': True, 'confirmed': True, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC; UA: transitional to 615'},
    {'number': 615, 'kind': 'NFB', 'eol': None, 'cuda_native': '13.4', 'open_only': True, 'dead': False, 'confirmed': True, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'released 2026-09-09; UA: open packages only'},
    {'number': 620, 'kind': 'unknown', 'eol': None, 'cuda_native': '13.5', 'open_only': True, 'dead': False, 'confirmed': False, 'kernel_min': (4, 15), 'kernel_until': None, 'kernel_gap': None, 'gap_modules': (), 'source': 'NVDOC installation guide of 2026-11-09; type and CUDA inferred'},
]

OPEN_FROM: Any = 515

OPEN_RECOMMENDED_FROM: Any = 560

OPEN_ONLY_FROM: Any = 615

TARGETS: Any = {
    '11.5': (35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87),
    '11.7': (35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87),
    '11.8': (35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.0': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.1': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.2': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.3': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.4': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.5': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.6': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90),
    '12.8': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90, 100, 101, 120),
    '12.9': (50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90, 100, 101, 103, 120, 121),
    '13.0': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121),
    '13.1': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121),
    '13.2': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121),
    '13.3': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121),
    '13.4': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121, 107),
    '13.5': (75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121, 107),
}

NATIVE_BRANCH: Any = {
    '11.5': 495,
    '11.7': 515,
    '11.8': 520,
    '12.0': 525,
    '12.1': 530,
    '12.2': 535,
    '12.3': 545,
    '12.4': 550,
    '12.5': 555,
    '12.6': 560,
    '12.8': 570,
    '12.9': 575,
    '13.0': 580,
    '13.1': 590,
    '13.2': 595,
    '13.3': 610,
    '13.4': 615,
    '13.5': 620,
}

MINOR_COMPAT_BRANCH: Any = {
    11: 450,
    12: 525,
    13: 580,
}

MINOR_COMPAT_VERSION: Any = {
    11: '450.80.02',
    12: '525.60.13',
    13: '580.65.06',
}

CUDNN: Any = {
    'newest': '9.28.0.42',
    'last_pre_turing': '9.10.2.21',
    'first_without_pre_turing': '9.11.0',
    'first_cuda13': '9.12.0',
    'last_cuda11': '9.10.2.21',
    'first_blackwell': '9.7.0',
    'first_9': '9.0.0',
}

BOARDS: Any = {
    'gtx 750': (1, 55),
    'gtx 750 ti': (2, 60),
    'gtx 950': (2, 90),
    'gtx 960': (2, 120),
    'gtx 970': (4, 145),
    'gtx 980': (4, 165),
    'gtx 980 ti': (6, 250),
    'gtx titan x': (12, 250),
    'm40': (12, 250),
    'm60': (16, 300),
    'k80': (24, 300),
    'k40m': (12, 235),
    'gtx 780': (3, 250),
    'gtx 780 ti': (3, 250),
    'gtx titan': (6, 250),
    'gtx 680': (2, 195),
    'gtx 770': (2, 230),
    'gtx 480': (1, 250),
    'gtx 580': (1, 244),
    'gt 1030': (2, 30),
    'gtx 1050': (2, 75),
    'gtx 1050 ti': (4, 75),
    'gtx 1060 3gb': (3, 120),
    'gtx 1060 6gb': (6, 120),
    'gtx 1070': (8, 150),
    'gtx 1070 ti': (8, 180),
    'gtx 1080': (8, 180),
    'gtx 1080 ti': (11, 250),
    'titan x pascal': (12, 250),
    'titan xp': (12, 250),
    'p4': (8, 75),
    'p40': (24, 250),
    'p100 pcie 16gb': (16, 250),
    'p100 pcie 12gb': (12, 250),
    'p100 sxm2 16gb': (16, 300),
    'titan v': (12, 250),
    'v100 pcie 16gb': (16, 250),
    'v100 pcie 32gb': (32, 250),
    'v100 sxm2 32gb': (32, 300),
    'gtx 1650': (4, 75),
    'gtx 1650 super': (4, 100),
    'gtx 1660': (6, 120),
    'gtx 1660 super': (6, 125),
    'gtx 1660 ti': (6, 120),
    'rtx 2060': (6, 160),
    'rtx 2060 12gb': (12, 185),
    'rtx 2060 super': (8, 175),
    'rtx 2070': (8, 175),
    'rtx 2070 super': (8, 215),
    'rtx 2080': (8, 215),
    'rtx 2080 super': (8, 250),
    'rtx 2080 ti': (11, 250),
    'titan rtx': (24, 280),
    't4': (16, 70),
    'rtx 4000': (8, 160),
    'rtx 5000': (16, 265),
    'rtx 6000': (24, 295),
    'rtx 3050': (8, 130),
    'rtx 3060': (12, 170),
    'rtx 3060 ti': (8, 200),
    'rtx 3070': (8, 220),
    'rtx 3070 ti': (8, 290),
    'rtx 3080': (10, 320),
    'rtx 3080 12gb': (12, 350),
    'rtx 3080 ti': (12, 350),
    'rtx 3090': (24, 350),
    'rtx 3090 ti': (24, 450),
    'a10': (24, 150),
    'a30 pcie': (24, 165),
    'a40': (48, 300),
    'a100 pcie 40gb': (40, 250),
    'a100 pcie 80gb': (80, 300),
    'a100 sxm4 40gb': (40, 400),
    'a100 sxm4 80gb': (80, 400),
    'rtx a2000': (6, 70),
    'rtx a2000 12gb': (12, 70),
    'rtx a4000': (16, 140),
    'rtx a4500': (20, 200),
    'rtx a5000': (24, 230),
    'rtx a5500': (24, 230),
    'rtx a6000': (48, 300),
    'rtx 4060': (8, 115),
    'rtx 4060 ti': (8, 160),
    'rtx 4060 ti 16gb': (16, 165),
    'rtx 4070': (12, 200),
    'rtx 4070 super': (12, 220),
    'rtx 4070 ti': (12, 285),
    'rtx 4070 ti super': (16, 285),
    'rtx 4080': (16, 320),
    'rtx 4080 super': (16, 320),
    'rtx 4090': (24, 450),
    'rtx 4090 d': (24, 425),
    'l4': (24, 72),
    'l40': (48, 300),
    'l40s': (48, 350),
    'rtx 4000 ada generation': (20, 130),
    'rtx 5000 ada generation': (32, 250),
    'rtx 6000 ada generation': (48, 300),
    'h100 pcie': (80, 350),
    'h100 sxm5 80gb': (80, 700),
    'h200 sxm 141gb': (141, 700),
    'h200 nvl': (141, 600),
    'rtx 5050': (8, 130),
    'rtx 5060': (8, 145),
    'rtx 5060 ti': (16, 180),
    'rtx 5070': (12, 250),
    'rtx 5070 ti': (16, 300),
    'rtx 5080': (16, 360),
    'rtx 5090': (32, 575),
    'rtx 5090 d': (32, 575),
    'rtx pro 4000 blackwell': (24, 140),
    'rtx pro 6000 blackwell workstation edition': (96, 600),
    'rtx pro 6000 blackwell max q workstation edition': (96, 300),
    'rtx pro 6000 blackwell server edition': (96, 600),
    'b200': (180, 1000),
}

SYSTEMS: Any = [
    {'key': 'ubuntu-22.04', 'id': 'ubuntu', 'version': '22.04', 'codename': 'jammy', 'label': 'Ubuntu 22.04', 'kernels': {'generic': (5, 15), 'generic-hwe-22.04': (6, 8)}, 'default_kernel': '5.15.0-203-generic', 'python': '3.10', 'nvidia_repo': 'ubuntu2204', 'mok': '/var/lib/shim-signed/mok', 'glibc': '2.35', 'sudo': 'sudo', 'initramfs': 'initramfs-tools', 'apt': '2.4', 'apt_verifier': 'gpgv', 'ssh': '8.9p1', 'ssh_socket': False, 'driver_components': (), 'flavours': {'generic': {'linux': (5, 15), 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'generic-hwe-22.04': {'linux': (6, 8), 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'aws': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'azure': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'gcp': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oracle': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'lowlatency': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oem': {'linux': None, 'signed_modules': True, 'architectures': ('amd64',)}, 'nvidia': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}}, 'end_of_life': '2027-06-01', 'extended_end_of_life': '2032-04-21'},
    {'key': 'ubuntu-24.04', 'id': 'ubuntu', 'version': '24.04', 'codename': 'noble', 'label': 'Ubuntu 24.04', 'kernels': {'generic': (6, 8), 'generic-hwe-24.04': (7, 0)}, 'default_kernel': '6.8.0-149-generic', 'python': '3.12', 'nvidia_repo': 'ubuntu2404', 'mok': '/var/lib/shim-signed/mok', 'glibc': '2.39', 'sudo': 'sudo', 'initramfs': 'initramfs-tools', 'apt': '2.8', 'apt_verifier': 'gpgv', 'ssh': '9.6p1', 'ssh_socket': True, 'driver_components': (), 'flavours': {'generic': {'linux': (6, 8), 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'generic-hwe-24.04': {'linux': (7, 0), 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'aws': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'azure': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'gcp': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oracle': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'lowlatency': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oem': {'linux': None, 'signed_modules': True, 'architectures': ('amd64',)}, 'nvidia': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}}, 'end_of_life': '2029-05-31', 'extended_end_of_life': '2034-04-25'},
    {'key': 'ubuntu-26.04', 'id': 'ubuntu', 'version': '26.04', 'codename': 'resolute', 'label': 'Ubuntu 26.04', 'kernels': {'generic': (7, 0)}, 'default_kernel': '7.0.0-43-generic', 'python': '3.14', 'nvidia_repo': 'ubuntu2604', 'mok': '/var/lib/shim-signed/mok', 'glibc': '2.43', 'sudo': 'sudo-rs', 'initramfs': 'dracut', 'apt': '3.2', 'apt_verifier': 'gpgv', 'ssh': '10.2p1', 'ssh_socket': True, 'driver_components': (), 'flavours': {'generic': {'linux': (7, 0), 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'aws': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'azure': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'gcp': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oracle': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}, 'oem': {'linux': None, 'signed_modules': True, 'architectures': ('amd64',)}, 'nvidia': {'linux': None, 'signed_modules': True, 'architectures': ('amd64', 'arm64')}}, 'end_of_life': '2031-05-29', 'extended_end_of_life': '2036-04-23'},
    {'key': 'debian-12', 'id': 'debian', 'version': '12', 'codename': 'bookworm', 'label': 'Debian 12', 'kernels': {'amd64': (6, 1)}, 'default_kernel': '6.1.0-56-amd64', 'python': '3.11', 'nvidia_repo': 'debian12', 'mok': '/var/lib/dkms', 'glibc': '2.36', 'sudo': 'sudo', 'initramfs': 'initramfs-tools', 'apt': '2.6', 'apt_verifier': 'gpgv', 'ssh': '9.2p1', 'ssh_socket': False, 'driver_components': ('contrib', 'non-free', 'non-free-firmware'), 'flavours': {'amd64': {'linux': (6, 1), 'signed_modules': False, 'architectures': ('amd64',)}}, 'end_of_life': '2026-07-11', 'extended_end_of_life': '2028-06-30'},
    {'key': 'debian-13', 'id': 'debian', 'version': '13', 'codename': 'trixie', 'label': 'Debian 13', 'kernels': {'amd64': (6, 12)}, 'default_kernel': '6.12.117+deb13-amd64', 'python': '3.13', 'nvidia_repo': 'debian13', 'mok': '/var/lib/dkms', 'glibc': '2.41', 'sudo': 'sudo', 'initramfs': 'initramfs-tools', 'apt': '3.0', 'apt_verifier': 'sqv', 'ssh': '10.0p1', 'ssh_socket': False, 'driver_components': ('contrib', 'non-free', 'non-free-firmware'), 'flavours': {'amd64': {'linux': (6, 12), 'signed_modules': False, 'architectures': ('amd64',)}}, 'end_of_life': '2028-08-09', 'extended_end_of_life': '2030-06-30'},
]

ARCHIVE_OFFERS: Any = [
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 390, 'modules': 'proprietary', 'version': '390.157', 'server': False, 'component': 'restricted', 'prebuilt': {}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 418, 'modules': 'proprietary', 'version': '418.226.00', 'server': True, 'component': 'restricted', 'prebuilt': {}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 470, 'modules': 'proprietary', 'version': '470.256.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-153', 'generic-hwe-22.04': '6.8.0-79'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 470, 'modules': 'proprietary', 'version': '470.256.02', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-153', 'generic-hwe-22.04': '6.8.0-79'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 545, 'modules': 'open', 'version': '545.29.06', 'server': False, 'component': 'restricted', 'prebuilt': {}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 545, 'modules': 'proprietary', 'version': '545.29.06', 'server': False, 'component': 'restricted', 'prebuilt': {}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.99.02', 'server': False, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.99.02', 'server': False, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.91.07', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.91.07', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': False, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-22.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '5.15.0-203', 'generic-hwe-22.04': '6.8.0-149', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 470, 'modules': 'proprietary', 'version': '470.256.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-31', 'generic-hwe-24.04': '6.11.0-29'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 470, 'modules': 'proprietary', 'version': '470.256.02', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-31', 'generic-hwe-24.04': '6.11.0-29'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.99.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.99.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.91.07', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.91.07', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': False, 'component': 'multiverse', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-24.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '6.8.0-149', 'generic-hwe-24.04': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'lowlatency': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'open', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 580, 'modules': 'proprietary', 'version': '580.178.04', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.99.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.99.02', 'server': False, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'open', 'version': '595.91.07', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 595, 'modules': 'proprietary', 'version': '595.91.07', 'server': True, 'component': 'restricted', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': False, 'component': 'multiverse', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'ubuntu-26.04', 'source': 'ubuntu', 'branch': 615, 'modules': 'open', 'version': '615.71.09', 'server': True, 'component': 'multiverse', 'prebuilt': {'generic': '7.0.0-43', 'aws': 'current', 'azure': 'current', 'gcp': 'current', 'oracle': 'current', 'oem': 'current', 'nvidia': 'current'}, 'packages': (), 'broken': '', 'origin': 'UA, without transitional packages', 'tested_linux': None},
    {'system': 'debian-12', 'source': 'debian', 'branch': 470, 'modules': 'proprietary', 'version': '470.256.02', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-tesla-470-driver', 'nvidia-tesla-470-kernel-dkms'), 'broken': '', 'origin': 'DA', 'tested_linux': (6, 8)},
    {'system': 'debian-12', 'source': 'debian', 'branch': 535, 'modules': 'proprietary', 'version': '535.309.01', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-driver', 'nvidia-kernel-dkms', 'firmware-nvidia-gsp'), 'broken': '', 'origin': 'DA, MEAS', 'tested_linux': (6, 15)},
    {'system': 'debian-12', 'source': 'debian', 'branch': 535, 'modules': 'open', 'version': '535.309.01', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-driver', 'nvidia-open-kernel-dkms', 'firmware-nvidia-gsp'), 'broken': 'nvidia-driver 535.309.01 from bookworm-security needs nvidia-open-kernel-535.309.01, and the archive has nvidia-open-kernel-dkms 535.261.03 only', 'origin': 'DA', 'tested_linux': (6, 16)},
    {'system': 'debian-13', 'source': 'debian', 'branch': 535, 'modules': 'proprietary', 'version': '535.274.02', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-tesla-535-driver', 'nvidia-tesla-535-kernel-dkms', 'firmware-nvidia-tesla-535-gsp'), 'broken': '', 'origin': 'DA', 'tested_linux': (6, 16)},
    {'system': 'debian-13', 'source': 'debian', 'branch': 550, 'modules': 'proprietary', 'version': '550.163.01', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-driver', 'nvidia-kernel-dkms', 'firmware-nvidia-gsp'), 'broken': '', 'origin': 'DA, MEAS', 'tested_linux': (6, 15)},
    {'system': 'debian-13', 'source': 'debian', 'branch': 550, 'modules': 'open', 'version': '550.163.01', 'server': False, 'component': 'non-free', 'prebuilt': {}, 'packages': ('nvidia-driver', 'nvidia-open-kernel-dkms', 'firmware-nvidia-gsp'), 'broken': '', 'origin': 'DA, MEAS', 'tested_linux': (6, 15)},
]

HEADLESS: Any = {
    'nvidia-tesla-470-driver': ('nvidia-tesla-470-smi', 'libnvidia-tesla-470-cuda1', 'libnvidia-tesla-470-ml1', 'nvidia-tesla-470-driver-bin', 'nvidia-persistenced'),
    'nvidia-driver': ('nvidia-smi', 'libcuda1', 'libnvidia-ml1', 'nvidia-driver-bin', 'nvidia-persistenced'),
    'nvidia-tesla-535-driver': ('nvidia-tesla-535-smi', 'libnvidia-tesla-535-cuda1', 'libnvidia-tesla-535-ml1', 'nvidia-tesla-535-driver-bin', 'nvidia-persistenced'),
}

TRANSITIONAL: Any = {
    'ubuntu-22.04': {495: 510, 510: 535, 515: 535, 520: 535, 525: 535, 530: 535, 535: 580, 550: 580, 570: 580, 575: 580, 590: 595, 610: 615},
    'ubuntu-24.04': {510: 535, 515: 535, 520: 535, 525: 535, 530: 535, 535: 580, 550: 580, 570: 580, 575: 580, 590: 595, 610: 615},
    'ubuntu-26.04': {535: 580, 550: 580, 560: 580, 570: 580, 575: 580, 590: 595, 610: 615},
}

NVIDIA_BRANCHES: Any = [
    (580, ('open', 'proprietary')),
    (595, ('open', 'proprietary')),
    (615, ('open',)),
    (620, ('open',)),
]

NVIDIA_REPO_URL: Any = 'https://developer.download.nvidia.com/compute/cuda/repos'

NVIDIA_REPO_ARCH: Any = {
    'amd64': 'x86_64',
    'arm64': 'sbsa',
}

NVIDIA_KEYRING: Any = 'cuda-keyring_1.1-1_all.deb'

NVIDIA_KEYS: Any = {
    'ubuntu2204': {'file': '3bf863cc.pub', 'fingerprint': 'EB693B3035CD5710E231E123A4B469963BF863CC'},
    'ubuntu2404': {'file': '3bf863cc.pub', 'fingerprint': 'EB693B3035CD5710E231E123A4B469963BF863CC'},
    'ubuntu2604': {'file': '3bf863cc.pub', 'fingerprint': 'EB693B3035CD5710E231E123A4B469963BF863CC'},
    'debian12': {'file': '3bf863cc.pub', 'fingerprint': 'EB693B3035CD5710E231E123A4B469963BF863CC'},
    'debian13': {'file': '8793F200.pub', 'fingerprint': '02182E60104FCDC26EAE1B8597A5D4CB8793F200'},
    'wsl-ubuntu': {'file': '3bf863cc.pub', 'fingerprint': 'EB693B3035CD5710E231E123A4B469963BF863CC'},
}

NVIDIA_KEYS_CONFIRMED: Any = [
    'debian12',
    'debian13',
    'ubuntu2204',
    'ubuntu2404',
    'wsl-ubuntu',
]

NVIDIA_TOOLKITS: Any = {
    'ubuntu2204': ('11.7', '11.8', '12.0', '12.1', '12.2', '12.3', '12.4', '12.5', '12.6', '12.8', '12.9', '13.0', '13.1', '13.2', '13.3', '13.4'),
    'ubuntu2404': ('12.5', '12.6', '12.8', '12.9', '13.0', '13.1', '13.2', '13.3', '13.4'),
    'ubuntu2604': ('13.3',),
    'debian12': ('12.4', '12.5', '12.6', '12.8', '12.9', '13.0', '13.1', '13.2', '13.3', '13.4'),
    'debian13': ('13.0', '13.1', '13.2', '13.3', '13.4'),
    'wsl-ubuntu': ('11.7', '11.8', '12.0', '12.1', '12.2', '12.3', '12.4', '12.5', '12.6', '12.8', '12.9', '13.0', '13.1', '13.2', '13.3', '13.4'),
}

NVIDIA_ARCHITECTURES: Any = {
    'ubuntu2204': ('x86_64', 'sbsa'),
    'ubuntu2404': ('x86_64', 'sbsa'),
    'ubuntu2604': ('x86_64',),
    'debian12': ('x86_64',),
    'debian13': ('x86_64',),
    'wsl-ubuntu': ('x86_64',),
}

NVIDIA_TOOLKITS_UNKNOWN: Any = []

DISTRO_TOOLKITS: Any = {
    'ubuntu-22.04': (('11.5', '11.5.1', ('nvidia-cuda-toolkit',)),),
    'ubuntu-24.04': (('12.0', '12.0.140', ('nvidia-cuda-toolkit',)),),
    'ubuntu-26.04': (('12.4', '12.4.131', ('nvidia-cuda-toolkit',)), ('13.1', '13.1.1', ('cuda-toolkit-13-1',))),
    'debian-12': (('11.8', '11.8.89', ('nvidia-cuda-toolkit',)),),
    'debian-13': (('12.4', '12.4.131', ('nvidia-cuda-toolkit',)),),
}

DISTRO_CUDNN: Any = {
    ('ubuntu-26.04', 12): ('9.0.0.312', ('nvidia-cudnn',)),
    ('debian-12', 11): ('8.5.0.96', ('nvidia-cudnn',)),
    ('debian-13', 12): ('9.0.0.312', ('nvidia-cudnn',)),
}

BUILDS: Any = {
    'pytorch': [
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cu132', 'cuda': '13.2', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0',), 'architectures': ('x86_64',), 'cudnn': '9.26.0.51', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': ('torchvision==0.29.2',), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1',), 'architectures': ('x86_64',), 'cudnn': '9.24.0.43', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': ('torchvision==0.29.2',), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.13.0', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.13.0',), 'architectures': ('x86_64',), 'cudnn': '9.20.0.48', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.12.1', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.12.1',), 'architectures': ('x86_64',), 'cudnn': '9.20.0.48', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.11.0', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.11.0',), 'architectures': ('x86_64',), 'cudnn': '9.19.0.56', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.10.0', 'build': 'cu128', 'cuda': '12.8', 'cc': (70, 75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.10.0',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': ('torchvision==0.25.0',), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.9.1', 'build': 'cu128', 'cuda': '12.8', 'cc': (70, 75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.9.1',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.8.0', 'build': 'cu128', 'cuda': '12.8', 'cc': (70, 75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.8.0',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1',), 'architectures': ('x86_64',), 'cudnn': '9.5.1.17', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': ('torchvision==0.22.1',), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.6.0', 'build': 'cu124', 'cuda': '12.4', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.6.0',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.5.1', 'build': 'cu124', 'cuda': '12.4', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.5.1',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.4.1', 'build': 'cu121', 'cuda': '12.1', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.4.1',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.3.1', 'build': 'cu121', 'cuda': '12.1', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.3.1',), 'architectures': ('x86_64',), 'cudnn': '8.9.2.26', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.2.2', 'build': 'cu121', 'cuda': '12.1', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.2.2',), 'architectures': ('x86_64',), 'cudnn': '8.9.2.26', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.1.2', 'build': 'cu121', 'cuda': '12.1', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 11), 'requirements': ('torch==2.1.2',), 'architectures': ('x86_64',), 'cudnn': '8.9.2.26', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.0.1', 'build': 'cu117', 'cuda': '11.7', 'cc': (37, 50, 60, 70, 75, 80, 86), 'ptx': 0, 'pythons': (8, 11), 'requirements': ('torch==2.0.1',), 'architectures': ('x86_64',), 'cudnn': '8.5.0.96', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, WHEEL'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.13.0', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.13.0+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.12.1', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.12.1+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.11.0', 'build': 'cu128', 'cuda': '12.8', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.11.0+cu128',), 'architectures': ('x86_64',), 'cudnn': '9.17.1.4', 'index_url': 'https://download.pytorch.org/whl/cu128', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.11.0', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.11.0+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.10.0', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.10.0+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.9.1', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.9.1+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.8.0', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.8.0+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL; 2.14.1 is the last release with cu126 [S]'},
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': 'PyPI has no CPU-only wheel for x86_64: the CUDA build is installed and computes on the CPU', 'source': 'PYPI'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': 'PyPI has no CPU-only wheel for x86_64: the CUDA build is installed and computes on the CPU', 'source': 'PYPI'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': 'PyPI has no CPU-only wheel for x86_64: the CUDA build is installed and computes on the CPU', 'source': 'PYPI'},
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cu132', 'cuda': '13.2', 'cc': (80, 90, 100, 110, 120), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0',), 'architectures': ('aarch64',), 'cudnn': '9.26.0.51', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': ('torchvision==0.29.2',), 'conda': (), 'note': '', 'source': 'PYPI (the aarch64 wheel asks for CUDA from 2.11 on), WHEEL'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cu130', 'cuda': '13.0', 'cc': (80, 90, 100, 110, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1',), 'architectures': ('aarch64',), 'cudnn': '9.24.0.43', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': ('torchvision==0.29.2',), 'conda': (), 'note': '', 'source': 'PYPI (the aarch64 wheel asks for CUDA from 2.11 on), WHEEL'},
        {'framework': 'pytorch', 'version': '2.13.0', 'build': 'cu130', 'cuda': '13.0', 'cc': (80, 90, 100, 110, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.13.0',), 'architectures': ('aarch64',), 'cudnn': '9.20.0.48', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI (the aarch64 wheel asks for CUDA from 2.11 on), WHEEL'},
        {'framework': 'pytorch', 'version': '2.12.1', 'build': 'cu130', 'cuda': '13.0', 'cc': (80, 90, 100, 110, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.12.1',), 'architectures': ('aarch64',), 'cudnn': '9.20.0.48', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI (the aarch64 wheel asks for CUDA from 2.11 on), WHEEL'},
        {'framework': 'pytorch', 'version': '2.11.0', 'build': 'cu130', 'cuda': '13.0', 'cc': (80, 90, 100, 110, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.11.0',), 'architectures': ('aarch64',), 'cudnn': '9.19.0.56', 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI (the aarch64 wheel asks for CUDA from 2.11 on), WHEEL'},
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0+cpu',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.15.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (11, 15), 'requirements': ('torch==2.15.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': "PyPI's wheel for aarch64 is the CUDA build: it computes on the CPU", 'source': 'PYPI'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1+cpu',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.14.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.14.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': "PyPI's wheel for aarch64 is the CUDA build: it computes on the CPU", 'source': 'PYPI'},
        {'framework': 'pytorch', 'version': '2.10.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.10.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.9.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.9.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.8.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.8.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.6.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.6.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.5.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('torch==2.5.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.4.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.4.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: up to 2.10 the aarch64 wheel is for the CPU'},
        {'framework': 'pytorch', 'version': '2.10.0', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.10.0+cu130',), 'architectures': ('x86_64',), 'cudnn': '9.15.1.9', 'index_url': 'https://download.pytorch.org/whl/cu130', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.9.1', 'build': 'cu130', 'cuda': '13.0', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.9.1+cu130',), 'architectures': ('x86_64',), 'cudnn': '9.13.0.50', 'index_url': 'https://download.pytorch.org/whl/cu130', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.8.0', 'build': 'cu129', 'cuda': '12.9', 'cc': (70, 75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.8.0+cu129',), 'architectures': ('x86_64',), 'cudnn': '9.10.2.21', 'index_url': 'https://download.pytorch.org/whl/cu129', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cu128', 'cuda': '12.8', 'cc': (75, 80, 86, 90, 100, 120), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1+cu128',), 'architectures': ('x86_64',), 'cudnn': '9.7.1.26', 'index_url': 'https://download.pytorch.org/whl/cu128', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm lists of 2.7.0 [S]'},
        {'framework': 'pytorch', 'version': '2.7.1', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.7.1+cu118',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.6.0', 'build': 'cu126', 'cuda': '12.6', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.6.0+cu126',), 'architectures': ('x86_64',), 'cudnn': '9.5.1.17', 'index_url': 'https://download.pytorch.org/whl/cu126', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.6.0', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.6.0+cu118',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.5.1', 'build': 'cu121', 'cuda': '12.1', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.5.1+cu121',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu121', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.5.1', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.5.1+cu118',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.4.1', 'build': 'cu124', 'cuda': '12.4', 'cc': (50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.4.1+cu124',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu124', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S])'},
        {'framework': 'pytorch', 'version': '2.4.1', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.4.1+cu118',), 'architectures': ('x86_64',), 'cudnn': '9.1.0.70', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.3.1', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.3.1+cu118',), 'architectures': ('x86_64',), 'cudnn': '8.7.0.84', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.2.2', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.2.2+cu118',), 'architectures': ('x86_64',), 'cudnn': '8.7.0.84', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.1.2', 'build': 'cu118', 'cuda': '11.8', 'cc': (37, 50, 60, 70, 75, 80, 86, 90), 'ptx': 0, 'pythons': (8, 11), 'requirements': ('torch==2.1.2+cu118',), 'architectures': ('x86_64',), 'cudnn': '8.7.0.84', 'index_url': 'https://download.pytorch.org/whl/cu118', 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL (contents of the index [S]); code: sm_37 in the builds for CUDA 11.8 [S]'},
        {'framework': 'pytorch', 'version': '2.10.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.10.0+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.9.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 14), 'requirements': ('torch==2.9.1+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.8.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.8.0+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.6.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.6.0+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.5.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('torch==2.5.1+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
        {'framework': 'pytorch', 'version': '2.4.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (8, 12), 'requirements': ('torch==2.4.1+cpu',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': 'https://download.pytorch.org/whl/cpu', 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PTREL [S]'},
    ],
    'tensorflow': [
        {'framework': 'tensorflow', 'version': '2.21.0', 'build': 'cu125', 'cuda': '12.5', 'cc': (60, 70, 80, 89), 'ptx': 90, 'pythons': (10, 13), 'requirements': ('tensorflow[and-cuda]==2.21.0',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': ('nvidia-cudnn-cu12==9.10.2.21',), 'drifts': True, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.20.0', 'build': 'cu125', 'cuda': '12.5', 'cc': (60, 70, 80, 89), 'ptx': 90, 'pythons': (9, 13), 'requirements': ('tensorflow[and-cuda]==2.20.0',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': ('nvidia-cudnn-cu12==9.10.2.21',), 'drifts': True, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.19.1', 'build': 'cu125', 'cuda': '12.5', 'cc': (60, 70, 80, 89), 'ptx': 90, 'pythons': (9, 12), 'requirements': ('tensorflow[and-cuda]==2.19.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.18.1', 'build': 'cu125', 'cuda': '12.5', 'cc': (60, 70, 80, 89), 'ptx': 90, 'pythons': (9, 12), 'requirements': ('tensorflow[and-cuda]==2.18.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.17.1', 'build': 'cu123', 'cuda': '12.3', 'cc': (60, 70, 80, 89), 'ptx': 90, 'pythons': (9, 12), 'requirements': ('tensorflow[and-cuda]==2.17.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.16.2', 'build': 'cu123', 'cuda': '12.3', 'cc': (50, 60, 70, 80), 'ptx': 90, 'pythons': (9, 12), 'requirements': ('tensorflow[and-cuda]==2.16.2',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.15.1', 'build': 'cu122', 'cuda': '12.2', 'cc': (50, 60, 70, 75), 'ptx': 80, 'pythons': (9, 11), 'requirements': ('tensorflow[and-cuda]==2.15.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.14.1', 'build': 'cu118', 'cuda': '11.8', 'cc': (35, 50, 60, 70, 75), 'ptx': 80, 'pythons': (9, 11), 'requirements': ('tensorflow==2.14.1', 'nvidia-cublas-cu11==11.11.3.6', 'nvidia-cuda-cupti-cu11==11.8.87', 'nvidia-cuda-nvcc-cu11==11.8.89', 'nvidia-cuda-runtime-cu11==11.8.89', 'nvidia-cudnn-cu11==8.7.0.84', 'nvidia-cufft-cu11==10.9.0.58', 'nvidia-curand-cu11==10.3.0.86', 'nvidia-cusolver-cu11==11.4.1.48', 'nvidia-cusparse-cu11==11.7.5.86', 'nvidia-nccl-cu11==2.16.5'), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 450, 'companions': (), 'conda': (), 'note': '', 'source': 'WHEEL build_info, PYPI'},
        {'framework': 'tensorflow', 'version': '2.19.1', 'build': 'conda-forge', 'cuda': '12.8', 'cc': (60, 70, 75, 80, 86, 89, 90, 100, 120), 'ptx': 120, 'pythons': (10, 12), 'requirements': (), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': True, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 525, 'companions': (), 'conda': ('tensorflow-gpu=2.19.1', 'cuda-version>=12.8,<13'), 'note': 'conda-forge build for CUDA 12.8; also built for CPUs without AVX (microarch level 1)', 'source': 'tensorflow-feedstock recipe, 2026-01-30'},
        {'framework': 'tensorflow', 'version': '2.21.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 13), 'requirements': ('tensorflow-cpu==2.21.0',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI'},
        {'framework': 'tensorflow', 'version': '2.20.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('tensorflow-cpu==2.20.0',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI'},
        {'framework': 'tensorflow', 'version': '2.19.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow-cpu==2.19.1',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI'},
        {'framework': 'tensorflow', 'version': '2.16.2', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow-cpu==2.16.2',), 'architectures': ('x86_64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI'},
        {'framework': 'tensorflow', 'version': '2.21.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 13), 'requirements': ('tensorflow==2.21.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
        {'framework': 'tensorflow', 'version': '2.20.0', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 13), 'requirements': ('tensorflow==2.20.0',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
        {'framework': 'tensorflow', 'version': '2.19.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow==2.19.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
        {'framework': 'tensorflow', 'version': '2.18.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow==2.18.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
        {'framework': 'tensorflow', 'version': '2.17.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow==2.17.1',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
        {'framework': 'tensorflow', 'version': '2.16.2', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (9, 12), 'requirements': ('tensorflow==2.16.2',), 'architectures': ('aarch64',), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': False, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI: no tensorflow-cpu and no GPU build for aarch64'},
    ],
    'jax': [
        {'framework': 'jax', 'version': '0.12.0.1', 'build': 'cuda13', 'cuda': '13.0', 'cc': (75, 80, 90, 100, 110, 120), 'ptx': 120, 'pythons': (12, 15), 'requirements': ('jax[cuda13]==0.12.0.1',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (7, 5), 'min_branch': 580, 'companions': (), 'conda': (), 'note': '', 'source': 'JAXDOC, WHEEL, PYPI'},
        {'framework': 'jax', 'version': '0.12.0.1', 'build': 'cuda12', 'cuda': '12.8', 'cc': (50, 60, 70, 80, 90, 100, 101, 120), 'ptx': 120, 'pythons': (12, 15), 'requirements': ('jax[cuda12]==0.12.0.1',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': ('nvidia-cudnn-cu12==9.10.2.21',), 'drifts': True, 'by_pin': False, 'needs_avx': True, 'min_cc': (5, 2), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'JAXDOC (cc >= 5.2, driver >= 525); WHEEL of 0.12.0.1'},
        {'framework': 'jax', 'version': '0.10.2', 'build': 'cuda12', 'cuda': '12.8', 'cc': (50, 60, 70, 80, 90, 100, 101, 120), 'ptx': 120, 'pythons': (11, 14), 'requirements': ('jax[cuda12]==0.10.2',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': ('nvidia-cudnn-cu12==9.10.2.21',), 'drifts': True, 'by_pin': False, 'needs_avx': True, 'min_cc': (5, 2), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'JAXDOC (cc >= 5.2, driver >= 525); WHEEL of 0.12.0.1'},
        {'framework': 'jax', 'version': '0.6.2', 'build': 'cuda12', 'cuda': '12.8', 'cc': (50, 60, 70, 80, 90, 100, 101, 120), 'ptx': 120, 'pythons': (10, 13), 'requirements': ('jax[cuda12]==0.6.2',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': ('nvidia-cudnn-cu12==9.10.2.21',), 'drifts': True, 'by_pin': False, 'needs_avx': True, 'min_cc': (5, 2), 'min_branch': 525, 'companions': (), 'conda': (), 'note': '', 'source': 'JAXDOC (cc >= 5.2, driver >= 525); WHEEL of 0.12.0.1'},
        {'framework': 'jax', 'version': '0.12.0.1', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (12, 15), 'requirements': ('jax==0.12.0.1',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, JAXDOC'},
        {'framework': 'jax', 'version': '0.10.2', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (11, 14), 'requirements': ('jax==0.10.2',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, JAXDOC'},
        {'framework': 'jax', 'version': '0.6.2', 'build': 'cpu', 'cuda': None, 'cc': (), 'ptx': 0, 'pythons': (10, 13), 'requirements': ('jax==0.6.2',), 'architectures': ('x86_64', 'aarch64'), 'cudnn': None, 'index_url': None, 'pre_turing': (), 'drifts': False, 'by_pin': False, 'needs_avx': True, 'min_cc': (0, 0), 'min_branch': 0, 'companions': (), 'conda': (), 'note': '', 'source': 'PYPI, JAXDOC'},
    ],
}

KERAS_VERSION: Any = '3.15.1'

KERAS_FOR_TENSORFLOW: Any = {
    '2.16': '3.0.0',
    '2.17': '3.2.0',
    '2.18': '3.5.0',
    '2.19': '3.5.0',
    '2.20': '3.10.0',
    '2.21': '3.12.0',
}

KERAS_OLDER: Any = [
    ('3.12.4', (10,)),
    ('3.10.0', (9,)),
]

KERAS_PYTHONS: Any = (11, 14)

KERAS_FIRST_TENSORFLOW: Any = '2.16'

KERAS_RANGE: Any = ((3, 0), (3, 15))

PYTHONS: Any = (12, 13, 11, 14, 10)

SIZES: Any = {
    ('base', 'any'): (120, 500),
    ('jupyter', 'any'): (100, 370),
    ('datascience', 'any'): (275, 870),
    ('pytorch', 'gpu'): (3130, 5910),
    ('pytorch', 'cpu'): (330, 1300),
    ('tensorflow', 'gpu'): (3540, 6870),
    ('tensorflow', 'cpu'): (430, 1840),
    ('jax', 'gpu'): (2740, 4940),
    ('jax', 'cpu'): (240, 900),
    ('pytensor', 'any'): (205, 700),
    ('theano-legacy', 'any'): (205, 700),
}
