# SPDX-License-Identifier: MIT
"""Runs unittest cases and tells of each in TAP, as the C tests do, so that all are counted alike."""
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints a line as each case ends; what went wrong goes before it, as comments."""

    def __init__(self, count):
        super().__init__()
        print(f"1..{count}", flush=True)

    def tell(self, test, word, note=""):
        name = test.id().removeprefix("__main__.")
        print(f"{word} {self.testsRun} - {name}{note}", flush=True)

    def complain(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print(f"# {line}")
        self.tell(test, "not ok")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test, "ok")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.complain(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.complain(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, "ok", f" # skip {reason}")

    def addSubTest(self, test, subtest, error):
        # A case with a failed part is neither a success nor a failure of its own: the part is told instead.
        super().addSubTest(test, subtest, error)
        if error:
            self.complain(subtest, error)


def main():
    """Runs the cases of the program; its arguments, if any, name some of them."""
    names = sys.argv[1:] or None
    suite = unittest.TestLoader().loadTestsFromNames(names, sys.modules["__main__"]) if names \
        else unittest.TestLoader().loadTestsFromModule(sys.modules["__main__"])
    result = TapResult(suite.countTestCases())
    suite.run(result)
    sys.exit(0 if result.testsRun and result.wasSuccessful() else 1)
