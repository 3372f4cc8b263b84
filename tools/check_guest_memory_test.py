#!/usr/bin/env python3
"""Tests of check_guest_memory.py: code that must be reported, with its rule, and code that must not."""

import unittest

import check_guest_memory

# Each is the body of a function, with the rule that must fire.
BAD = [
    ("memory-base", "auto* base = wasmtime_memory_data(context, &memory);"),
    ("memory-base", "use(wasmtime_sharedmemory_data(shared));"),
    ("make-view", "GuestMemory view(base, size); GuestMemory other = GuestMemory(base, size);"),
    ("make-view", "return GuestMemory{base, size};"),
    ("view-pointer", "const std::byte* p = memory.bytes(offset, 8).data();"),
    ("view-pointer", "std::byte* p = context.memory.mutableBytes(offset, 8).data();"),
    ("view-pointer", "auto* p = instance.memory(slot).bytes(0, 4).data();"),
    ("view-pointer", "auto view = memory.bytes(offset, 8); use(view.data());"),
    ("view-pointer", "auto view = memory.mutableBytes(offset, 8); write(&view[3]);"),
    ("view-pointer", "std::span<const std::byte> view = memory.bytes(0, 8); auto* p = std::to_address(view);"),
    ("view-pointer", "auto view = memory.bytes(0, 8); auto* p = reinterpret_cast<const char*>(&view.front());"),
    ("view-pointer", "auto* p = reinterpret_cast<const char*>(context.memory.bytes(0, 8).data());"),
    ("view-kept", "last_ = memory.bytes(offset, 8);"),
    ("view-kept", "auto view = memory.bytes(0, 8); last_ = view;"),
    ("narrow", "TENON_TRY(uint32_t count, in.u32()); uint32_t bytes = count * 4;"),
    ("narrow", "TENON_TRY(auto count, readCount(in, context, \"types\")); reserve(count + 1);"),
    ("narrow", "TENON_TRY(uint32_t size, in.count(\"items\", 10)); total += size;"),
    ("narrow", "uint32_t pointer = flat[0].i32; uint32_t end = pointer + 8;"),
    ("narrow", "uint32_t end = flat->i32 + 8;"),
    ("narrow", "uint32_t size = 0; if (!memory.load(offset, size)) return; uint32_t end = 16 + size;"),
    ("narrow", "uint16_t size = 0; (void)memory.load(offset, size); int end = size << 20;"),
    ("narrow", "uint32_t a = in->i32; uint32_t b = a; b += 8;"),
    ("narrow", "uint32_t length = raw.i32; uint32_t last = length - 1;"),
    ("narrow", "uint32_t length = raw.i32; uint64_t bytes = (length * 2) + uint64_t{1};"),
    ("narrow", "uint64_t end = range.pointer + range.codeUnits;"),
]

GOOD = [
    "uint64_t end = uint64_t{pointer} + size;",
    "uint64_t bytes = uint64_t{range.codeUnits} * sizeof(T);",
    "TENON_TRY(uint32_t count, in.u32()); uint64_t bytes = static_cast<uint64_t>(count) * 4;",
    "TENON_TRY(uint32_t count, in.u32()); for (uint32_t i = 0; i < count; ++i) use(i);",
    "TENON_TRY(uint32_t count, in.u32()); uint64_t total = 0; total += count;",
    "TENON_TRY(uint64_t count, in.u64()); uint64_t bytes = count * 4;",
    "TENON_TRY(uint32_t index, in.u32()); return items[items.size() - 1 - index];",
    "TENON_TRY(Item* item, read(in)); Type* name = item->type;",
    "uint32_t mine = 3; uint32_t sum = mine + 4;",
    "auto time = std::chrono::seconds(3).count() * 1000;",
    "if (!memory.contains(pointer, size)) return false; return memory.load(pointer, value);",
    "auto view = memory.bytes(offset, 8); std::ranges::copy(view, out.begin()); return view.size();",
    "auto bytes = file.bytes(0, 8); parse(bytes.data());",
    "GuestMemory memory = instance.memory(slot); GuestMemory none; return GuestMemory();",
    "hash_ = digest.bytes();",
    "const char* text = \"memory.bytes(0, 8).data()\";  // GuestMemory(base, size)",
    "// guest-ok: the test says so\nGuestMemory view = GuestMemory(base, size);",
    "GuestMemory view = GuestMemory(base, size);  // guest-ok: the test says so",
    "// guest-ok(pointer): checked before\nuint32_t pointer = raw.i32; use(pointer + 8);",
]


def findings(body, name="src/part/x.cc"):
    text = "#include <x.h>\nnamespace tenon {\nvoid f(uint32_t pointer, Memory& memory) {\n" + body + "\n}\n}\n"
    return check_guest_memory.check(name, text)


class CheckGuestMemory(unittest.TestCase):
    def test_bad_code_is_reported_with_its_rule(self):
        for rule, body in BAD:
            with self.subTest(body=body):
                self.assertIn(rule, [found[2] for found in findings(body)])

    def test_good_code_is_not_reported(self):
        for body in GOOD:
            with self.subTest(body=body):
                self.assertEqual(findings(body), [])

    def test_a_finding_has_its_line(self):
        self.assertEqual(findings("\n\nuint64_t end = pointer + 8;")[0][1], 6)

    def test_an_allowance_needs_a_reason_and_reaches_one_line(self):
        self.assertTrue(findings("GuestMemory view = GuestMemory(base, size);  // guest-ok:"))
        self.assertTrue(findings("// guest-ok: a reason\n\nGuestMemory view = GuestMemory(base, size);"))
        self.assertTrue(findings("// guest-ok(other): a reason\nuse(pointer + 8);"))

    def test_guest_memory_itself_may_do_what_it_is_for(self):
        self.assertEqual(findings("GuestMemory view = GuestMemory(base, size);", check_guest_memory.HOME), [])

    def test_what_is_known_of_a_name_ends_with_its_scope(self):
        self.assertEqual(findings("{ uint32_t n = raw.i32; use(n); }\nuint32_t n = 4; use(n + 1);"), [])

    def test_the_tree_is_clean(self):
        for name in check_guest_memory.sources():
            with self.subTest(name=name):
                text = (check_guest_memory.ROOT / name).read_text()
                self.assertEqual(check_guest_memory.check(name, text), [])


if __name__ == "__main__":
    unittest.main()
