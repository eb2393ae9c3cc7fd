"""Deploy to Azure Functions, call what is deployed, and remove it."""
