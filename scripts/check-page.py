#!/usr/bin/env python3
"""Opens the page of a run in headless Chromium and compares it with the report and the trace of the same run.

    aquasim run --html run.html --json run.json --trace run.csv && scripts/check-page.py run.html run.json run.csv [DIR]

It must load without an error and without asking any network, every chart must have as many marks as the data, and say
what is under the pointer. DIR gets pictures of the page in light and dark, and as it prints on A4.
Needs Chromium with its driver (Debian's chromium and chromium-driver) and PyPI's selenium.
"""
import base64
import collections
import csv
import json
import pathlib
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

page, report, trace = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
pictures = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
report = json.load(open(report))
cycles, layers = report["cycles"], report["layers"]

# What the charts must show, worked out from the trace: the page's stretches are a power of two long, 240 at most.
stretch = 1
while cycles // stretch >= 240:
    stretch *= 2
computing, fill, tiles, links = set(), set(), set(), set()
# For each layer, bits in each buffer, and since when.
held = collections.defaultdict(lambda: [{}, 0])


def note_fill(layer, until):
    buffers, since = held[layer]
    if sum(buffers.values()) >= 8:
        fill.update((layer, at) for at in range(since // stretch, until // stretch + 1))
    held[layer][1] = until


with open(trace) as file:
    for row in csv.DictReader(file):
        start, length, amount = int(row["from_cycle"]), int(row["cycles"]), int(row["amount"])
        if row["event"] == "operation":
            computing.update((row["layer"], at // stretch) for at in range(start, start + length))
            tiles.add(row["unit"].rsplit("/", 1)[0])
        elif row["event"] == "load" and "/router" in row["unit"]:
            links.add(row["unit"])
        elif row["event"] == "fill":
            note_fill(row["layer"], start)
            held[row["layer"]][0][row["unit"]] = amount
            note_fill(row["layer"], start)
for layer in list(held):
    note_fill(layer, cycles)
expected = {
    "Energy by component": sum(1 for group in report["energy_pj"]["dynamic"].values() if group > 0),
    "Energy by layer": sum(1 for layer in layers for group in layer["energy_pj"].values() if group > 0),
    "Where the cycles go": sum(1 for layer in layers for share in layer["stalls"].values() if share > 0),
    "The pipeline over time": len(computing),
    "Buffers over time": len(fill),
    "Load of tiles and mesh": len(tiles) + len(links),
}

options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for argument in (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--window-size=1200,900",
    f"--user-data-dir={tempfile.mkdtemp()}",
):
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
try:
    # What the browser itself does when it starts is not the page's.
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get(page.as_uri())
    assert not (log := browser.get_log("browser")), f"the console says {log}"
    asked = collections.Counter()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked[message["params"]["request"]["url"].split(":")[0]] += 1
    assert asked["file"] == 1 and asked.keys() <= {"file", "data"}, f"asked for {asked}"
    marks = {}
    for section in browser.find_elements(By.CSS_SELECTOR, "section"):
        charts = section.find_elements(By.CSS_SELECTOR, "svg")
        if not charts:
            continue
        title = section.find_element(By.CSS_SELECTOR, "h2").text
        found = charts[0].find_elements(By.CSS_SELECTOR, ".mark")
        marks[title] = len(found)
        # The largest of some marks is under the pointer.
        mark = max(found[: 200], key=lambda mark: mark.rect["width"] * mark.rect["height"])
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
        ActionChains(browser).move_to_element(mark).perform()
        tip = browser.find_element(By.ID, "tip")
        said = browser.execute_script("return arguments[0].querySelector('title').textContent", mark)
        assert tip.is_displayed() and tip.text == said and said, f"{title}: {tip.text!r} in place of {said!r}"
    assert marks == expected, f"{marks} marks, and the data have {expected}"
    wide = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0, f"the page is {wide} pixels wider than its window"
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        for theme in ("light", "dark"):
            media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            metrics = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": metrics["width"], "height": metrics["height"], "scale": 1}
            shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
            (pictures / f"{theme}.png").write_bytes(base64.b64decode(shot["data"]))
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True, "printBackground": True}
        printed = browser.execute_cdp_cmd("Page.printToPDF", paper)
        (pictures / "a4.pdf").write_bytes(base64.b64decode(printed["data"]))
finally:
    browser.quit()
print(f"{sum(marks.values())} marks in {len(marks)} charts: as in the report and the trace")
