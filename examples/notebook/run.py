"""Runs the notebook as Jupyter does, and prints what its cells print."""
import pathlib

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(pathlib.Path(__file__).parent / "first-look.ipynb", as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", ""), end="")
