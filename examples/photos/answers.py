#!/usr/bin/env python3
"""Prints what aquasim and onnxruntime answer to the photographs that prepare.py wrote, as a table in Markdown.

    answers.py FOLDER

The program is $AQUASIM. Writes FOLDER/crop.jpg: a photograph with what its predicted plan leaves uncropped.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw

# Cropped, tiles of the depthwise layers of 28 x 28 maps have to hold up to 180 KB of inputs at once.
MACHINE = ["--set", "edram.bytes=262144"]
CASES = [("16 bits, whole", 16, "none"), ("16 bits, predicted", 16, "predicted"), ("8 bits, whole", 8, "none"), ("8 bits, predicted", 8, "predicted")]


def aquasim(*arguments):
    """JSON that a command of the program writes."""
    result = pathlib.Path("result.json")
    subprocess.run([os.environ["AQUASIM"], *map(str, arguments), "--json", result], check=True, stdout=subprocess.DEVNULL)
    return json.loads(result.read_text())


def centre(path):
    """The 224 x 224 pixels that the network sees, as torchvision's Resize(256) and CenterCrop(224) cut them."""
    picture = Image.open(path).convert("RGB")
    short = min(picture.size)
    picture = picture.resize([256 * side // short for side in picture.size], Image.Resampling.BILINEAR)
    left, top = (round((side - 224) / 2) for side in picture.size)
    return picture.crop((left, top, left + 224, top + 224))


def main():
    os.chdir(sys.argv[1])
    classes = pathlib.Path("classes.txt").read_text().splitlines()
    name = lambda number, probability: f"{classes[number]} ({probability:.0%})"
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    photos = sorted(pathlib.Path("photos").iterdir())
    rows = {}
    for photo in photos:
        pixels = (np.asarray(centre(photo), np.float32) / 255 - 0.498) / 0.502
        scores = session.run(None, {"picture": pixels.transpose(2, 0, 1)[None]})[0][0].astype(np.float64)
        probabilities = np.exp(scores - scores.max())
        best = int(scores.argmax())
        rows[photo.name] = [name(best, probabilities[best] / probabilities.sum())]

    print("| photograph | case | answer | onnxruntime | computed | energy, mJ | cycles | waits most for |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    network = [*MACHINE, "--network", "network.toml"]
    weights = ["--weights-file", "weights.safetensors"]
    for case, bits, policy in CASES:
        precision = ["--weights", bits, "--activations", bits, "--policy", policy]
        for answer in aquasim("infer", *network, *weights, *precision, "--images", "photos")["pictures"]:
            photo = answer["picture"]
            image = ["--image", f"photos/{photo}"] if policy == "predicted" else []
            stalls = aquasim("run", *network, *precision, *image)["stalls"]
            waits = {cause: cycles for cause, cycles in stalls.items() if cause not in ("computing", "filling", "finished")}
            cause = max(waits, key=waits.get)
            best = answer["top"][0]
            print(f"| {photo} | {case} | {name(best['class'], best['probability'])} | {rows[photo][0]} | {answer['computed']:.1%} "
                  f"| {answer['energy_pj'] / 1e9:.3f} | {answer['cycles']:,} | {cause} ({waits[cause] / sum(waits.values()):.0%}) |")
            if photo == "rocket.jpg" and bits == 16 and policy == "predicted":
                draw(photo, answer["plan"])


def draw(photo, plan):
    """Shades what the plan, such as "crop top,left", crops of the first layer's map: 16 of 112 rows or columns."""
    picture = centre(f"photos/{photo}")
    left, top, right, bottom = (32 if edge in plan else 0 for edge in ("left", "top", "right", "bottom"))
    shade = Image.new("L", picture.size, 150)
    ImageDraw.Draw(shade).rectangle((left, top, 223 - right, 223 - bottom), fill=0)
    picture.paste(Image.new("RGB", picture.size, "white"), mask=shade)
    picture.save("crop.jpg", quality=85)


main()
