"""The user's own models: where they are, how a file becomes one, and a catalogue of public ones."""
