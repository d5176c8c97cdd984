"""Starts the Triton that the package nvidia-pytriton carries, on a model repository, and waits for it.

    python serve.py REPOSITORY PORT
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytriton


def start(repository, port):
    package = Path(pytriton.__file__).parent / "tritonserver"
    backends = Path(tempfile.mkdtemp(prefix="triton-backends-"))
    shutil.copytree(package / "backends" / "python", backends / "python")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = package / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, backends / "python")
    # The stub embeds the interpreter: it finds this environment's packages, and its own libraries, by these paths.
    libraries = Path(pytriton.__file__).parent.parent / "nvidia_pytriton.libs"
    packages = os.pathsep.join(path for path in sys.path if path)
    environment = dict(os.environ, PYTHONPATH=packages, LD_LIBRARY_PATH=str(libraries))
    return subprocess.Popen([
        str(package / "bin" / "tritonserver"), f"--model-repository={repository}", f"--backend-directory={backends}",
        f"--http-port={port}", "--http-address=127.0.0.1", "--allow-grpc=false", "--allow-metrics=false",
        "--log-info=false", "--disable-auto-complete-config",
    ], env=environment)


if __name__ == "__main__":
    sys.exit(start(sys.argv[1], int(sys.argv[2])).wait())
