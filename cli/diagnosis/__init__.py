"""The parts of `tripoint doctor`; each module inspects one part and changes nothing."""
