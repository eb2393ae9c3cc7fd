"""The measured programs: each runs in a process of its own and answers image by image.

Each prints "ready" and the processor time it used when it has its first answer (its cold start ends there),
then for every number that it reads it answers that image and prints the seconds it took; at the end it prints
its peak memory.
"""
