"""protocol.py: what every measured program of the bench speaks on its standard input and output, a line at a time.

    > ready PARAMETERS [SECONDS]     once its network has taken the first batch: how many parameters that has and, where the driver's
                                     clock would count more than the program, how long it took to come so far
    < train THREADS SECONDS          train for about so long
    > IMAGES_PER_SECOND
    < eval THREADS SECONDS           classify for about so long
    > IMAGES_PER_SECOND
    < version                        what is measured, in words
    > TEXT
    < memory                         the most memory that was used, in MiB
    > MIB
    < quit

What a program cannot do it answers with `error REASON`. Its last arguments are NETWORK BATCH IMAGES LABELS: one of ../networks, the
images of a step, and two IDX files (data.py). Programs that measure single convolutions speak alike (../kernels/serve.h).
"""
import resource
import sys
import time

WARM_UP = 0.15  # of the seconds


def rate(step, images, seconds):
    """Images a second of step(0), step(1), ..., which take `images` each."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() < start + WARM_UP * seconds or done < 1:
        step(done)
        done += 1
    first, start = done, time.perf_counter()
    while time.perf_counter() < start + seconds or done < first + 1:
        step(done)
        done += 1
    return (done - first) * images / (time.perf_counter() - start)


def own_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(*words):
    print(*words, flush=True)


def serve(*ready, version, memory=own_memory, **measure):
    """Answer requests to the end; `train` and `eval` are functions of (threads, seconds)."""
    say("ready", *ready)
    for line in sys.stdin:
        word, *numbers = line.split()
        if word == "quit":
            break
        if word == "version":
            say(version)
        elif word == "memory":
            say(memory())
        elif word in measure:
            say(measure[word](int(numbers[0]), float(numbers[1])))
        else:
            say("error it cannot", word)
