"""Prints the CPU-milliseconds of one bare argon2id verification with our parameters; run as a program."""

import sys
import time

from argon2 import PasswordHasher

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # decision 32


def main(count: int) -> None:
    """Verify a password `count` times."""
    encoded = HASHER.hash("correct horse battery staple")
    HASHER.verify(encoded, "correct horse battery staple")
    started = time.process_time()
    for _ in range(count):
        HASHER.verify(encoded, "correct horse battery staple")
    sys.stdout.write(f"{(time.process_time() - started) / count * 1000}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
