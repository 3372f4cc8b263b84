#!/usr/bin/env python3
"""Tests of check_wasi_text.py and of tests/wasi-text/sentences.py."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import check_wasi_text as checker
import sentences

WIT = """package wasi:io@0.2.12;

/// A poll API. It has e.g. two
/// sentences (EAGAIN, on Linux). (More.)
interface poll {
  @since(version = 0.2.0)
  use wasi:x/y@0.2.12.{z};
  /// One event.
  resource pollable {
    /// Never blocks. Never blocks.
    ///
    /// # Heading
    /// - `first`: an item
    ///   that goes on
    /// - <https://example.com/a>
    ///
    /// ```
    /// let x = 1;
    /// ```
    %ready: func() -> bool;
  }
  enum code {
    /// Of a case.
    unknown,
  }
}
"""


class Extraction(unittest.TestCase):
    def test_sentences_have_their_places(self):
        found = [(place, sentence) for place, lines in sentences.documented(WIT) for sentence in sentences.sentences(lines)]
        self.assertEqual(found, [
            ("poll", "A poll API."),
            ("poll", "It has e.g. two sentences (EAGAIN, on Linux). (More.)"),
            ("poll.pollable", "One event."),
            ("poll.pollable.ready", "Never blocks."),
            ("poll.pollable.ready", "Never blocks."),
            ("poll.pollable.ready", "`first`: an item that goes on"),
            ("poll.pollable.ready", "let x = 1;"),
            ("poll.code.unknown", "Of a case."),
        ])


class Checks(unittest.TestCase):
    """On a list of three sentences."""

    ROWS = "# rows\n[poll]\n0001 Suite.Case, test_this -- a remark\n0002 no promise\n[poll.x]\n0003 not testable here -- why\n"

    def run_with(self, rows):
        with tempfile.TemporaryDirectory(dir=checker.ROOT) as name, contextlib.ExitStack() as stack:
            folder = Path(name)
            (folder / "rows").mkdir()
            (folder / "rows/io.txt").write_text(rows)
            listed = [("io/poll#0001", "One."), ("io/poll#0002", "Two."), ("io/poll.x#0003", "Three.")]
            listed += [(f"io/y#{i:04x}", "More.") for i in range(1000)]
            more = "[y]\n" + "".join(f"{i:04x} no promise\n" for i in range(1000))
            (folder / "rows/io.txt").write_text(rows + more)
            (folder / "sentences.txt").write_text("# list\n" + "".join(f"{i}\t{s}\n" for i, s in listed))
            for name, value in (("FOLDER", folder), ("LIST", folder / "sentences.txt"), ("newest_texts", lambda: None),
                                ("known_tests", lambda: {"Suite.Case", "test_this"})):
                stack.enter_context(mock.patch.object(checker, name, value))
            stack.enter_context(mock.patch("sys.argv", ["check"]))
            out = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            code = checker.main()
        return code, out.getvalue()

    def test_rows_that_fit_pass(self):
        self.assertEqual(self.run_with(self.ROWS), (0, ""))

    def assert_refused(self, rows, what):
        code, out = self.run_with(rows)
        self.assertEqual(code, 1)
        self.assertIn(what, out)
        self.assertEqual(out.count("\n"), 1, out)

    def test_a_sentence_without_a_row(self):
        self.assert_refused(self.ROWS.replace("0002 no promise\n", ""), "io/poll#0002 has no row: Two.")

    def test_a_row_without_a_sentence(self):
        self.assert_refused(self.ROWS + "ffff no promise\n", "there is no sentence io/poll.x#ffff any more")

    def test_a_test_that_does_not_exist(self):
        self.assert_refused(self.ROWS.replace("Suite.Case", "Suite.Gone"), "'Suite.Gone' is no test")

    def test_a_row_without_a_reason(self):
        self.assert_refused(self.ROWS.replace(" -- why", ""), "needs a reason")
        self.assert_refused(self.ROWS.replace("no promise", "obvious"), "'obvious' is no test")

    def test_a_sentence_with_two_rows(self):
        self.assert_refused(self.ROWS + "0003 no promise\n", "has a row already")


if __name__ == "__main__":
    unittest.main()
