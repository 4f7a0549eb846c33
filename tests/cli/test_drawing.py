"""The pictures of a history: lanes, Mermaid, DOT."""

from __future__ import annotations

from textwrap import dedent

import pytest

from asyncmig.report.drawing import Node, ascii_only, dot, lanes, mermaid


def history(text: str) -> list[Node]:
    """Nodes from ``f:d,e e:c ...``, newest first."""
    pairs = (word.partition(":") for word in text.split())
    return [Node(name, parents=tuple(filter(None, parents.split(",")))) for name, _, parents in pairs]


@pytest.mark.parametrize(
    ("nodes", "drawn"),
    [
        ("", ""),
        ("a", "● a"),
        ("b:a a", "● b\n● a"),
        ("b a", "● b\n● a"),
        (
            "e:c,d d:b c:b b:a a",
            """\
            ● e
            ├─╮
            │ ● d
            ● │ c
            ├─╯
            ● b
            ● a""",
        ),
        (
            "m:x,y,z z:r y:r x:r r",
            """\
            ● m
            ├─╮
            ├─┼─╮
            │ │ ● z
            │ ● │ y
            ● │ │ x
            ├─┼─╯
            ├─╯
            ● r""",
        ),
        (
            "k:b m:a,b b:r a:r r",
            """\
            ● k
            │ ● m
            ├─┤
            ● │ b
            │ ● a
            ├─╯
            ● r""",
        ),
        (
            "h:r k:b b:r r",
            """\
            ● h
            │ ● k
            │ ● b
            ├─╯
            ● r""",
        ),
    ],
)
def test_lanes(nodes: str, drawn: str) -> None:
    lines = [f"{line} {node.name}" if node else line.rstrip() for line, node in lanes(history(nodes))]
    assert "\n".join(lines) == dedent(drawn)


def test_every_revision_of_a_wide_history_is_drawn_once() -> None:
    wide = [Node("m", parents=tuple(f"b{i}" for i in range(40)))]
    wide += [Node(f"b{i}", parents=("r",)) for i in reversed(range(40))] + [Node("r")]
    shown = [node.name for _, node in lanes(wide) if node]
    assert shown == [node.name for node in wide]


def test_without_box_drawing_characters() -> None:
    lines = [ascii_only(line).rstrip() for line, _ in lanes(history("e:c,d d:b c:b b"))]
    assert lines == ["*", "|-\\", "| *", "* |", "|-/", "*"]


def test_states_have_their_own_symbols() -> None:
    nodes = [Node("a", state=state) for state in ("unknown", "applied", "pending", "failed", "current")]
    assert [line for line, _ in lanes(nodes)] == ["●", "●", "○", "✗", "◉"]


def test_mermaid() -> None:
    nodes = [
        Node("b-1", 'say "hi" <now> & #1', parents=("a",), depends_on=("c",), state="current"),
        Node("a", state="applied"),
        Node("c"),
    ]
    assert list(mermaid(nodes)) == [
        "flowchart BT",
        '    rb_2d_1["b-1<br/>say #quot;hi#quot; #lt;now#gt; #amp; #35;1"]:::current',
        '    ra["a"]:::applied',
        '    rc["c"]',
        "    rb_2d_1 --> ra",
        "    rb_2d_1 -.-> rc",
        "    classDef applied fill:#d5f5d5,color:#000",
        "    classDef current fill:#9fe09f,color:#000",
    ]


def test_dot() -> None:
    nodes = [Node("b", 'say "hi"', parents=("a",), depends_on=("c",), state="failed"), Node("a"), Node("c")]
    assert list(dot(nodes)) == [
        "digraph history {",
        "    rankdir=BT; node [shape=box, style=filled, fillcolor=white];",
        '    "b" [label="b\\nsay \\"hi\\"", fillcolor="#f9d0d0"];',
        '    "a" [label="a"];',
        '    "c" [label="c"];',
        '    "b" -> "a";',
        '    "b" -> "c" [style=dashed];',
        "}",
    ]
