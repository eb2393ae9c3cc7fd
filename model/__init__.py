"""The workshop of models: manifests, the built-in clothes model, and how it was trained, converted and measured."""
