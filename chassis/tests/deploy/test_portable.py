"""What a developer runs works on macOS too: BSD's tools, bash 3.2 and GNU make 3.81."""

import re

import pytest

from chassis.tests.conftest import ROOT
from chassis.tests.documents import blocks, sections

ON_LINUX_ONLY = (  # run on a server, or in a container
    "deploy/compose/production/backup.sh",
    "deploy/compose/production/create.sh",
    "deploy/nginx/nodes/",
    "deploy/systemd/",
)
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "AGENTS.md", "chassis/docs/adding-a-feature.md")
ABSENT = "flock|free|getent|md5sum|nproc|numfmt|setsid|sha256sum|shuf|ss|tac|timeout"  # on macOS
GNU_ONLY = {  # a pattern, and what it finds
    r"\bsed\b[^|;]* (-i(?! ?'')|--in-place|-r\b|-z\b|--\w)": "sed -i s/a/b/ file",
    r"\breadlink\b[^|;]* -[efm]": "readlink -f .",
    r"\brealpath\b": "realpath .",
    r"\bdate\b[^|;]* (-d|--date|-Is|--iso|\+\S*%N)": "date -d yesterday",
    r"\bgrep\b[^|;]* -\w*[PZ]": "grep -oP x",
    r"\b(cp|mv|ln|rm|mkdir|chmod|chown|touch|tee|head|tail|sort|cut|wc|tar|ls)\b[^|;'\"]* --\w": "cp --parents a b",
    r"\bcp\b[^|;]* -\w*t\b": "cp -t folder a",
    r"\bln\b[^|;]* -\w*r": "ln -sr a b",
    r"\btouch\b[^|;]* -d\b": "touch -d yesterday a",
    r"\bxargs\b[^|;]* (-r|-d|--\w)": "xargs -r rm",
    r"\bfind\b[^|;]* -(printf|regextype|executable)\b": "find . -printf x",
    r"\bfind -": "find -name a",
    r"\bmktemp\b[^|;]* (--|-p\b)": "mktemp --suffix=.a",
    r"\bstat\b[^|;]* (-c|--)": "stat -c %s a",
    r"\bsort\b[^|;]* -\w*V": "sort -V",
    r"\bhead\b[^|;]* -[cn] ?-": "head -n -1",
    r"\bbase64\b[^|;]* (-w|--)": "base64 -w0",
    r"\binstall\b[^|;]* -\w*D": "install -D a b",
    r"\bdu\b[^|;]* -\w*b": "du -b a",
    r"\bps\b[^|;]* --\w": "ps --ppid 1",
    rf"(^|[|;&(`@]|\bdo\b|\bthen\b)\s*({ABSENT}) ": "timeout 5 a",
}
BASH_4 = {
    r"\b(mapfile|readarray|coproc)\b": "mapfile lines",
    r"\b(declare|local|typeset) -\w*[Agnlu]": "declare -A names",
    r"\$\{\w+(,|\^)": "${name,,}",
    r"\$\{\w+@\w\}": "${name@Q}",
    r"&>>|\|&": "a &>> b",
    r";;&|;&": "a) b ;;&",
    r"\bshopt -s (globstar|lastpipe)": "shopt -s globstar",
    r"\bwait -n\b": "wait -n",
    r"\bEPOCH(SECONDS|REALTIME)\b": "$EPOCHSECONDS",
    r"%\(.*?\)T": "printf '%(%s)T'",
}
MAKE_4 = {
    r"^\S+ *(::|!|:::)= ": "NAME != date",
    r"^\.(ONESHELL|RECIPEPREFIX|EXTRA_PREREQS|NOTINTERMEDIATE)\b": ".ONESHELL:",
    r"\$\((file|guile|let|intcmp) ": "$(file >a,b)",
    r"^(undefine|unexport -|private |load )": "undefine NAME",
    r"^[^\t#].*&:": "a b &: c",
    r"^define \S+ =": "define NAME =",
    r"\.SHELLFLAGS": ".SHELLFLAGS = -c",
}


def scripts():
    """Yield the shell scripts that a developer runs."""
    for path in sorted((ROOT / "deploy").rglob("*.sh")):
        name = str(path.relative_to(ROOT))
        if not name.startswith(ON_LINUX_ONLY):
            yield name, path.read_text()


def typed():
    """Yield the commands that a developer is told to type."""
    for document in DOCUMENTS:
        for heading in sections(document):
            yield document, "\n".join(blocks(document, heading))


def found(patterns, texts):
    """Return the lines in which a pattern is, without comments."""
    lines = ((name, line) for name, text in texts for line in text.splitlines())
    lines = ((name, line) for name, line in lines if not line.lstrip("\t @").startswith("#"))
    return [f"{name}: {line}" for name, line in lines if any(re.search(pattern, line) for pattern in patterns)]


@pytest.mark.parametrize("patterns", [GNU_ONLY, BASH_4, MAKE_4], ids=["gnu", "bash", "make"])
def test_each_pattern_finds_what_it_is_for(patterns):
    assert [text for pattern, text in patterns.items() if not re.search(pattern, text)] == []


def test_the_makefile_asks_for_nothing_newer_than_macos_has():
    makefile = [("Makefile", (ROOT / "Makefile").read_text().replace("$$", "$"))]
    assert found({**GNU_ONLY, **BASH_4, **MAKE_4}, makefile) == []


def test_the_scripts_of_a_developer_ask_for_nothing_newer_than_macos_has():
    texts = list(scripts())
    assert texts
    assert found({**GNU_ONLY, **BASH_4}, texts) == []


def test_the_commands_of_the_documents_ask_for_nothing_newer_than_macos_has():
    assert found({**GNU_ONLY, **BASH_4}, typed()) == []


def test_the_tools_of_the_template_need_git_and_make_alone():
    text = "".join(path.read_text() for path in (ROOT / "chassis/template").glob("*.py"))
    assert set(re.findall(r"subprocess\.run\(\s*\[(\S+),", text)) == {'"git"', '"make"'}
    assert re.findall(r"/proc|shell=True|os\.(?:fork|system|popen)", text) == []
