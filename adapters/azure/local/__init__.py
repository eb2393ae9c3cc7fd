"""Run the Python runtime of Azure Functions on this machine."""
