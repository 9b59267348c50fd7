# SPDX-License-Identifier: MIT
"""The C of docs/ compiles, and its programs do what the text says.

A block of C stands for the inside of a function with a session and a url, and is compiled as such. After the
line <!-- program --> it is a whole program, which is linked, too; after

    <!-- program /todos/1 prints "delectus" -->

it is run besides: with the URLs of these paths at build/todo-api as its arguments, or with that server's own for
the path "/". It must succeed, say nothing on stderr, and print the text. usage: guide.py COMPILER SOURCE BUILD
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).with_name("functional")))
import servers
import tap

*COMPILER, SOURCE, BUILD = sys.argv[1:]
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
BLOCK = re.compile(r"(?:^<!-- (program.*?) -->\n)?^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r'program(?: (?P<paths>/\S*(?: /\S*)*) prints "(?P<text>.+)")?')
FRAGMENT = """#include <gather.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

int fragment(ga_session *session, const char *url);

int fragment(ga_session *session, const char *url)
{{
    (void)session, (void)url;
#line {line} "{name}"
{code}
    return 0;
}}
"""


def blocks(page):
    """Each block of C with its mark, None where it has none, and the number of its first line."""
    text = page.read_text()
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start(2)) + 1, found[1], found[2]


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = cls.enterClassContext(servers.directory())
        cls.api = cls.enterClassContext(servers.todo_api())

    def compile(self, code, *options):
        """Compiles and links with the build's own library; returns the program's path."""
        source, program = self.work / "block.c", self.work / "block"
        source.write_text(code)
        done = subprocess.run([*COMPILER, *WARNINGS, *options, f"-I{SOURCE}/include", "-o", program, source,
                               *([] if "-c" in options else [f"-L{BUILD}", "-lgather", f"-Wl,-rpath,{BUILD}"])],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return program

    def run_program(self, program, paths, text):
        run = subprocess.run([program, *(self.api.url + path.removesuffix("/") for path in paths.split())],
                             capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn(text, run.stdout)

    def check_page(self, name):
        page = pathlib.Path(SOURCE, "docs", name)
        count = 0
        for line, mark, code in blocks(page):
            with self.subTest(f"{name}:{line}"):
                count += 1
                if mark is None:
                    self.compile(FRAGMENT.format(line=line, name=name, code=code), "-c", "-Wno-unused-variable",
                                 "-Wno-unused-but-set-variable")
                    continue
                parts = MARK.fullmatch(mark)
                self.assertTrue(parts, f"not understood: {mark}")
                program = self.compile(f'#line {line} "{name}"\n{code}')
                if parts["paths"]:
                    self.run_program(program, parts["paths"], parts["text"])
        self.assertEqual(count, page.read_text().count("\n```c\n"))
        self.assertGreater(count, 0)

    def test_guide(self):
        self.check_page("guide.md")

    def test_coming_from_aiohttp(self):
        self.check_page("coming-from-aiohttp.md")

    def test_coming_from_libcurl(self):
        self.check_page("coming-from-libcurl.md")


class Features(unittest.TestCase):
    """docs/features.md names tests that there are."""

    def test_each_named_test_is_there(self):
        table = pathlib.Path(SOURCE, "docs/features.md").read_text()
        named = re.findall(r"`([\w/.]+): (\w+)`", table)
        self.assertGreater(len(named), 40)
        for file, case in named:
            with self.subTest(f"{file}: {case}"):
                self.assertRegex(pathlib.Path(SOURCE, "tests", file).read_text(), rf"\b{case}\b")


class Reference(unittest.TestCase):
    """build/reference.html, which script/reference makes of the headers."""

    def test_what_is_exported_is_there_and_each_link_leads_somewhere(self):
        page = pathlib.Path(BUILD, "reference.html").read_text()
        places = set(re.findall(r'id="([^"]+)"', page))
        library = pathlib.Path(BUILD, "libgather.so.0")
        listed = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
        exported = {name for name in re.findall(r" T (ga_\w+)", listed.stdout) if not name.endswith("_")}
        self.assertGreater(len(exported), 100)
        self.assertLessEqual(exported | {"ga_group", "ga_map", "ga_session_options", "ga_code", "GA_COLLECT", "GA_TASK"}, places)
        self.assertLessEqual(set(re.findall(r'href="#([^"]+)"', page)), places)


if __name__ == "__main__":
    os.environ["GATHER_BUILD"] = BUILD
    sys.argv[1:] = []
    tap.main()
