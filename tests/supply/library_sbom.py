"""The bills of materials that are installed with the C library, as CycloneDX: one for each of its two sizes.

    library_sbom.py check             each names just the crates that its library is built of, their hashes as Cargo.lock has them,
                                      and their licences as they do themselves
    library_sbom.py write TOOL COPY   writes them anew, by cargo-cyclonedx in a copy of the manifests (`make sbom`)
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CARGO = os.environ.get("CARGO", "cargo")

#: By their names, what each library is built with.
LIBRARIES = {"libchatnio": [], "libchatnio-session": ["--no-default-features", "--features", "session"]}

#: What is kept of a part: what it is, where it is from, and on which terms.
FIELDS = ("type", "bom-ref", "name", "version", "scope", "hashes", "licenses", "purl")


def bill(name: str) -> Path:
    return ROOT / "ffi/packaging" / f"{name}.cdx.json"


def linked(features: list[str]) -> set[tuple[str, str]]:
    """The crates that are linked on any system, with their versions: no tools of the build."""
    tree = [CARGO, "tree", "--locked", "-p", "chatnio-ffi", "-e", "normal", "--target", "all", *features]
    told = subprocess.run([*tree, "--prefix", "none", "--format", "{p}"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    lines = (line.split() for line in told.stdout.splitlines() if line)
    return {(line[0], line[1].removeprefix("v")) for line in lines if line[0] != "chatnio-ffi"}


def checksums() -> dict[tuple[str, str], str]:
    """What Cargo takes for each crate of a registry."""
    entries = (ROOT / "Cargo.lock").read_text(encoding="utf-8").split("[[package]]\n")[1:]
    found = [dict(re.findall(r'^(name|version|checksum) = "(.*)"$', entry, flags=re.M)) for entry in entries]
    return {(of["name"], of["version"]): of["checksum"] for of in found if "checksum" in of}


def licences() -> dict[tuple[str, str], str]:
    """On which terms each crate is, by its own manifest."""
    metadata = [CARGO, "metadata", "--locked", "--format-version", "1"]
    told = subprocess.run(metadata, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    # Some still write it as it was written once.
    packages = json.loads(told.stdout)["packages"]
    return {(of["name"], of["version"]): re.sub(r"\s*/\s*", " OR ", of["license"] or "") for of in packages}


def told_of(part: dict[str, Any]) -> tuple[list[str], str]:
    """The hashes and the licence that a bill has for a part."""
    hashes = [one["content"] for one in part.get("hashes", []) if one["alg"] == "SHA-256"]
    return hashes, " AND ".join(one.get("expression") or one["license"].get("id", "") for one in part.get("licenses", []))


def write(name: str, features: list[str], tool: str, copy: Path) -> None:
    options = ["-q", "-f", "json", "--spec-version", "1.5", "--target", "all", "--manifest-path", "ffi/Cargo.toml"]
    subprocess.run([tool, "cyclonedx", *options, *features], cwd=copy, check=True)
    text = (copy / "ffi/chatnio-ffi.cdx.json").read_text(encoding="utf-8")
    # Not where it was made.
    whole: dict[str, Any] = json.loads(text.replace(f"file://{copy}", "file:///chatnio"))
    crates = linked(features)
    parts = [part for part in whole["components"] if (part["name"], part["version"]) in crates]
    kept = {part["bom-ref"] for part in parts} | {whole["metadata"]["component"]["bom-ref"]}
    # The same for the same crates, whenever it is made.
    whole["metadata"].pop("timestamp", None)
    whole.pop("serialNumber", None)
    whole["components"] = [{field: part[field] for field in FIELDS if field in part} for part in parts]
    whole["dependencies"] = [
        {"ref": of["ref"], "dependsOn": [on for on in of.get("dependsOn", []) if on in kept]}
        for of in whole["dependencies"]
        if of["ref"] in kept
    ]
    bill(name).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    check(name, features)


def check(name: str, features: list[str]) -> None:
    whole = json.loads(bill(name).read_text(encoding="utf-8"))
    parts, crates = {(part["name"], part["version"]) for part in whole["components"]}, linked(features)
    if parts != crates:
        sys.exit(f"{bill(name).relative_to(ROOT)} is not what {name} is built of, `make sbom` writes it anew: {sorted(parts ^ crates)}")
    sums, terms = checksums(), licences()
    for part in whole["components"]:
        crate = (part["name"], part["version"])
        wanted = ([sums[crate]] if crate in sums else [], terms[crate])
        if told_of(part) != wanted or not terms[crate]:
            sys.exit(f"{bill(name).relative_to(ROOT)}: {crate} is {wanted}, and not {told_of(part)}: `make sbom` writes it anew")
        assert part["purl"].startswith("pkg:cargo/"), crate
    version = (ROOT / "Cargo.toml").read_text(encoding="utf-8").split('\nversion = "')[1].split('"')[0]
    if whole["metadata"]["component"]["version"] != version:
        sys.exit(f"{bill(name).relative_to(ROOT)} is of another version than {version}: `make sbom`")
    print(f"{bill(name).relative_to(ROOT)}: {len(parts)} parts")


def main() -> None:
    for name, features in LIBRARIES.items():
        if sys.argv[1] == "write":
            write(name, features, sys.argv[2], Path(sys.argv[3]))
        else:
            check(name, features)


main()
