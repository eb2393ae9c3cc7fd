"""Scripts that make the tests' fixtures, and the fuzzer."""
