#!/usr/bin/env python3
"""Tests tools/doc_code.py on pages of its own."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import doc_code

SOURCE = "int a;\n  // [part]\n  int b;\n    int c;\n  // [/part]\n"
PROGRAM = "#!/bin/sh\necho hello $(basename $1)\n"


class DocCode(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        (self.root / "docs").mkdir()
        (self.root / "README.md").write_text("# Nothing\n```sh\nls\n```\n")
        (self.root / "x.cc").write_text(SOURCE)
        (self.root / "greet").write_text(PROGRAM)
        (self.root / "greet").chmod(0o755)

    def run_on(self, text, *arguments):
        (self.root / "docs/embedding.md").write_text(text)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = doc_code.main(list(arguments), self.root)
        return status, out.getvalue()

    def test_a_quote_that_is_equal_passes(self):
        page = "<!-- code: x.cc#part -->\n```cpp\nint b;\n  int c;\n```\n"
        self.assertEqual(self.run_on(page, "check"), (0, ""))

    def test_a_quote_that_differs_is_told_with_its_line(self):
        page = "text\n<!-- code: x.cc#part -->\n```cpp\nint B;\n```\n"
        self.assertEqual(self.run_on(page, "check"), (1, "docs/embedding.md:2: the block is not x.cc#part\n"))

    def test_code_that_quotes_nothing_is_told(self):
        self.assertEqual(self.run_on("```cpp\nint d;\n```\n", "check")[0], 1)

    def test_a_region_or_file_that_is_not_there_is_told(self):
        for reference in ("x.cc#other", "y.cc#part"):
            self.assertEqual(self.run_on(f"<!-- code: {reference} -->\n```cpp\n```\n", "check")[0], 1)

    def test_fix_copies_the_code(self):
        self.assertEqual(self.run_on("<!-- code: x.cc#part -->\n```cpp\nold\n```\nend\n", "fix")[0], 0)
        self.assertEqual((self.root / "docs/embedding.md").read_text(),
                         "<!-- code: x.cc#part -->\n```cpp\nint b;\n  int c;\n```\nend\n")

    def test_what_a_program_prints_is_compared(self):
        run = ("run", str(self.root), str(self.root))
        good = "<!-- output: greet a.wasm -->\n```text\nhello a.wasm\n```\n"
        self.assertEqual(self.run_on(good, *run), (0, ""))
        self.assertEqual(self.run_on(good.replace("hello", "bye"), *run)[0], 1)
        (self.root / "greet").write_text("#!/bin/sh\necho hello a.wasm\nexit 3\n")
        self.assertEqual(self.run_on(good, *run)[0], 1)


if __name__ == "__main__":
    unittest.main()
