#!/usr/bin/env python3
"""Makes examples/digits: a small VGG-style network and the pictures to judge it with.

The pictures are scikit-learn's bundled handwritten digits (1,797 of 8 x 8 pixels), each enlarged and put somewhere on a
48 x 48 canvas with background clutter, more often near the middle than not. Every digit is used in one set only, so the
test and tuning pictures show digits that the network was not trained on.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn pillow torch safetensors
    venv/bin/python scripts/train_digits.py

It takes a few minutes on two cores, and downloads nothing. The layers are those of examples/digits/network.toml.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

CANVAS = 48
TUNING, TEST = 200, 400
SEED = 1
# As in [preprocessing] of network.toml.
MEAN, STD = 0.25, 0.25


def clutter(rng):
    """A canvas with a soft gradient, faint strokes and noise: nothing that is as bright as a digit."""
    ramp = np.linspace(0, 1, CANVAS)
    canvas = 0.12 + 0.10 * (rng.uniform(-1, 1) * ramp[:, None] + rng.uniform(-1, 1) * ramp[None, :])
    for _ in range(rng.integers(2, 6)):
        (y, x), angle, length = rng.uniform(0, CANVAS, 2), rng.uniform(0, np.pi), rng.uniform(4, 14)
        level = rng.uniform(0.05, 0.2)
        for step in np.arange(0, length, 0.5):
            row, column = int(y + step * np.sin(angle)), int(x + step * np.cos(angle))
            if 0 <= row < CANVAS and 0 <= column < CANVAS:
                canvas[row, column] += level
    return canvas + rng.normal(0, 0.03, canvas.shape)


def place(rng, free):
    """Where something of a size with `free` pixels to spare begins: around the middle, or anywhere."""
    if rng.random() < 0.5:
        return int(np.clip(rng.normal(free / 2, free / 8), 0, free))
    return int(rng.integers(0, free + 1))


def picture(rng, digit):
    """A digit of 8 x 8 pixels, 0 to 16, on a canvas; uint8."""
    height, width = rng.integers(15, 25, 2)
    enlarged = Image.fromarray((digit * 255 / 16).astype(np.uint8)).resize((int(width), int(height)), Image.BICUBIC)
    ink = np.asarray(enlarged) / 255 * rng.uniform(0.6, 1.0)
    canvas = clutter(rng)
    top, left = place(rng, CANVAS - height), place(rng, CANVAS - width)
    on = canvas[top : top + height, left : left + width]
    np.maximum(on, ink, out=on)
    return (np.clip(canvas, 0, 1) * 255).round().astype(np.uint8)


def pictures(rng, digits):
    return np.stack([picture(rng, digit) for digit in digits])


def network():
    """The layers of network.toml, with the tensor names that torchvision's VGG has."""
    features, channels = [], 1
    for width, pool in [(8, False), (8, True), (16, False), (16, True), (32, False), (32, True)]:
        features += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        features += [nn.MaxPool2d(2)] if pool else []
        channels = width
    side = CANVAS // 8
    classifier = [nn.Flatten(), nn.Linear(32 * side * side, 48), nn.ReLU(), nn.Linear(48, 10)]
    for layer in features + classifier:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.ModuleDict({"features": nn.Sequential(*features), "classifier": nn.Sequential(*classifier)})


def scores(model, images):
    images = torch.from_numpy(images).float().div(255).sub(MEAN).div(STD).unsqueeze(1)
    return model["classifier"](model["features"](images))


def train(model, rng, digits, labels, epochs):
    batch, rounds = 64, 4  # each digit is placed anew `rounds` times an epoch
    steps = epochs * rounds * len(digits) // batch + epochs
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for epoch in range(epochs):
        order = rng.permutation(np.tile(np.arange(len(digits)), rounds))
        losses = []
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            loss = functional.cross_entropy(
                scores(model, pictures(rng, digits[chosen])), torch.from_numpy(labels[chosen]), label_smoothing=0.05
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if schedule.last_epoch < steps - 1:
                schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {epochs}: loss {np.mean(losses):.3f}", flush=True)


def write_set(folder, images, labels):
    """PNG pictures and labels.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{index:03}.png" for index in range(len(images))]
    for name, image in zip(names, images):
        Image.fromarray(image).save(folder / name, optimize=True)
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "label"])
        writer.writerows(zip(names, labels.tolist()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "examples/digits")
    parser.add_argument("--epochs", type=int, default=16)
    arguments = parser.parse_args()

    # Each part has a generator of its own, so that one can be drawn anew without the others.
    split, canvases, training_rng = [np.random.default_rng([part, SEED]) for part in range(3)]
    torch.manual_seed(SEED)
    dataset = load_digits()
    order = split.permutation(len(dataset.target))
    parts = np.split(order, [TEST, TEST + TUNING])
    test, tuning, training = [(dataset.images[part], dataset.target[part]) for part in parts]
    sets = {name: (pictures(canvases, digits), labels) for name, (digits, labels) in [("tuning", tuning), ("test", test)]}
    for name, (images, labels) in sets.items():
        write_set(arguments.out / name, images, labels)

    model = network()
    train(model, training_rng, *training, arguments.epochs)
    model.eval()
    with torch.no_grad():
        for name, (images, labels) in sets.items():
            right = (scores(model, images).argmax(1).numpy() == labels).mean()
            print(f"{name}: {len(labels)} pictures, {100 * right:.1f} % right")
    save_file(model.state_dict(), arguments.out / "weights.safetensors")


if __name__ == "__main__":
    main()
