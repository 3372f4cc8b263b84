#!/usr/bin/env python3
"""Tests of shell_words.py."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from shell_words import functions_of_shell, programs_of_shell  # noqa: E402


def programs(text):
    return programs_of_shell(text)[0]


class Programs(unittest.TestCase):
    def test_the_first_word_of_each_command(self):
        self.assertEqual(programs("a b; c d && e | f || ! g &\nh"), {"a", "c", "e", "f", "g", "h"})

    def test_in_every_kind_of_substitution(self):
        self.assertEqual(programs('x=$(a "$(b c)") e <(f g) ${z:-$(h)}'), {"a", "b", "e", "f", "h"})

    def test_behind_assignments_and_keywords(self):
        self.assertEqual(programs("A=1 a; if b; then c; else d; fi; while e; do f; done"), {"a", "b", "c", "d", "e", "f"})

    def test_not_in_words_comments_or_here_documents(self):
        self.assertEqual(programs("a 'b; c' \"d; e\" # f\ng <<'END'\nh\nEND\ni"), {"a", "g", "i"})

    def test_not_in_patterns_lists_and_arrays(self):
        text = "case $x in a | b) c ;; d) e f ;; *) g ;; esac\nfor h in i j; do k; done\nl=(m n)\nl+=(o)"
        self.assertEqual(programs(text), {"c", "e", "g", "k"})

    def test_not_in_arithmetic_and_conditions(self):
        self.assertEqual(programs("if [[ -t a && (b < c) ]]; then d; fi; ((e > 1)); f $((g + h))"), {"d", "f"})

    def test_no_functions_and_built_ins(self):
        self.assertEqual(programs("f() { a; }\nf; echo b; cd c"), {"a"})
        self.assertEqual(functions_of_shell("f() { a; }\ng ( ) { b; }"), {"f"})

    def test_what_a_program_runs_is_told_apart(self):
        self.assertEqual(programs_of_shell("xargs -0 -n 16 a -i; env B=1 c"), ({"xargs", "env"}, {"a", "c"}))

    def test_redirections_are_no_commands(self):
        self.assertEqual(programs("a >b 2>&1 <c; { d; } 9>e"), {"a", "d"})


if __name__ == "__main__":
    unittest.main()
