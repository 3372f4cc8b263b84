#!/usr/bin/env python3
"""Tests of check_packages.py and shell_words.py: what is missing from scripts/setup is found."""

import ast
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_packages  # noqa: E402
from shell_words_test import Programs  # noqa: E402, F401


class Closure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = check_packages.closure("demo")

    def test_has_what_setup_names_and_what_that_needs(self):
        self.assertLessEqual({"clang-19", "libsimdjson-dev", "libstdc++-12-dev", "linux-libc-dev"}, self.demo)

    def test_has_what_every_machine_has(self):
        self.assertLessEqual({"coreutils", "bash", "sed", "tar"}, self.demo)

    def test_has_nothing_that_only_another_purpose_needs(self):
        self.assertFalse({"libgtest-dev", "debootstrap", "clang-tidy-19"} & self.demo)


class Headers(unittest.TestCase):
    def test_one_that_is_not_there_is_a_problem(self):
        problems = []
        found = check_packages.dependencies("clang++-19", ["-x", "c++"], {"no/such.h": "a.cc"}, problems, "demo")
        self.assertEqual((found, problems), ([], ["demo: the header <no/such.h> is not there (a.cc)"]))

    def test_all_that_is_read_is_found_with_its_package(self):
        found = check_packages.dependencies("clang++-19", ["-x", "c++"], {"zlib.h": "a.cc"}, [], "demo")
        owners = check_packages.packages_of(found)
        self.assertIn({"zlib1g-dev"}, owners.values())
        self.assertFalse(set(found) - set(owners))


class Python(unittest.TestCase):
    def uses(self, text):
        uses = check_packages.PythonUses()
        uses.visit(ast.parse(text))
        return uses

    def test_programs_and_modules(self):
        uses = self.uses("import os.path, a\nfrom b.c import d\nsubprocess.run(['e', 'f'])\nrun(['g'])\nshutil.which('h')")
        self.assertEqual((uses.modules, uses.sure, uses.maybe), ({"os", "a", "b"}, {"e"}, {"e", "g", "h"}))


class Owners(unittest.TestCase):
    def test_a_link_belongs_to_what_it_leads_to(self):
        with tempfile.TemporaryDirectory() as folder:
            link = pathlib.Path(folder) / "link"
            link.symlink_to("/usr/bin/env")
            self.assertEqual(check_packages.packages_of([str(link)]), {str(link): {"coreutils"}})


if __name__ == "__main__":
    unittest.main()
