#!/usr/bin/env python3
"""Tests of check_layers.py on small trees: a good one passes, each planted violation is reported."""

import tempfile
import unittest
from pathlib import Path

import check_layers

TABLE = """
[parts]
base      :
pure/a    : base
pure/b    : base pure/a
engine    : base pure/* | wasm system
cli       :             | kj
[libraries]
wasm      : wasmtime.h wasmtime/
kj        : kj/
system    : unistd.h sys/ filesystem
gtest     : gtest/
"""

GOOD = {
    "include/tenon/result.h": "#pragma once\n#include <string>\n#include <tenon/error.h>\n",
    "include/tenon/error.h": "#include <cstdint>\n",
    "src/base/x.h": "#include <tenon/result.h>\n#include <vector>\n#include <string.h>\n",
    "src/pure/a/a.h": '#include "base/x.h"\n',
    "src/pure/b/b.cc": '#include "pure/a/a.h"\n#include "base/x.h"\n',
    "src/pure/b/b_test.cc": '#include <gtest/gtest.h>\n#include "engine/sub/e.h"\n',
    "src/engine/sub/e.h": '#include <wasmtime.h>\n#include <wasmtime/func.h>\n#include <sys/mman.h>\n',
    "src/engine/e.cc": '#include "engine/sub/e.h"\n#include "pure/a/a.h"\n',
    "src/cli/main.cc": "#include <tenon/result.h>\n#include <kj/main.h>\n",
}


class CheckLayers(unittest.TestCase):
    def problems(self, extra=None, table=TABLE):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**GOOD, **(extra or {}), "tools/layers.txt": table}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_layers.check_tree(folder)

    def assert_reports(self, expected, extra=None, table=TABLE):
        found = self.problems(extra, table)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_accepts_a_good_tree(self):
        self.assertEqual(self.problems(), [])

    def test_reports_an_include_upwards(self):
        self.assert_reports("src/base/y.h:2: part base may not include", {"src/base/y.h": '\n#include "pure/a/a.h"\n'})

    def test_reports_an_include_of_a_sibling_that_the_table_lacks(self):
        self.assert_reports("part pure/a may not include", {"src/pure/a/z.h": '#include "pure/b/b.h"\n',
                                                            "src/pure/b/b.h": ""})

    def test_reports_a_library_outside_its_home(self):
        self.assert_reports("does not name library wasm", {"src/pure/a/z.h": "#include <wasmtime/func.h>\n"})

    def test_reports_kj_in_a_pure_part(self):
        self.assert_reports("does not name library kj", {"src/base/k.h": "#include <kj/async.h>\n"})

    def test_reports_io_in_a_pure_part(self):
        self.assert_reports("does not name library system", {"src/base/f.h": "#include <filesystem>\n"})

    def test_reports_a_library_in_a_public_header(self):
        self.assert_reports("public headers may not include", {"include/tenon/x.h": "#include <kj/common.h>\n"})

    def test_reports_a_part_in_a_public_header(self):
        self.assert_reports("public headers include no", {"include/tenon/x.h": '#include "base/x.h"\n'})

    def test_reports_an_internal_include_in_the_command(self):
        self.assert_reports("part cli may not include", {"src/cli/run.cc": '#include "base/x.h"\n'})

    def test_reports_an_unknown_library(self):
        self.assert_reports("belongs to no library", {"src/engine/z.cc": "#include <fmt/format.h>\n"})

    def test_reports_a_folder_without_a_line(self):
        self.assert_reports("src/net: no line", {"src/net/tcp.h": ""})

    def test_reports_a_header_that_does_not_exist(self):
        self.assert_reports("no public header", {"src/base/y.h": "#include <tenon/absent.h>\n"})
        self.assert_reports("is no file under src/", {"src/base/y.h": '#include "x.h"\n'})

    def test_reports_a_cycle_in_the_table(self):
        self.assert_reports("cycle: ", table=TABLE.replace("pure/a    : base", "pure/a    : base pure/b"))

    def test_reports_names_that_the_table_does_not_define(self):
        self.assert_reports("no part is named bass", table=TABLE.replace("pure/a    : base", "pure/a    : bass"))
        self.assert_reports("no library is named wasn", table=TABLE.replace("| wasm", "| wasn"))


if __name__ == "__main__":
    unittest.main()
