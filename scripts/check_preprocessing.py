#!/usr/bin/env python3
"""Compares the program's preprocessing of pictures with Pillow's and torchvision's.

    check_preprocessing.py AQUASIM     compare; needs Pillow and NumPy
    check_preprocessing.py --golden    write the pictures and references that crates/dataset's tests read

Pillow opens a picture, converts it, resizes and crops it as torchvision's Resize, CenterCrop and pad do; the result is
saved as a PNG of the network's size. `aquasim infer` must give the file that Pillow began with exactly the scores that
it gives that PNG. References in the repository must be what the Pillow at hand makes.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

GOLDEN = Path(__file__).parent.parent / "crates/dataset/tests/data/pillow"
NETWORK = """
name = "check"
input = {{ height = {height}, width = {width}, channels = {channels} }}
[preprocessing]
{preprocessing}
[[layers]]
name = "fc"
kind = "fully_connected"
channels = {outputs}
"""


def photograph(rng, height, width, channels):
    """Waves and noise: smooth as JPEG likes it, and different at every pixel."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / rng.uniform(4, 15) + y / rng.uniform(4, 15)) for _ in range(channels)]
    picture = 128 + 100 * np.stack(waves, -1) + rng.normal(0, 5, (height, width, channels))
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_png16(path, samples, colour_type):
    """A PNG of 16 bits a sample, which Pillow cannot write in colour or with alpha."""
    import struct
    import zlib

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_pictures(folder, rng, height, width):
    """A picture of each kind that PNG and JPEG have."""
    colour, grey = photograph(rng, height, width, 3), photograph(rng, height, width, 1)
    alpha = rng.integers(0, 256, (height, width, 1), dtype=np.uint8)
    fine = lambda picture: picture.astype(np.uint16) * 256 + rng.integers(0, 256, picture.shape, dtype=np.uint16)
    image = Image.fromarray(colour)
    image.save(folder / "rgb.png")
    Image.fromarray(grey[..., 0]).save(folder / "grey.png")
    Image.fromarray(np.concatenate([colour, alpha], -1)).save(folder / "rgba.png")
    Image.fromarray(np.concatenate([grey, alpha], -1)).save(folder / "grey_alpha.png")
    image.quantize(32).save(folder / "palette.png")
    image.quantize(16).save(folder / "palette_transparent.png", transparency=3)
    Image.fromarray(grey[..., 0] > 128).save(folder / "one_bit.png")
    # Grey of 16 bits that Pillow clips at 255: most of it is above.
    write_png16(folder / "grey16.png", (fine(grey)[..., 0] // 100), 0)
    write_png16(folder / "rgb16.png", fine(colour), 2)
    write_png16(folder / "grey_alpha16.png", fine(np.concatenate([grey, alpha], -1)), 4)
    write_png16(folder / "rgba16.png", fine(np.concatenate([colour, alpha], -1)), 6)
    image.save(folder / "rgb.jpg", quality=90)
    image.save(folder / "rgb444.jpg", quality=90, subsampling=0)
    image.save(folder / "progressive.jpg", quality=90, progressive=True)
    exif = image.getexif()
    exif[0x0112] = 6  # A quarter turn, which torchvision does not make.
    image.save(folder / "turned.jpg", quality=90, exif=exif)
    Image.fromarray(grey[..., 0]).save(folder / "grey.jpg", quality=90)
    black = 255 - colour.max(-1, keepdims=True) // 2
    Image.fromarray(np.concatenate([colour, black], -1), "CMYK").save(folder / "cmyk.jpg", quality=90)


def preprocessed(path, mode, resize, crop):
    """As torchvision.transforms.functional has it for Pillow images: resize, center_crop."""
    image = Image.open(path).convert(mode)
    if resize:
        width, height = image.size
        short, long = min(width, height), max(width, height)
        longer = int(resize * long / short)
        image = image.resize((resize, longer) if width <= height else (longer, resize), Image.BILINEAR)
    if crop:
        width, height = image.size
        crop_height, crop_width = crop
        if crop_width > width or crop_height > height:
            wide, high = max(crop_width - width, 0), max(crop_height - height, 0)
            image = ImageOps.expand(image, (wide // 2, high // 2, (wide + 1) // 2, (high + 1) // 2), fill=0)
            width, height = image.size
        top, left = int(round((height - crop_height) / 2.0)), int(round((width - crop_width) / 2.0))
        image = image.crop((left, top, left + crop_width, top + crop_height))
    return image


def golden_references():
    """Name of each committed picture, and what Pillow makes of it: whole, and resized and cropped."""
    for path in sorted([*GOLDEN.glob("*.png"), *GOLDEN.glob("*.jpg")]):
        for mode in ("RGB", "L"):
            yield f"{path.stem}_{path.suffix[1:]}.{mode}", np.asarray(preprocessed(path, mode, None, None))
            if path.suffix == ".png":
                yield f"{path.stem}_{path.suffix[1:]}.{mode}.fitted", np.asarray(preprocessed(path, mode, 17, (16, 20)))


def write_golden():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for path in GOLDEN.iterdir():
        path.unlink()
    write_pictures(GOLDEN, np.random.default_rng(5), 37, 53)
    np.savez_compressed(GOLDEN / "references.npz", **dict(golden_references()))


def check_golden():
    committed = np.load(GOLDEN / "references.npz")
    names = set(committed.files)
    for name, reference in golden_references():
        names.discard(name)
        # Builds of libjpeg may round otherwise; nothing else may.
        tolerance = 1 if "_jpg" in name else 0
        distance = np.abs(committed[name].astype(int) - reference.astype(int)).max()
        assert distance <= tolerance, f"{name}: Pillow's result is {distance} off the committed one"
    assert not names, f"references of no picture: {names}"


def scores(aquasim, folder, images, ranges):
    command = [aquasim, "infer", "--network", folder / "network.toml", "--weights-file", folder / "weights.npz"]
    command += ["--images", images, "--json", "-"]
    command += ["--ranges", ranges] if ranges.exists() else ["--save-ranges", ranges]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return {picture["picture"]: picture["top"] for picture in json.loads(result.stdout)["pictures"]}


def check_program(aquasim):
    """Pictures of odd sizes through the whole program."""
    rng, compared = np.random.default_rng(11), 0
    sizes = [(1, 1), (37, 53), (54, 31), (64, 64), (101, 67), (23, 150), (300, 211)]
    for height, width in sizes:
        for mode, channels in (("RGB", 3), ("L", 1)):
            crop = (int(rng.integers(12, 33)), int(rng.integers(12, 33)))
            # A network file may not scale to less than its input.
            resize = [None, max(crop), max(crop) + 7, 63][rng.integers(4)]
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "files").mkdir()
                (folder / "fitted").mkdir()
                write_pictures(folder / "files", rng, height, width)
                for path in (folder / "files").glob("*.jpg"):
                    path.unlink()
                for path in (folder / "files").iterdir():
                    preprocessed(path, mode, resize, crop).save(folder / "fitted" / path.name)
                # Each score weighs every pixel otherwise: equal scores are equal pictures.
                inputs = channels * crop[0] * crop[1]
                weights = rng.normal(0, 1, (16, inputs)).astype(np.float16)
                np.savez(folder / "weights.npz", **{"fc.weight": weights, "fc.bias": np.zeros(16, np.float16)})
                found = []
                for images, preprocessing in (
                    ("fitted", ""),
                    ("files", f"centre_crop = true\n{f'resize = {resize}' if resize else ''}"),
                ):
                    numbers = dict(height=crop[0], width=crop[1], channels=channels, outputs=16)
                    (folder / "network.toml").write_text(NETWORK.format(preprocessing=preprocessing, **numbers))
                    found.append(scores(aquasim, folder, folder / images, folder / f"{images}.toml"))
                for picture, expected in found[0].items():
                    case = f"{picture} of {height} x {width}, {mode}, resize {resize}, crop {crop}"
                    assert found[1][picture] == expected, f"{case}: scores are not those of Pillow's pixels"
                    compared += 1
    print(f"{compared} pictures: the scores of Pillow's own pixels, each to the last digit")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("aquasim", nargs="?", help="the program")
    parser.add_argument("--golden", action="store_true", help="write the references anew")
    arguments = parser.parse_args()
    if arguments.golden:
        write_golden()
        return
    check_golden()
    if arguments.aquasim:
        check_program(arguments.aquasim)


if __name__ == "__main__":
    main()
