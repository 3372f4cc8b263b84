#!/usr/bin/env python3
"""Checks that guest memory is touched through tenon::GuestMemory alone, and that integers that come from a guest
are widened to 64 bits before they are reckoned with. docs/SECURITY-DESIGN.md says why.

Usage: tools/check_guest_memory.py [FILE...]     default: every source under src/ and include/ that is no test

Memory rules
  memory-base    wasmtime_memory_data, wasmtime_sharedmemory_data: a raw base pointer
  make-view      a GuestMemory made of a pointer: whoever makes one vouches for base and size
  view-pointer   .data(), &x[0], std::to_address or reinterpret_cast of bytes that GuestMemory lent: a pointer that
                 outlives the bounds check
  view-kept      bytes that GuestMemory lent are put into a member: they die at the next call of the guest
  base-member    GuestMemory::base_ by any other way

Integer rule
  narrow         + - * << (and += -= *= <<=) on a 32-bit integer that came from a guest, where neither operand is 64
                 bits wide. Such integers are: what LEB readers give (u32(), count(), readCount()), what
                 GuestMemory::load wrote, `.i32` of raw values, parameters and variables of type uint32_t that are
                 named like guest pointers and lengths (see GUEST_NAMES), and variables made of one of these.

A finding that is right is allowed by a comment on its line or the line above: // guest-ok: REASON
Integers of one name are allowed in a whole file by: // guest-ok(NAME): REASON
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = "include/tenon/abi/guest_memory.h"  # GuestMemory itself: the one place where the rules do not hold

NARROW = {"uint32_t", "int32_t", "uint16_t", "int16_t", "unsigned", "int"}
WIDE = {"uint64_t", "int64_t", "size_t", "ptrdiff_t", "uintptr_t", "double"}
# What guest pointers and lengths are called where no reader shows their origin.
GUEST_NAMES = {"pointer", "codeUnits", "guestPointer", "guestLength", "byteLength", "elementCount"}
# Calls whose result is 64 bits wide.
WIDE_CALLS = {"size", "length", "remaining", "offset", "u64", "s64", "sizeof"}
LEB_CALLS = {"u32", "readCount", "s32"}  # and count(), with arguments
ARITHMETIC = {"+", "-", "*", "<<", "+=", "-=", "*=", "<<="}

TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>R\"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+')"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\w.']*)|(?P<op><<=|>>=|->|::|<<|\+\+|--|\+=|-=|\*=|&&|\|\||[^\s\w])",
    re.DOTALL)
ALLOW = re.compile(r"//\s*guest-ok:\s*\S")
ALLOW_NAME = re.compile(r"//\s*guest-ok\((\w+)\):\s*\S")


class Token:
    __slots__ = ("text", "line", "kind")

    def __init__(self, text, line, kind):
        self.text, self.line, self.kind = text, line, kind

    def __repr__(self):
        return self.text


def tokenize(text):
    """Tokens without comments and directives, the lines on which findings are allowed, and the names."""
    names = set(ALLOW_NAME.findall(text))
    allowed, tokens, line, at = set(), [], 1, 0
    text = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: "\n" * m.group().count("\n"), text, flags=re.MULTILINE)
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        kind = match.lastgroup if match.lastgroup != "tag" else "string"
        if kind == "comment":
            if ALLOW.search(match.group()):
                allowed.update((line, line + 1))
        else:
            tokens.append(Token(match.group(), line, kind))
    return tokens, allowed, names


def closing(tokens, i):
    """The index of the bracket that closes the one at i."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    close, depth = pairs[tokens[i].text], 0
    opener = tokens[i].text
    for j in range(i, len(tokens)):
        if tokens[j].text == opener:
            depth += 1
        elif tokens[j].text == close:
            depth -= 1
            if depth == 0:
                return j
    return len(tokens) - 1


def opening(tokens, i):
    """The index of the bracket that the one at i closes."""
    pairs = {")": "(", "}": "{", "]": "["}
    open_, depth = pairs[tokens[i].text], 0
    closer = tokens[i].text
    for j in range(i, -1, -1):
        if tokens[j].text == closer:
            depth += 1
        elif tokens[j].text == open_:
            depth -= 1
            if depth == 0:
                return j
    return 0


class Checker:
    def __init__(self, name, text):
        self.name = name
        self.tokens, self.allowed, self.allowed_names = tokenize(text)
        self.findings = []
        # A stack of scopes, each from variable to what is known of it: "guest", "narrow", "wide", "view".
        self.scopes = [{}]

    def report(self, i, rule, message):
        line = self.tokens[i].line
        if line not in self.allowed:
            finding = (self.name, line, rule, message)
            if finding not in self.findings:
                self.findings.append(finding)

    def text(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def known(self, name):
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def run(self):
        pending = {}  # parameters, until the body's brace opens
        i = 0
        while i < len(self.tokens):
            text = self.text(i)
            if text == "{":
                self.scopes.append(pending)
                pending = {}
            elif text == "}":
                if len(self.scopes) > 1:
                    self.scopes.pop()
            elif text == ";":
                pending = {}
            self.declaration(i, pending)
            self.memory_rules(i)
            if text in ARITHMETIC:
                self.arithmetic(i)
            i += 1
        return self.findings

    # -- What is declared --------------------------------------------------------------------------

    def declaration(self, i, pending):
        """`uint32_t name`, `auto name`, with `=` or `,`, `)`, `;`, `{` after it."""
        kind, name = self.text(i), self.text(i + 1)
        if i + 1 >= len(self.tokens) or self.tokens[i + 1].kind != "word":
            self.loaded(i)
            return
        if self.text(i - 1) in ("<", "::") and kind not in NARROW | WIDE:
            return
        after = self.text(i + 2)
        if after not in ("=", ",", ")", ";", "{", "("):
            return
        fresh = None
        if kind in NARROW:
            fresh = "narrow"
        elif kind in WIDE:
            fresh = "wide"
        elif kind in ("auto", "span", "&", ">") and (kind != ">" or after == "="):
            fresh = "auto"
        if fresh is None or (after == "(" and kind not in ("auto",)):
            return
        if fresh == "narrow" and name in GUEST_NAMES and kind == "uint32_t":
            fresh = "guest"
        value = self.initializer(i + 2)
        if fresh in ("narrow", "auto") and value is not None:
            origin = self.origin(*value)
            if origin == "view":
                fresh = "view"
            elif origin == "guest" and (fresh == "auto" or kind in ("uint32_t", "int32_t")):
                fresh = "guest"
        # In brackets of a parameter list, or in a TENON_TRY?
        if after in (",", ")") and not self.inside_try(i):
            pending[name] = fresh
        else:
            self.scopes[-1][name] = fresh

    def inside_try(self, i):
        return self.text(i - 1) == "(" and self.text(i - 2) == "TENON_TRY"

    def initializer(self, i):
        """The range of tokens of what a variable is made of, if it begins at i."""
        after = self.text(i)
        if after == "=" or after == ",":
            depth, j = 0, i + 1
            while j < len(self.tokens):
                text = self.text(j)
                if text in "([{":
                    depth += 1
                elif text in ")]}":
                    if depth == 0:
                        break
                    depth -= 1
                elif depth == 0 and (text == ";" or (after == "=" and text == ",")):
                    break
                j += 1
            return (i + 1, j) if after == "=" or self.text(i - 2) and self.inside_try(i - 2) else None
        if after == "{":
            return (i + 1, closing(self.tokens, i))
        return None

    def origin(self, begin, end):
        """Where a value comes from: "guest", "view" or None."""
        depth = 0
        for j in range(begin, end):
            text = self.text(j)
            if text in ("bytes", "mutableBytes") and self.text(j + 1) == "(" and self.is_memory(j):
                if closing(self.tokens, j + 1) == end - 1:
                    return "view"
            if text == "i32" and self.text(j - 1) in (".", "->") and j == end - 1:
                return "guest"
            if self.is_leb_call(j) and closing(self.tokens, j + 1) == end - 1:
                return "guest"
        if end - begin == 1 and self.known(self.text(begin)) in ("guest", "view"):
            return self.known(self.text(begin))
        return None

    def is_leb_call(self, j):
        if self.text(j + 1) != "(":
            return False
        return self.text(j) in LEB_CALLS or (self.text(j) == "count" and self.text(j + 2) != ")")

    def is_memory(self, j):
        """Whether the call at j is of something that is called a memory, or of a call of one."""
        if self.text(j - 1) not in (".", "->"):
            return False
        owner = j - 2
        if self.text(owner) == ")":
            owner = opening(self.tokens, owner) - 1
        return "memory" in self.text(owner).lower() or self.text(owner) in ("view", "control_", "control")

    def loaded(self, i):
        """`load(offset, name)`: the variable holds what a guest wrote."""
        if self.text(i) != "load" or self.text(i + 1) != "(" or self.text(i - 1) not in (".", "->"):
            return
        end = closing(self.tokens, i + 1)
        name = self.text(end - 1)
        if self.text(end - 2) == "," and self.known(name) == "narrow":
            for scope in reversed(self.scopes):
                if name in scope:
                    scope[name] = "guest"
                    return

    # -- Memory ------------------------------------------------------------------------------------

    def memory_rules(self, i):
        text = self.text(i)
        if text in ("wasmtime_memory_data", "wasmtime_sharedmemory_data") and self.text(i + 1) == "(":
            self.report(i, "memory-base", f"{text} gives a pointer without bounds")
        elif text == "GuestMemory" and self.text(i + 1) in ("(", "{"):
            end = closing(self.tokens, i + 1)
            if end > i + 2:
                self.report(i, "make-view", "a GuestMemory is made of a pointer and a size")
        elif text == "base_" and self.text(i - 1) in (".", "->") and self.is_memory(i):
            self.report(i, "base-member", "the base of a GuestMemory")
        elif text in ("bytes", "mutableBytes") and self.text(i + 1) == "(" and self.is_memory(i):
            end = closing(self.tokens, i + 1)
            if self.text(end + 1) in (".", "->") and self.text(end + 2) in ("data", "begin"):
                self.report(i, "view-pointer", f"a pointer out of {text}()")
            begin = self.expression_begin(i)
            if self.text(begin - 1) == "=" and self.text(begin - 2).endswith("_"):
                self.report(i, "view-kept", f"{self.text(begin - 2)} keeps guest memory")
        elif self.known(text) == "view" and self.tokens[i].kind == "word" and self.text(i - 1) not in (".", "->", "::"):
            if self.text(i + 1) == "." and self.text(i + 2) in ("data", "begin"):
                self.report(i, "view-pointer", f"a pointer into the guest memory of {text}")
            elif self.text(i - 1) == "&" and self.text(i + 1) == "[":
                self.report(i, "view-pointer", f"a pointer into the guest memory of {text}")
            elif self.text(i + 1) != "." and self.text(i - 1) == "=" and self.text(i - 2).endswith("_"):
                self.report(i, "view-kept", f"{self.text(i - 2)} keeps the guest memory of {text}")
        elif text in ("reinterpret_cast", "to_address") and self.text(i + 1) in ("<", "("):
            j = i + 1
            if self.text(j) == "<":
                while self.text(j) != "(":
                    j += 1
            for k in range(j, closing(self.tokens, j)):
                lent = self.text(k) in ("bytes", "mutableBytes") and self.text(k + 1) == "(" and self.is_memory(k)
                if lent or (self.known(self.text(k)) == "view" and self.text(k - 1) not in (".", "->")):
                    self.report(i, "view-pointer", f"{text} of guest memory")
                    break

    def expression_begin(self, i):
        """The first token of the chain of members and calls that ends at i."""
        while self.text(i - 1) in (".", "->", "::"):
            i -= 2
            if self.text(i) == ")":
                i = opening(self.tokens, i) - 1
        return i

    # -- Arithmetic --------------------------------------------------------------------------------

    def arithmetic(self, i):
        left_end, right = i - 1, i + 1
        before = self.tokens[left_end] if left_end >= 0 else None
        if before is None or (before.kind not in ("word", "number") and before.text not in (")", "]")):
            return  # unary
        if before.text in ("return", "case", "co_return") or (before.text == ")" and self.is_cast(left_end)):
            return
        if self.text(i) == "*" and self.declares_pointer(i):
            return
        left = self.operand_back(left_end)
        ahead = self.operand_ahead(right)
        if "guest" not in (left, ahead) or "wide" in (left, ahead):
            return
        if self.text(i) in ("+", "-", "<<", "*") and self.chain_is_wide(i):
            return
        name = self.text(left_end) if left == "guest" else self.text(right)
        if name in self.allowed_names:
            return
        self.report(i, "narrow", f"`{self.text(i)}` on {name}, 32 bits from a guest; widen it: uint64_t{{{name}}}")

    def is_cast(self, end):
        return self.text(opening(self.tokens, end) - 1) in ("if", "while", "for", "switch")

    def declares_pointer(self, i):
        """`Type* name`: no multiplication."""
        name = self.text(i - 1)
        return name[:1].isupper() or name in ("char", "void", "auto", "const")

    def operand_back(self, end):
        text = self.text(end)
        if text in (")", "]"):
            begin = opening(self.tokens, end)
            head = self.text(begin - 1)
            if text == ")" and head in WIDE_CALLS:
                return "wide"
            if text == ")" and head in WIDE:
                return "wide"
            if text == ")" and head == ">":
                return self.cast_kind(begin - 1)
            if text == ")" and self.is_leb_call(begin - 1):
                return "guest"
            if text == ")" and self.tokens[begin - 1].kind != "word":
                return self.group(begin, end)
            return None
        if text == "}" and self.text(opening(self.tokens, end) - 1) in WIDE:
            return "wide"
        return self.word(end)

    def operand_ahead(self, begin):
        text = self.text(begin)
        if text == "(":
            return self.group(begin, closing(self.tokens, begin))
        if text in WIDE and self.text(begin + 1) in ("{", "("):
            return "wide"
        if text == "sizeof":
            return "wide"
        if text == "static_cast" and self.text(begin + 1) == "<":
            return "wide" if any(self.text(j) in WIDE for j in range(begin + 2, begin + 6)) else None
        # A chain of members: its last one counts.
        end = begin
        while self.text(end + 1) in (".", "->", "::"):
            end += 2
        if self.text(end + 1) == "(":
            if self.text(end) in WIDE_CALLS:
                return "wide"
            return "guest" if self.is_leb_call(end) else None
        return self.word(end)

    def cast_kind(self, i):
        """static_cast<T>( with i at `>`."""
        for j in range(i - 1, i - 5, -1):
            if self.text(j) == "<":
                break
            if self.text(j) in WIDE:
                return "wide"
        return None

    def group(self, begin, end):
        found = None
        for j in range(begin + 1, end):
            if self.text(j) in WIDE or self.text(j) in WIDE_CALLS and self.text(j + 1) == "(":
                return "wide"
            kind = self.word(j) if self.tokens[j].kind == "word" else None
            if kind == "wide":
                return "wide"
            found = found or (kind if kind == "guest" else None)
        return found

    def word(self, i):
        text = self.text(i)
        if self.text(i - 1) in (".", "->"):
            return "guest" if text == "i32" or text in GUEST_NAMES else None
        kind = self.known(text)
        return kind if kind in ("guest", "wide") else None

    def chain_is_wide(self, i):
        """a + b + c is reckoned from the left: wide if an operand before is."""
        j = i - 1
        while j > 0:
            if self.text(j) in (")", "]", "}"):
                if self.operand_back(j) == "wide":
                    return True
                j = opening(self.tokens, j) - 1
                continue
            if self.text(j) in ("=", ";", "(", "{", ",", "return", "<", ">", "?", ":", "&&", "||"):
                return False
            if self.tokens[j].kind == "word" and self.word(j) == "wide":
                return True
            j -= 1
        return False


def check(name, text):
    """The findings in one file: (name, line, rule, message) each."""
    return [] if name == HOME else Checker(name, text).run()


def sources():
    listed = subprocess.run(["git", "ls-files", "-z", "src", "include"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        if re.search(r"\.(h|cc)$", name) and not re.search(r"_(test|testing)\.(h|cc)$", name):
            if (ROOT / name).is_file():
                yield name


def main():
    names = sys.argv[1:] or list(sources())
    findings = []
    for name in names:
        findings += check(name, (ROOT / name).read_text())
    for name, line, rule, message in sorted(findings):
        print(f"{name}:{line}: {rule}: {message}")
    if findings:
        print(f"{len(findings)} findings; a right one is allowed by `// guest-ok: REASON` on or above its line")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
