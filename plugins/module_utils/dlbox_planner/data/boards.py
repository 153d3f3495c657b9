"""Memory and power of well-known boards, for advice only.

Vendor's reference values, from general knowledge [M]; a partner's card may differ. Never a reason to
refuse. Key: name in lower case without NVIDIA, GeForce, Tesla, Quadro. Value: (memory in GiB, W).
"""

from __future__ import annotations

BOARDS: dict[str, tuple[int, int]] = {
    "gtx 750": (1, 55), "gtx 750 ti": (2, 60), "gtx 950": (2, 90), "gtx 960": (2, 120), "gtx 970": (4, 145),
    "gtx 980": (4, 165), "gtx 980 ti": (6, 250), "gtx titan x": (12, 250), "m40": (12, 250), "m60": (16, 300),
    "k80": (24, 300), "k40m": (12, 235), "gtx 780": (3, 250), "gtx 780 ti": (3, 250), "gtx titan": (6, 250),
    "gtx 680": (2, 195), "gtx 770": (2, 230), "gtx 480": (1, 250), "gtx 580": (1, 244),
    "gt 1030": (2, 30), "gtx 1050": (2, 75), "gtx 1050 ti": (4, 75), "gtx 1060 3gb": (3, 120),
    "gtx 1060 6gb": (6, 120), "gtx 1070": (8, 150), "gtx 1070 ti": (8, 180), "gtx 1080": (8, 180),
    "gtx 1080 ti": (11, 250), "titan x pascal": (12, 250), "titan xp": (12, 250), "p4": (8, 75), "p40": (24, 250),
    "p100 pcie 16gb": (16, 250), "p100 pcie 12gb": (12, 250), "p100 sxm2 16gb": (16, 300),
    "titan v": (12, 250), "v100 pcie 16gb": (16, 250), "v100 pcie 32gb": (32, 250), "v100 sxm2 32gb": (32, 300),
    "gtx 1650": (4, 75), "gtx 1650 super": (4, 100), "gtx 1660": (6, 120), "gtx 1660 super": (6, 125),
    "gtx 1660 ti": (6, 120), "rtx 2060": (6, 160), "rtx 2060 12gb": (12, 185), "rtx 2060 super": (8, 175),
    "rtx 2070": (8, 175), "rtx 2070 super": (8, 215), "rtx 2080": (8, 215), "rtx 2080 super": (8, 250),
    "rtx 2080 ti": (11, 250), "titan rtx": (24, 280), "t4": (16, 70), "rtx 4000": (8, 160),
    "rtx 5000": (16, 265), "rtx 6000": (24, 295),
    "rtx 3050": (8, 130), "rtx 3060": (12, 170), "rtx 3060 ti": (8, 200), "rtx 3070": (8, 220),
    "rtx 3070 ti": (8, 290), "rtx 3080": (10, 320), "rtx 3080 12gb": (12, 350), "rtx 3080 ti": (12, 350),
    "rtx 3090": (24, 350), "rtx 3090 ti": (24, 450), "a10": (24, 150),
    "a30 pcie": (24, 165), "a40": (48, 300), "a100 pcie 40gb": (40, 250), "a100 pcie 80gb": (80, 300),
    "a100 sxm4 40gb": (40, 400), "a100 sxm4 80gb": (80, 400), "rtx a2000": (6, 70), "rtx a2000 12gb": (12, 70),
    "rtx a4000": (16, 140), "rtx a4500": (20, 200), "rtx a5000": (24, 230), "rtx a5500": (24, 230),
    "rtx a6000": (48, 300),
    "rtx 4060": (8, 115), "rtx 4060 ti": (8, 160), "rtx 4060 ti 16gb": (16, 165), "rtx 4070": (12, 200),
    "rtx 4070 super": (12, 220), "rtx 4070 ti": (12, 285), "rtx 4070 ti super": (16, 285), "rtx 4080": (16, 320),
    "rtx 4080 super": (16, 320), "rtx 4090": (24, 450), "rtx 4090 d": (24, 425), "l4": (24, 72), "l40": (48, 300),
    "l40s": (48, 350), "rtx 4000 ada generation": (20, 130),
    "rtx 5000 ada generation": (32, 250), "rtx 6000 ada generation": (48, 300),
    "h100 pcie": (80, 350), "h100 sxm5 80gb": (80, 700), "h200 sxm 141gb": (141, 700),
    "h200 nvl": (141, 600),
    "rtx 5050": (8, 130), "rtx 5060": (8, 145), "rtx 5060 ti": (16, 180), "rtx 5070": (12, 250),
    "rtx 5070 ti": (16, 300), "rtx 5080": (16, 360), "rtx 5090": (32, 575), "rtx 5090 d": (32, 575),
    "rtx pro 4000 blackwell": (24, 140), "rtx pro 6000 blackwell workstation edition": (96, 600),
    "rtx pro 6000 blackwell max q workstation edition": (96, 300),
    "rtx pro 6000 blackwell server edition": (96, 600), "b200": (180, 1000),
}
