"""A Python command: prints a line and its arguments, and exits with the number after `exit`."""

import sys

from wit_world import exports


class Run(exports.Run):
    def run(self):
        print("Hello from Python")
        for arg in sys.argv[1:]:
            print(arg)
        if len(sys.argv) == 3 and sys.argv[1] == "exit":
            sys.exit(int(sys.argv[2]))
