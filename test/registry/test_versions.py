"""Other versions of huggingface_hub, and with --heavy transformers and datasets, each in a Python environment of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VERSIONS = ["0.36.2", "1.19.0", "1.33.0"]
HEAVY = {
    "transformers": ["transformers==5.24.0", "safetensors==0.8.0", "numpy==2.4.6", "jinja2==3.1.6"],
    "datasets": ["datasets==5.2.0"],
}


def environment_with(name: str, requirements: list[str]) -> Path:
    """Made once, and kept for later runs."""
    place = HERE / "clients" / name / ".venv"
    stamp = "\n".join([sys.version, *requirements])
    if not (place / "stamp").exists() or (place / "stamp").read_text() != stamp:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        subprocess.run(pip, check=True)
        (place / "stamp").write_text(stamp)
    return place / "bin/python"


def run(python: Path, script: str, registry, home: Path, **more) -> None:
    # Clients before 1.0 take the first part of an address for an owner.
    endpoint = {"HF_ENDPOINT": registry.url} if more.pop("is_old", False) else {}
    command = [str(python), str(HERE / "clients" / script)]
    environment = registry.environment(home, **endpoint, **more)
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and done.stdout.strip().endswith("done"), done.stdout + done.stderr


@pytest.mark.parametrize("xet", ["xet", "lfs"])
@pytest.mark.parametrize("version", VERSIONS)
def test_huggingface_hub(registry, tmp_path, version, xet):
    python = environment_with(version, [f"huggingface_hub=={version}"])
    disabled = {"HF_HUB_DISABLE_XET": "1"} if xet == "lfs" else {}
    xorbs = registry.folder / "data" / "registry" / "xorbs"
    before = len(list(xorbs.rglob("*")))
    name = f"ada/v{version.replace('.', '-')}-{xet}"
    run(python, "hub.py", registry, tmp_path, is_old=version.startswith("0."), REPOSITORY=name, BEN=registry.ben, **disabled)
    # In a bucket they are no files.
    if registry.is_local:
        assert (len(list(xorbs.rglob("*"))) > before) == (xet == "xet")


@pytest.mark.heavy
@pytest.mark.parametrize("library", HEAVY)
def test_libraries(registry, tmp_path, library):
    run(environment_with(library, HEAVY[library]), f"{library}_library.py", registry, tmp_path)


