"""The user's own models: where they lie, how a file becomes one, and a catalogue of public ones."""
