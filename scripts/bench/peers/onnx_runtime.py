"""onnx_runtime.py: ONNX Runtime as a peer of the bench (protocol.py), through the C interface of its library; evaluation only.

usage: onnx_runtime.py LIBRARY MODEL BATCHES NETWORK BATCH IMAGES LABELS

BATCHES, such as 16,64,256, are tried, and the fastest is taken, whatever BATCH says. In its favour, images are floats in memory, and
nothing is done with its outputs. Functions are entries of a table whose order never changes (onnxruntime_c_api.h, struct OrtApi).
"""
import ctypes
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import data  # noqa: E402
import protocol  # noqa: E402

API_VERSION = 16
ERROR_MESSAGE, CREATE_ENV, CREATE_SESSION, RUN, CREATE_OPTIONS = 2, 3, 7, 9, 10
SET_OPTIMIZATION, SET_THREADS, CREATE_TENSOR, CREATE_MEMORY = 23, 24, 49, 69
WARNING, ALL_OPTIMIZATIONS, FLOAT, ARENA, DEFAULT_MEMORY = 2, 99, 1, 1, 0
CLASSES = 10


class Library:
    def __init__(self, path):
        class Base(ctypes.Structure):
            _fields_ = [("get", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)), ("version", ctypes.CFUNCTYPE(ctypes.c_char_p))]
        load = ctypes.CDLL(path).OrtGetApiBase
        load.restype = ctypes.POINTER(Base)
        base = load().contents
        self.version = base.version().decode()
        table = base.get(API_VERSION)
        self.functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))

    def function(self, number, result, *arguments):
        return ctypes.CFUNCTYPE(result, *arguments)(self.functions[number])

    def call(self, number, *arguments):
        status = self.function(number, ctypes.c_void_p, *map(type, arguments))(*arguments)
        if status:
            text = self.function(ERROR_MESSAGE, ctypes.c_char_p, ctypes.c_void_p)(status)
            sys.exit(f"ONNX Runtime: {text.decode()}")

    def make(self, number, *arguments):
        """What a function makes, whose last argument is where to put it."""
        made = ctypes.c_void_p()
        self.call(number, *arguments, ctypes.cast(ctypes.pointer(made), ctypes.c_void_p))
        return made


class Peer:
    def __init__(self, library, model, batches, images):
        self.library, self.model, self.batches = library, model, batches
        (self.count, *shape), values = data.read(images)
        self.shape = shape if len(shape) == 3 else [1, *shape]
        self.size = len(values) // self.count
        table = [(value / 255 - 0.1307) / 0.3081 for value in range(256)]
        self.x = (ctypes.c_float * len(values))(*[table[value] for value in values])
        self.env = library.make(CREATE_ENV, ctypes.c_int(WARNING), ctypes.c_char_p(b"bench"))
        self.memory = library.make(CREATE_MEMORY, ctypes.c_int(ARENA), ctypes.c_int(DEFAULT_MEMORY))
        self.sessions = {}

    def tensor(self, address, count, shape):
        dimensions = (ctypes.c_int64 * len(shape))(*shape)
        return self.library.make(CREATE_TENSOR, self.memory, ctypes.c_void_p(address), ctypes.c_size_t(4 * count),
                                 ctypes.cast(dimensions, ctypes.c_void_p), ctypes.c_size_t(len(shape)), ctypes.c_int(FLOAT))

    def step(self, threads, batch):
        """A function that runs its n-th batch, allocating nothing itself."""
        name_x, name_y = (ctypes.c_char_p * 1)(b"x"), (ctypes.c_char_p * 1)(b"y")
        run = self.library.function(RUN, *[ctypes.c_void_p] * 5, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
        session, slots = self.session(threads), self.count // batch
        inputs = [(ctypes.c_void_p * 1)(self.tensor(ctypes.addressof(self.x) + 4 * n * batch * self.size, batch * self.size,
                                                    [batch, *self.shape]).value) for n in range(slots)]
        y = (ctypes.c_float * (batch * CLASSES))()
        output = (ctypes.c_void_p * 1)(self.tensor(ctypes.addressof(y), batch * CLASSES, [batch, CLASSES]).value)

        def go(number):
            if run(session, None, name_x, inputs[number % slots], 1, name_y, 1, output):
                sys.exit("ONNX Runtime: a run failed")
        go.keeps = y
        return go

    def session(self, threads):
        if threads not in self.sessions:
            options = self.library.make(CREATE_OPTIONS)
            self.library.call(SET_OPTIMIZATION, options, ctypes.c_int(ALL_OPTIMIZATIONS))
            self.library.call(SET_THREADS, options, ctypes.c_int(threads))
            path = ctypes.c_char_p(self.model.encode())
            self.sessions[threads] = self.library.make(CREATE_SESSION, self.env, path, options)
        return self.sessions[threads]

    def eval(self, threads, seconds):
        each = seconds / len(self.batches)
        return max(protocol.rate(self.step(threads, batch), batch, each) for batch in self.batches)


def main():
    library, model, batches, _, batch, images, _ = sys.argv[1:8]
    peer = Peer(Library(library), model, [int(b) for b in batches.split(",")], images)
    peer.step(1, int(batch))(0)
    protocol.serve(0, version=f"ONNX Runtime {peer.library.version}", eval=peer.eval)


main()
