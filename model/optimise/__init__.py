"""Makes a model smaller or faster step by step, and tells what each step gained and lost on photographs."""
