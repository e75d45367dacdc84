"""Pillow: JPEG bytes to CLIP's 224 x 224 input pixels, as open_clip does it. open: jpeg (a file), side.

Result: the RGB bytes after resizing the short side (bicubic) and cropping the middle.
"""
import io

import PIL
from PIL import Image, features
from protocol import serve


class Square:
    def __init__(self, jpeg, side):
        with open(jpeg, "rb") as f:
            self.data = f.read()
        self.side = side
        self.version = f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}"

    def run(self):
        side = self.side
        image = Image.open(io.BytesIO(self.data)).convert("RGB")
        w, h = image.size
        w, h = (side, side * h // w) if w <= h else (side * w // h, side)
        image = image.resize((w, h), Image.Resampling.BICUBIC)
        left, top = int(round((w - side) / 2.0)), int(round((h - side) / 2.0))
        return image.crop((left, top, left + side, top + side)).tobytes()

    def write(self, result, path):
        with open(path, "wb") as f:
            f.write(result)


serve(Square)
