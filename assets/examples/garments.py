"""A T-shirt and an ankle boot as shops photograph them: a light thing on black, in greys."""

from __future__ import annotations

import numpy as np
from brush import X, Y, blur, fill, light, line, mirrored, noise, smooth, spot

SUN = (-0.45, -0.6, 0.9)


def t_shirt() -> np.ndarray:
    """Short sleeves, a round neck, soft folds: (CANVAS, CANVAS), 0 to 1."""
    rng = np.random.default_rng(2)
    # shoulder and sleeve, then the side: corners where the pieces meet
    sleeve = smooth(
        [(0.17, -0.90), (0.36, -0.845), (0.52, -0.73), (0.66, -0.45), (0.77, -0.15)], closed=False
    )
    side = smooth([(0.45, -0.30), (0.44, 0.2), (0.45, 0.6), (0.46, 0.93)], closed=False)
    hem = [(0.2, 0.948), (0.0, 0.953)]
    body = fill(mirrored([(0, -0.84), *sleeve, (0.565, -0.05), *side, *hem]), 0.006)
    neck = fill(
        smooth(mirrored([(0, -0.98), (0.155, -0.95), (0.17, -0.86), (0.11, -0.755), (0, -0.715)])), 0.005
    )
    height = 0.16 * blur(body, 0.05) + 0.24 * blur(body, 0.16)
    for x, y, rx, ry, angle, depth in [
        (0.16, 0.35, 0.025, 0.42, 6, 0.018), (-0.20, 0.45, 0.03, 0.40, -7, 0.020), (0.32, 0.1, 0.022, 0.30, 12, 0.016),
        (-0.34, 0.05, 0.022, 0.28, -14, 0.016), (0.02, 0.65, 0.03, 0.25, 2, 0.012), (0.29, -0.40, 0.022, 0.16, 34, 0.010),
        (-0.29, -0.40, 0.022, 0.16, -34, 0.010), (0.0, -0.5, 0.2, 0.09, 0, 0.008),
    ]:  # fmt: skip
        height += depth * spot(x, y, rx, ry, angle)
    height += 0.0035 * noise(rng, 0.05)
    cloth = 0.30 + 0.58 * light(height, SUN, 1.4)
    cloth *= 1 + 0.015 * noise(rng, 0.004)
    for side in (1, -1):  # where the sleeve is sewn on, and the hems
        seam = line(
            smooth([(side * 0.45, -0.80), (side * 0.415, -0.55), (side * 0.45, -0.25)], closed=False),
            0.02,
            0.006,
        )
        cloth *= 1 - 0.25 * seam
        hem = line([(side * (0.73 - 0.2 * t), -0.19 + 0.09 * t) for t in np.linspace(0, 1, 40)], 0.012, 0.004)
        cloth *= 1 - 0.18 * hem
    cloth *= 1 - 0.16 * line(
        [(x, 0.885 + 0.02 * (1 - (x / 0.45) ** 2)) for x in np.linspace(-0.45, 0.45, 80)], 0.012, 0.004
    )
    collar = np.clip(blur(neck, 0.022) * 2.2, 0, 1) * (1 - neck)
    cloth = cloth * (1 - 0.28 * collar) + 0.10 * collar
    cloth *= 1 - neck
    inside = fill(
        smooth(mirrored([(0, -0.865), (0.12, -0.885), (0.165, -0.89), (0.11, -0.80), (0, -0.765)])), 0.006
    )
    back = 0.36 * neck * inside
    return np.clip(cloth * body + back, 0, 1)


def ankle_boot() -> np.ndarray:
    """Seen from the side, its toe to the left, with a sole, a heel and laces: (CANVAS, CANVAS), 0 to 1."""
    rng = np.random.default_rng(4)
    upper = fill(
        smooth(
            [(0.16, -0.62), (0.50, -0.66), (0.82, -0.60), (0.84, -0.30), (0.80, 0.0), (0.86, 0.26), (0.84, 0.42),
             (0.2, 0.46), (-0.45, 0.45), (-0.90, 0.44), (-0.945, 0.30), (-0.86, 0.14), (-0.60, 0.04), (-0.28, -0.04),
             (-0.04, -0.20), (0.08, -0.42)]
        ),
        0.007,
    )  # fmt: skip
    sole = fill(
        [(-0.95, 0.40), (-0.97, 0.47), (-0.93, 0.53), (-0.4, 0.545), (0.22, 0.53), (0.36, 0.50), (0.38, 0.68),
         (0.86, 0.68), (0.88, 0.42), (0.3, 0.42), (-0.4, 0.42)], 0.006,
    )  # fmt: skip
    height = 0.20 * blur(upper, 0.05) + 0.34 * blur(upper, 0.17)
    height += 0.03 * spot(-0.62, 0.22, 0.16, 0.10, -14) - 0.02 * spot(-0.30, 0.10, 0.03, 0.16, 30)
    height -= 0.018 * spot(0.36, 0.06, 0.02, 0.16, -50) + 0.016 * spot(0.55, 0.02, 0.02, 0.18, -62)
    height += 0.003 * noise(rng, 0.04)
    leather = 0.26 + 0.56 * light(height, SUN, 1.35) + 0.22 * light(height, (-0.2, -0.9, 1.0), 1.35) ** 18
    leather *= 1 + 0.02 * noise(rng, 0.006)
    seams = [
        [(-0.52, 0.03), (-0.40, 0.16), (-0.36, 0.30), (-0.38, 0.44)],  # toe cap
        [(0.62, -0.64), (0.60, -0.2), (0.56, 0.1), (0.52, 0.44)],  # heel counter
        [(-0.02, -0.16), (0.12, 0.02), (0.16, 0.22), (0.14, 0.44)],
        [(0.20, -0.54), (0.50, -0.57), (0.80, -0.52)],  # collar
    ]
    for points in seams:
        path = smooth(points, closed=False)
        leather *= 1 - 0.42 * line(path, 0.022, 0.005)
        leather *= 1 + 0.14 * line(path + (-0.018, -0.006), 0.014, 0.005)
    picture = leather * upper
    opening = fill(smooth([(0.20, -0.63), (0.50, -0.655), (0.80, -0.605), (0.52, -0.585)]), 0.008)
    picture *= 1 - 0.75 * opening
    for t in np.linspace(0.05, 0.95, 6):  # laces up the front
        x, y = -0.24 + 0.38 * t, -0.02 - 0.48 * t**1.25
        path = [(x + 0.22 * u, y + 0.05 * u + 0.02 * np.sin(3 * u)) for u in np.linspace(0, 1, 30)]
        lace = line(path, 0.040, 0.005) * upper
        picture = picture * (1 - 0.6 * np.pad(lace, ((7, 0), (0, 0)))[:-7] * (1 - lace))
        picture = picture + (0.93 - picture) * lace
    tread = 0.34 + 0.10 * np.clip((0.56 - Y) / 0.14, 0, 1) - 0.08 * (np.mod(X * 18, 1) < 0.25) * (Y > 0.5)
    picture = picture * (1 - sole) + tread * sole
    welt = line([(x, 0.435) for x in np.linspace(-0.95, 0.87, 120)], 0.03, 0.004)
    return np.clip(picture + (0.62 - picture) * 0.7 * welt * (sole > 0.5), 0, 1)


def waves() -> np.ndarray:
    """An abstract picture, colours carried along by a smooth invertible warp of the plane: (CANVAS, CANVAS,
    3)."""
    x, y = X.copy(), Y.copy()
    for frequency, shift, amount in [(1.6, 0.3, 0.42), (2.3, 1.9, 0.30), (3.4, 4.0, 0.20), (5.1, 0.8, 0.11)]:
        # additive couplings: each coordinate in turn moves by a function of the other one
        x = x + amount * np.sin(frequency * y + shift)
        y = y + amount * np.sin(frequency * x + 1.7 * shift)
    stops = np.array([(20, 28, 66), (44, 82, 152), (86, 180, 233), (240, 228, 200), (230, 159, 0), (204, 82, 60),
                      (92, 32, 84), (20, 28, 66)]) / 255  # fmt: skip
    phase = np.mod(0.42 * y + 0.18 * x + 0.5, 1.0) * (len(stops) - 1)
    picture = np.stack([np.interp(phase, np.arange(len(stops)), stops[:, c]) for c in range(3)], axis=-1)
    relief = light(0.10 * np.sin(5 * y + 2 * x), SUN, 1.0)
    return np.clip(picture * (0.45 + 0.65 * relief)[..., None], 0, 1)
