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
layers = report["layers"]

# What the charts must show, worked out from the report and the trace.
filled, links, places = set(), set(), set()
# Cycles in which the IMAs of each tile compute, and its layers.
busy, tenants = collections.Counter(), collections.defaultdict(set)
held = collections.defaultdict(dict)
with open(trace) as file:
    for row in csv.DictReader(file):
        if row["event"] == "operation":
            tile = row["unit"].rsplit("/", 1)[0]
            busy[tile] += int(row["cycles"])
            tenants[tile].add(row["layer"])
            places.add((tile.split("/")[0], row["layer"]))
        elif row["event"] == "load" and "/router" in row["unit"]:
            links.add(row["unit"])
        elif row["event"] == "fill":
            held[row["layer"]][row["unit"]] = int(row["amount"])
            if sum(held[row["layer"]].values()) >= 8:
                filled.add(row["layer"])


def shown(values, parts):
    """Returns for each part how many of its values are drawn: small values, if several, are folded into one."""
    large = [key for key, is_large in values.items() if is_large]
    small = [key for key in values if key not in large]
    series = [[key] for key in large] + ([small] if len(small) > 1 else [[key] for key in small])
    return sum(1 for part in parts for keys in series if sum(part.get(key, 0) for key in keys) > 0)


# Tiles of a chip with the same layers and the same load, in percent, are one mark.
all_cycles = report["machine"]["tile"]["imas"] * report["cycles"]
percent = lambda tile: (200 * busy[tile] + all_cycles) // (2 * all_cycles)
tiles = {(tile.split("/")[0], frozenset(of_tile), percent(tile)) for tile, of_tile in tenants.items()}
energy = report["energy_pj"]
both = {key: energy["dynamic"][key] + energy["static"].get(key, 0) for key in energy["dynamic"]}
large_of = lambda pj: {key: value >= 0.01 * sum(pj.values()) for key, value in pj.items() if value > 0}
no_waits = ("computing", "filling", "finished")
share = lambda layer, cause: layer["stalls"][cause] / sum(layer["stalls"].values())
largest = {cause: max(share(layer, cause) for layer in layers) for cause in layers[0]["stalls"]}
causes = {cause: cause in no_waits or most >= 0.005 for cause, most in largest.items() if most > 0}
expected = {
    "Energy by component": shown(large_of(both), [energy["dynamic"], energy["static"]]),
    "Energy by layer": shown(large_of(energy["dynamic"]), [layer["energy_pj"] for layer in layers]),
    "Where the cycles go": shown(causes, [layer["stalls"] for layer in layers]),
    "The pipeline over time": shown(causes, [layer["stalls"] for layer in layers]),
    "Buffers over time": len(filled),
    "Load of tiles and mesh": len(tiles) + len(links),
    "Floorplan": len(places),
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
        found = section.find_elements(By.CSS_SELECTOR, "svg .mark")
        if not found:
            continue
        title = section.find_element(By.CSS_SELECTOR, "h2").text
        marks[title] = len(found)
        # The largest of some marks, or what covers it, is under the pointer.
        mark = max(found[:200], key=lambda mark: mark.rect["width"] * mark.rect["height"])
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
        ActionChains(browser).move_to_element(mark).perform()
        tip = browser.find_element(By.ID, "tip")
        said = browser.execute_script(
            "const box = arguments[0].getBoundingClientRect();"
            "const under = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).closest('.mark');"
            "return under ? under.querySelector('title').textContent : ''",
            mark,
        )
        assert not said or tip.text.startswith(said), f"{title}: {tip.text!r} in place of {said!r}"
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
