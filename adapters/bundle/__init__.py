"""Make what ships: the files of one function, laid out as its cloud wants them.

A bundle is `core/`, one cloud's entry and `translate.py`, one model, and where the cloud installs nothing
itself, the packages that they import, slimmed. `cloud.toml` lists it:

    [bundle]
    files = ["core", "adapters/__init__.py", "adapters/aws/handler.py", …]   # relative to the repository
    packages = ["numpy", "pillow", "ai-edge-litert"]   # carried along; absent where the platform runs pip
    [bundle.root]                                      # copies at the bundle's root
    "main.py" = "adapters/gcp/main.py"
"""

from adapters.bundle.errors import BundleError
from adapters.bundle.layout import assemble, model_folder

__all__ = ["BundleError", "assemble", "model_folder"]
