"""Runs notebooks in the tests, by the Python that runs the tests."""

import asyncio
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient


class ThisInterpreter(AsyncKernelManager):
    """Starts the Python that runs the tests, whatever kernel is registered on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="the tests' own", language="python")


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Runs every cell, in under a minute altogether, and keeps the outputs in the notebook."""
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_manager_class=ThisInterpreter, resources=place)
    asyncio.run(asyncio.wait_for(client.async_execute(), timeout=60))
