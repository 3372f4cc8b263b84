"""Finds the programs that a shell script calls.

It reads words, quotes, substitutions, here-documents and the compound commands of bash, as far as our scripts use them.
"""

import re

KEYWORDS = {"if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "time", "{", "}", "esac", "[["}
BUILTINS = set(
    """. : [ alias bg break builtin cd command continue declare disown echo eval exec exit export false fg getopts hash
    help jobs kill let local mapfile printf pwd read readarray readonly return set shift shopt source test times trap
    true type ulimit umask unalias unset wait""".split()
)
# Each word behind one of these may be a program, unless it is an option, a number or an assignment.
WRAPPERS = {"env", "exec", "sudo", "command", "timeout", "nohup", "nice", "xargs", "flock", "time", "chroot", "unshare",
            "run_logged", "find"}
NAME = re.compile(r"[A-Za-z_][\w.+-]*")


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0
        self.programs, self.perhaps, self.functions, self.here_documents = set(), set(), set(), []

    def script(self, end=None):
        """Reads commands up to `end` (")") or the end of the text."""
        words = []  # of the simple command
        cases = []  # for each `case`: whether a pattern is expected now
        while self.at < len(self.text):
            c = self.text[self.at]
            if cases and cases[-1] == "pattern" and not c.isspace() and not self.text.startswith("esac", self.at):
                if c == "#":
                    self.skip_line()
                    continue
                self.pattern()
                cases[-1] = "body"
                continue
            if c == end:
                self.at += 1
                break
            if c in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif c == "#" and (self.at == 0 or self.text[self.at - 1] in " \t\n;(|&"):
                self.skip_line()
            elif c == "\n" or c in ";&|":
                self.command(words)
                words = []
                if self.text.startswith(";;", self.at) and cases:
                    cases[-1] = "pattern"
                    self.at += 1
                self.at += 1
                if c == "\n":
                    self.skip_here_documents()
            elif self.text.startswith("((", self.at) and not words:
                self.at = self.text.index("))", self.at) + 2
            elif c == "(":
                if self.text.startswith("()", self.at) and len(words) == 1:
                    self.functions.add(words.pop())
                    self.at += 2
                elif words and words[-1].endswith("="):
                    self.at += 1
                    self.array()
                else:
                    self.command(words)
                    words = []
                    self.at += 1
                    self.script(")")
            elif c in "<>" and self.text[self.at + 1 : self.at + 2] == "(":
                self.at += 2
                self.script(")")
                words.append("")
            elif c in "<>":
                self.redirection()
            else:
                word = self.word()
                if re.fullmatch(r"\d+", word) and self.text[self.at : self.at + 1] in "<>":
                    continue
                if not words and word == "case":
                    while self.word_or_blank() != "in":
                        pass
                    cases.append("pattern")
                elif not words and word == "esac":
                    cases.pop()
                elif not words and (word in ("for", "select", "function")):
                    words.append(":")
                elif not words and (word in KEYWORDS or re.match(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=", word)):
                    if word.endswith("=") and self.text[self.at : self.at + 1] == "(":
                        self.at += 1
                        self.array()
                    elif word == "[[":
                        self.condition()
                        words.append(":")
                else:
                    words.append(word)
        self.command(words)

    def command(self, words):
        if not words:
            return
        if NAME.fullmatch(words[0]):
            self.programs.add(words[0])
        if words[0].rsplit("/", 1)[-1] in WRAPPERS:
            self.perhaps |= {word for word in words[1:] if NAME.fullmatch(word)}

    def array(self):
        depth = 1
        while depth:
            c = self.text[self.at]
            if c in " \t\n":
                self.at += 1
            elif c == ")":
                depth -= 1
                self.at += 1
            elif c == "(":
                depth += 1
                self.at += 1
            elif c == "#":
                self.skip_line()
            else:
                self.word()

    def condition(self):
        while True:
            if self.text[self.at] in " \t\n&|()<>":
                self.at += 1
            elif self.word() == "]]":
                return

    def pattern(self):
        while self.text[self.at] != ")":
            if self.text[self.at] in " \t\n|(":
                self.at += 1
            else:
                self.word()
        self.at += 1

    def word_or_blank(self):
        if self.text[self.at] in " \t\n":
            self.at += 1
            return ""
        return self.word()

    def word(self):
        """One word; what is not literal in it becomes a NUL."""
        out = []
        while self.at < len(self.text):
            c = self.text[self.at]
            if c in " \t\n;&|()<>":
                break
            self.at += 1
            if c == "'":
                end = self.text.index("'", self.at)
                out.append(self.text[self.at : end])
                self.at = end + 1
            elif c == '"':
                self.double_quoted()
                out.append("\0")
            elif c == "\\":
                out.append(self.text[self.at : self.at + 1].replace("\n", ""))
                self.at += 1
            elif c == "$":
                self.dollar()
                out.append("\0")
            elif c == "`":
                raise ValueError("a command in backquotes, which is not read here: write $(...)")
            else:
                out.append(c)
        if self.at < len(self.text) and not out and self.text[self.at] in ")":
            self.at += 1  # nothing that is read here: never stand still
        return "".join(out)

    def double_quoted(self):
        while self.text[self.at] != '"':
            c = self.text[self.at]
            self.at += 1
            if c == "\\":
                self.at += 1
            elif c == "$":
                self.dollar()
        self.at += 1

    def dollar(self):
        if self.text.startswith("((", self.at):
            depth = 0
            while True:
                depth += {"(": 1, ")": -1}.get(self.text[self.at], 0)
                self.at += 1
                if depth == 0:
                    return
        if self.text.startswith("(", self.at):
            self.at += 1
            self.script(")")
        elif self.text.startswith("{", self.at):
            depth = 0
            while True:
                c = self.text[self.at]
                self.at += 1
                if c == "\\":
                    self.at += 1
                elif c == "'" and depth == 1 and self.text.find("'", self.at) < self.text.find("}", self.at):
                    self.at = self.text.index("'", self.at) + 1
                elif c == '"' and depth == 1:
                    self.double_quoted()
                elif c == "$":
                    self.dollar()
                depth += {"{": 1, "}": -1}.get(c, 0)
                if depth == 0:
                    return
        elif self.text.startswith("'", self.at):
            self.at += 1
            while self.text[self.at] != "'":
                self.at += 2 if self.text[self.at] == "\\" else 1
            self.at += 1

    def redirection(self):
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "<>&":
            self.at += 1
        operator = self.text[start : self.at]
        if operator == "<<" and self.text[self.at : self.at + 1] == "-":
            self.at += 1
        while self.text[self.at] in " \t":
            self.at += 1
        if self.text[self.at] in "<>" and self.text[self.at + 1 : self.at + 2] == "(":
            return  # a process substitution, read as any
        word = self.word()
        if operator == "<<":
            self.here_documents.append(word.replace("\0", ""))

    def skip_here_documents(self):
        for end in self.here_documents:
            while self.at < len(self.text):
                line_end = self.text.find("\n", self.at)
                line_end = len(self.text) if line_end < 0 else line_end
                line = self.text[self.at : line_end].strip()
                self.at = line_end + 1
                if line == end:
                    break
        self.here_documents = []

    def skip_line(self):
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end


def programs_of_shell(text):
    """The first words of all simple commands; and the words that a program such as env or xargs may be given to run. No
    built-ins of the shell and no functions of the script."""
    reader = Reader(text)
    reader.script()
    ours = reader.functions | BUILTINS | KEYWORDS
    return reader.programs - ours, reader.perhaps - ours


def functions_of_shell(text):
    reader = Reader(text)
    reader.script()
    return reader.functions
