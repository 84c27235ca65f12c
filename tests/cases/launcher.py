"""launcher.py: runs one command after the other and says what it took: time, and memory that is its own.

Of a child Linux reports the greater of its own memory and its parent's at the start. So not the process that holds all
the cases starts them but this one, which is small. Requests come on stdin and replies go to stdout, as marshal writes
them: (arguments, directory, environment, file for stdout, file for stderr, seconds until it is killed, user id or None);
(status as of os.wait4, seconds of processor time, KiB)."""
import marshal
import os
import signal
import sys


def become(arguments, directory, environment, out, err, seconds, user):
    """In the child: go on as the command."""
    for descriptor, path, flags in ((0, "/dev/null", os.O_RDONLY), (1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                                    (2, err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
        file = os.open(path, flags, 0o644)
        os.dup2(file, descriptor)
    os.chdir(directory)
    if user is not None:
        os.setuid(user)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    signal.alarm(seconds)
    os.execve(arguments[0], arguments, environment)


def main():
    while True:
        try:
            request = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            try:
                become(*request)
            except OSError as error:
                os.write(2, f"launcher: {error}\n".encode())
            finally:
                os._exit(126)
        _, status, usage = os.wait4(child, 0)
        marshal.dump((status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss), sys.stdout.buffer)
        sys.stdout.buffer.flush()


main()
