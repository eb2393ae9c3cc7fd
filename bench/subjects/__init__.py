"""What is measured: one program each, run in a process of its own, answering image by image.

Each prints "ready" and the processor time it used when it has its first answer (its cold start ends there),
then for every number that it reads it answers that image and prints the seconds it took; at the end it prints
its peak memory.
"""
