#!/usr/bin/env python3
"""Makes the pictures here: one scene of soft colours, 24 wide and 16 high, in the kinds of files that there are.

make_images.py DIRECTORY; needs Pillow and NumPy, in the versions of ../requirements.txt or later.
"""

import os
import sys

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 24, 16


def scene():
    """Gradients and one bright spot, uint8 [HEIGHT, WIDTH, 3]."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    spot = 120 * np.exp(-((x - 16) ** 2 + (y - 5) ** 2) / 12)
    channels = [40 + 8 * x, 200 - 9 * y, 60 + 3 * x + 4 * y]
    return np.stack([np.clip(c + spot * w, 0, 255) for c, w in zip(channels, (1, 0.6, 0.2))], -1).astype(np.uint8)


def main(directory):
    def path(name):
        return os.path.join(directory, name)

    pixels = scene()
    digits = np.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "digits", "test_images.npy"))
    # The first test picture, its codes as the grey that they stand for.
    Image.fromarray((digits[0, :, :, 0].astype(np.int16) + 128).astype(np.uint8)).save(path("digit.png"))
    picture = Image.fromarray(pixels)
    np.save(path("rgb.npy"), pixels)
    picture.save(path("rgb.png"))
    picture.convert("L").save(path("grey.png"))
    np.save(path("grey.npy"), np.asarray(picture.convert("L")))
    picture.quantize(16).save(path("palette.png"))
    picture.putalpha(255)
    picture.save(path("alpha.png"))
    picture = Image.fromarray(pixels)
    picture.save(path("rgb.jpg"), quality=95, subsampling=0)
    picture.save(path("progressive.jpg"), quality=95, subsampling=0, progressive=True)
    picture.convert("L").save(path("grey.jpg"), quality=95)
    picture.convert("CMYK").save(path("cmyk.jpg"), quality=90)


main(sys.argv[1])
