"""Make a model smaller or faster step by step, and measure what each step gained and lost on photographs."""
